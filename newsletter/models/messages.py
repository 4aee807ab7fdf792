"""The table of messages that admins write to the followers of a topic, or to everybody."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Message(models.Model):
    """A message. It becomes an occasion `message:<id>` with one edition per look, so each person gets it once."""

    class State(models.TextChoices):
        """How far it is. What became of its mails, the ledger knows."""

        DRAFT = "draft"
        #: Somebody without the right to send asks for its release.
        ASKED = "asked"
        #: It is to begin at `start_at`; nothing is planned yet.
        SCHEDULED = "scheduled"
        #: Its deliveries are planned, chunk by chunk.
        PLANNING = "planning"
        #: All of its deliveries are in the ledger.
        PLANNED = "planned"
        #: Somebody kept back what had not left.
        STOPPED = "stopped"
        #: Its time passed while nothing ran: somebody decides.
        PARKED = "parked"

    subject = models.TextField()
    #: The text as it was typed.
    markdown = models.TextField()
    #: To whom: the followers of this topic; None: everybody.
    topic = models.ForeignKey("newsletter.Topic", models.PROTECT, null=True, db_index=False)
    state = models.TextField(choices=State, default=State.DRAFT)
    #: Raised by each change of the draft: forms carry it.
    revision = models.IntegerField(default=1)
    #: Name of who wrote it, asked for its release, or sent it last.
    written_by = models.TextField()
    sent_by = models.TextField(default="")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    #: When its mails may leave; None for a draft.
    start_at = models.DateTimeField(null=True)
    #: IANA name of the zone in which that was chosen.
    zone = models.TextField(default="")
    #: Its occasion. No foreign key: the ledger forgets it after 14 days.
    occasion_id = models.IntegerField(null=True)
    #: Subscribers up to this id are planned.
    planned_upto = models.IntegerField(default=0)
    planned_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "message"
        indexes: ClassVar = [
            models.Index(fields=["start_at"], condition=Q(state__in=["scheduled", "planning"]), name="message_due"),
            models.Index(fields=["occasion_id"], condition=Q(occasion_id__isnull=False), name="message_occasion"),
            # few, and asked for by Home
            models.Index(fields=["state"], condition=Q(state__in=["asked", "parked"]), name="message_waits"),
            models.Index(fields=["topic"], condition=Q(topic__isnull=False), name="message_topic"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="message_start",
                condition=Q(state__in=["draft", "asked"]) | Q(start_at__isnull=False),
            ),
        ]
