"""Tables of public sign-ups: requests that wait, and what the limits count. None of them holds an address in clear."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class SignUpRequest(models.Model):
    """What somebody typed into a public form, sealed; deleted when a worker has decided what follows."""

    class Kind(models.TextChoices):
        """Who asks for what. Each kind is served and limited by itself."""

        #: Somebody who holds one of a person's own mails asks for a fresh link.
        HOLDER = "holder"
        #: Anybody asks, by typing an address, for a link to preferences.
        LINK = "link"
        #: Anybody signs an address up.
        SIGN_UP = "sign-up"

    id = models.BigAutoField(primary_key=True)
    kind = models.TextField(choices=Kind)
    #: Random: the associated data of `cipher`.
    handle = models.BinaryField()
    key_id = models.SmallIntegerField()
    #: What was asked, as JSON, sealed with handle=`handle` and column="request".
    cipher = models.BinaryField()
    #: The how-manieth request of its kind and network in this hour: the busiest networks are served last.
    turn = models.IntegerField()
    created_at = models.DateTimeField()
    #: While the mailbox's limit makes it wait; None: it is ready.
    waits_until = models.DateTimeField(null=True)
    #: Keyed hash of the address, once it had to wait: a later request of the same kind for the same address replaces it.
    address = models.BinaryField(null=True)

    class Meta:
        db_table = "sign_up_request"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "address"], condition=Q(address__isnull=False), name="sign_up_request_waits_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["kind", "turn", "id"], condition=Q(waits_until__isnull=True), name="sign_up_request_ready"
            ),
            models.Index(fields=["waits_until"], condition=Q(waits_until__isnull=False), name="sign_up_request_waits"),
        ]


class NetworkCount(models.Model):
    """How many requests of one kind a network made in the current hour. Nothing here leads to a request or an address."""

    #: Keyed hash of kind, hour and network prefix: another one each hour.
    network = models.BinaryField(primary_key=True)
    #: The hour it counts in; the row is deleted when that is over.
    hour = models.DateTimeField()
    requests = models.IntegerField()

    class Meta:
        db_table = "network_count"


class MailboxLimit(models.Model):
    """How often a mailbox was mailed because somebody asked for it, and nobody answered."""

    #: Keyed hash of the address without plus-tag, for Gmail without dots.
    mailbox = models.BinaryField()
    kind = models.TextField(choices=SignUpRequest.Kind)
    #: Mails since the last answer.
    sent = models.SmallIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "mailbox_limit"
        constraints: ClassVar = [models.UniqueConstraint(fields=["mailbox", "kind"], name="mailbox_limit_once")]


class NoticeBudget(models.Model):
    """How fast notices of one kind may go out in the whole service: a token bucket, kept as a single moment (GCRA)."""

    kind = models.TextField(primary_key=True, choices=SignUpRequest.Kind)
    #: When the bucket is full again.
    full_at = models.DateTimeField()
    #: Notices an hour.
    per_hour = models.IntegerField()

    class Meta:
        db_table = "notice_budget"
