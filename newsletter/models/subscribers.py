"""Tables of the subscribers room: look, rhythm, subscriber, subscription, suppression, notice, consent."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from newsletter.models.states import Cadence


class Look(models.Model):
    """What makes two people's mail differ, besides the items."""

    id = models.SmallAutoField(primary_key=True)
    locale = models.TextField(default="en")
    #: `both` (HTML and text) or `text`.
    format = models.TextField(default="both")
    #: True: the subject says nothing of the content.
    discreet = models.BooleanField(default=True)

    class Meta:
        db_table = "look"
        constraints: ClassVar = [models.UniqueConstraint(fields=["locale", "format", "discreet"], name="look_once")]


class Rhythm(models.Model):
    """Cadence, zone, hour and weekday, shared by all who have it; holds the due time."""

    cadence = models.SmallIntegerField(choices=Cadence)
    zone = models.TextField()
    hour = models.SmallIntegerField()
    #: Monday is 0; -1 for daily.
    weekday = models.SmallIntegerField(default=-1)
    due_at = models.DateTimeField()

    class Meta:
        db_table = "rhythm"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cadence", "zone", "hour", "weekday"], name="rhythm_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["due_at"], name="rhythm_due")]


class Subscriber(models.Model):
    """A person. The address is only opened in the barrier, at their own request, and where a route names a domain."""

    class State(models.TextChoices):
        """Pending people get notices only; people who left get nothing."""

        PENDING = "pending"
        ACTIVE = "active"
        LEFT = "left"

    #: Random, made before the insert: the associated data of the sealed address.
    handle = models.UUIDField(unique=True)
    #: The address, sealed with handle=`handle.bytes` and column="address".
    address_cipher = models.BinaryField()
    #: Blind index (kind "address") of the normalised address.
    address_index = models.BinaryField(unique=True)
    address_index_next = models.BinaryField(null=True, unique=True)
    key_id = models.SmallIntegerField()
    state = models.TextField(choices=State, default=State.PENDING)
    paused_until = models.DateTimeField(null=True)
    look = models.ForeignKey(Look, models.PROTECT, db_index=False)
    daily_rhythm = models.ForeignKey(Rhythm, models.PROTECT, related_name="+", db_index=False)
    weekly_rhythm = models.ForeignKey(Rhythm, models.PROTECT, related_name="+", db_index=False)
    quiet = models.JSONField(null=True)
    #: Raised to make all earlier links of the person's mails stop working.
    link_epoch = models.SmallIntegerField(default=0)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    consent_version = models.SmallIntegerField(default=0)
    #: When somebody who is `left` left. It stays while a stranger's sign-up makes them pending, and ends when they confirm.
    left_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "subscriber"
        indexes: ClassVar = [
            models.Index(fields=["daily_rhythm", "id"], name="subscriber_daily"),
            models.Index(fields=["weekly_rhythm", "id"], name="subscriber_weekly"),
            models.Index(fields=["created_at"], condition=Q(state="pending"), name="subscriber_pending"),
            models.Index(fields=["left_at"], condition=Q(state="left"), name="subscriber_left"),
        ]


class Subscription(models.Model):
    """Subscriber × topic, with the cadence as a column: one live subscription per pair."""

    class EndedReason(models.TextChoices):
        """By whom it ended."""

        #: The reader, on a page.
        READER = "reader"
        #: The reader, by the one-click header (RFC 8058).
        ONE_CLICK = "one-click"
        #: The provider was asked to stop.
        PROVIDER = "provider"
        #: Somebody who runs the service, at the reader's word.
        ADMIN = "admin"
        #: Its topic is no longer offered.
        RETIRED = "retired"
        #: Its topic was merged into another one, which the reader follows instead; what matched until then is still owed.
        MERGED = "merged"

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, db_index=False)
    topic = models.ForeignKey("newsletter.Topic", models.CASCADE, db_index=False)
    cadence = models.SmallIntegerField(choices=Cadence)
    #: What matched earlier is not owed.
    owed_from = models.DateTimeField()
    changed_at = models.DateTimeField()
    #: Where it came from: page, command, import.
    source = models.TextField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    #: None while live.
    ended_reason = models.TextField(choices=EndedReason, null=True)

    class Meta:
        db_table = "subscription"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subscriber", "topic"],
                condition=Q(ended_at__isnull=True),
                name="subscription_live",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["changed_at"], condition=Q(ended_at__isnull=True), name="subscription_changed"),
            models.Index(
                fields=["topic", "cadence", "subscriber"],
                condition=Q(ended_at__isnull=True),
                include=["owed_from"],
                name="subscription_topic",
            ),
            # ended ones are asked for, and foreign keys are checked when a person or an own topic goes
            models.Index(fields=["subscriber"], name="subscription_subscriber"),
            models.Index(fields=["topic"], name="subscription_any_topic"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="subscription_ended"),
            # few or none: composing looks whether there are any
            models.Index(
                fields=["topic", "subscriber"], condition=Q(ended_reason="merged"), name="subscription_merged"
            ),
        ]


class Suppression(models.Model):
    """An address that must not be mailed, by its blind index: it outlives erasure."""

    class Reason(models.TextChoices):
        """Why it is not mailed, the weakest first: a stronger one replaces a weaker one."""

        #: Several mails in a row were given up.
        SOFT = "soft bounces"
        #: There is no such mailbox.
        BOUNCE = "bounce"
        #: What remains of somebody who left: it stops who would add them, never their own confirmed sign-up.
        LEFT = "left"
        #: The provider was asked to stop.
        UNSUBSCRIBE = "unsubscribe"
        #: Somebody who runs the service said so.
        ADMIN = "admin"
        #: It was called spam: for good.
        COMPLAINT = "complaint"
        #: What remains of somebody who was erased: for good.
        ERASED = "erased"

    address_index = models.BinaryField(primary_key=True)
    reason = models.TextField(choices=Reason)
    #: True: the person cannot lift it by confirming again.
    sticky = models.BooleanField(default=False)
    since = models.DateTimeField()
    provider = models.TextField(default="")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "suppression"
        indexes: ClassVar = [
            models.Index(fields=["lifted_at"], condition=Q(lifted_at__isnull=False), name="suppression_lifted")
        ]


class Notice(models.Model):
    """A mail about the subscription itself; its link is derived from id and nonce."""

    class Kind(models.TextChoices):
        """What its link does."""

        #: Confirms a new subscriber, with the choices in `choices_cipher`.
        CONFIRM = "confirm"
        #: Asks a known subscriber whether to add the choices in `choices_cipher`.
        ADD = "add"
        #: Opens the preferences.
        MANAGE = "manage"
        #: Says that stopped mail has started again; its link stops it.
        RESUMED = "resumed"
        #: Says that topics were merged; its link asks for one to the preferences.
        MOVED = "moved"

    kind = models.TextField(choices=Kind)
    subscriber = models.ForeignKey(Subscriber, models.CASCADE)
    nonce = models.BinaryField()
    #: The choices as JSON, sealed with handle=`nonce` and column="choices"; None for others.
    choices_cipher = models.BinaryField(null=True)
    key_id = models.SmallIntegerField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    #: When its delivery was planned; None: not yet.
    planned_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notice"
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(planned_at__isnull=True), name="notice_unplanned"),
        ]


class Consent(models.Model):
    """What somebody agreed to, when, and in which wording."""

    id = models.BigAutoField(primary_key=True)
    subscriber = models.ForeignKey(Subscriber, models.CASCADE)
    what = models.TextField()
    wording_version = models.SmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "consent"
