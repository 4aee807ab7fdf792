"""Tables of the editions room: occasion, gathering, edition and its encrypted body."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Occasion(models.Model):
    """What a mail is for. A person gets at most one delivery per occasion."""

    class Kind(models.TextChoices):
        """The kinds of edition follow it."""

        ALERT = "alert"
        DIGEST = "digest"
        NOTICE = "notice"
        #: What an admin wrote (`Message`).
        MESSAGE = "message"

    kind = models.TextField(choices=Kind)
    #: alert:<gathering>, digest:daily:2026-11-23, digest:weekly:2026-W48, notice:<id>,
    #: message:<id>.
    key = models.TextField(unique=True)
    created_at = models.DateTimeField()
    #: When nothing of it was to come any more, of an alert or a digest.
    closed_at = models.DateTimeField(null=True)
    #: Since when somebody keeps back what has not left.
    held_at = models.DateTimeField(null=True)
    #: The one topic that all of its mails are for, own keywords too; 0: several. None: nothing was composed, or it is not known.
    only_topic_id = models.IntegerField(null=True)

    class Meta:
        db_table = "occasion"
        indexes: ClassVar = [
            # few among the notices of everybody, and looked for at each look
            models.Index(fields=["id"], condition=Q(closed_at__isnull=True) & ~Q(kind="notice"), name="occasion_open")
        ]


class Gathering(models.Model):
    """One closing of what is owed: all fresh matches (alert), or one rhythm on one local date (digest)."""

    occasion = models.ForeignKey(Occasion, models.CASCADE, db_index=False)
    rhythm = models.ForeignKey("newsletter.Rhythm", models.SET_NULL, null=True, db_index=False)
    cut_at = models.DateTimeField()
    #: Subscribers up to this id are composed.
    composed_upto = models.IntegerField(default=0)
    composed_at = models.DateTimeField(null=True)
    #: Its hour was long past when it was found: nothing was mailed, all of it stays owed to the next.
    skipped = models.BooleanField(default=False)

    class Meta:
        db_table = "gathering"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["occasion", "rhythm"], condition=Q(rhythm__isnull=False), name="gathering_rhythm_once"
            ),
            models.UniqueConstraint(fields=["occasion"], condition=Q(rhythm__isnull=True), name="gathering_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(composed_at__isnull=True), name="gathering_open"),
            # asked for each old occasion: the two constraints' indexes hold a part of the rows each
            models.Index(fields=["occasion"], name="gathering_occasion"),
        ]


class Edition(models.Model):
    """Content, shared by all who get the same."""

    id = models.BigAutoField(primary_key=True)
    #: SHA-256 of kind, date, look, template revision and content.
    key = models.BinaryField(unique=True)
    kind = models.TextField(choices=Occasion.Kind)
    look = models.ForeignKey("newsletter.Look", models.PROTECT, db_index=False)
    #: [[item, version, [topics]], …]; for a notice its kind; for a message {message, topic}.
    content = models.JSONField()
    parked_reason = models.TextField(null=True)
    created_at = models.DateTimeField()
    #: Since when somebody keeps back what has not left.
    held_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "edition"
        indexes: ClassVar = [
            # nearly always empty, and asked for at each claim
            models.Index(fields=["id"], condition=Q(held_at__isnull=False), name="edition_held")
        ]


class EditionBody(models.Model):
    """The wording, with places for personal parts; kept 7 days, or until what waits for its turn was mailed.

    JSON of subject, text and html, sealed with handle=edition.key, column="body".
    """

    edition = models.OneToOneField(Edition, models.CASCADE, primary_key=True)
    key_id = models.SmallIntegerField()
    cipher = models.BinaryField()
    made_at = models.DateTimeField()

    class Meta:
        db_table = "edition_body"


class LeftOver(models.Model):
    """A person whose last mail had no room for all that they were owed: the rest comes with the next one."""

    subscriber_id = models.IntegerField(primary_key=True)
    #: When a mail was last too small.
    at = models.DateTimeField()

    class Meta:
        db_table = "left_over"
