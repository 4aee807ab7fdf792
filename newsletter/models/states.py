"""States of a batch and of a delivery, and which may follow which: the database's triggers are written from this table."""

from django.db import models


class BatchState(models.TextChoices):
    """The state of a batch is the state of its deliveries, but for those that have one of their own."""

    #: Written, nobody works on it, not before `not_before`.
    PLANNED = "planned"
    #: A worker holds it by token and lease; nothing has left.
    CLAIMED = "claimed"
    #: The barrier is behind us: bytes may have left.
    SENDING = "sending"
    #: The provider took it. Not yet delivered: that only events can tell.
    ACCEPTED = "accepted"
    #: Nobody can say whether it was taken. Counted, shown, never sent again without proof.
    UNKNOWN = "unknown"
    #: The provider refused it for good.
    FAILED = "failed"
    #: Nobody of it may be mailed any more, or its halves replaced it.
    CANCELLED = "cancelled"
    #: Put aside with a reason until an operator looks.
    PARKED = "parked"


class DeliveryState(models.TextChoices):
    """A delivery's own state, where it differs from its batch's."""

    #: Taken, though the batch as a whole is not (SMTP windows).
    ACCEPTED = "accepted"
    #: In doubt, though the batch as a whole is not.
    UNKNOWN = "unknown"
    #: Refused for good (no such mailbox).
    FAILED = "failed"
    #: The person left, was erased, suppressed or paused before it was handed over.
    CANCELLED = "cancelled"


#: (from, to) of every legal change of `batch.state`.
BATCH_TRANSITIONS: frozenset[tuple[BatchState, BatchState]] = frozenset(
    {
        (BatchState.PLANNED, BatchState.CLAIMED),
        (BatchState.PLANNED, BatchState.CANCELLED),
        (BatchState.PLANNED, BatchState.PARKED),
        (BatchState.CLAIMED, BatchState.PLANNED),
        (BatchState.CLAIMED, BatchState.SENDING),
        (BatchState.CLAIMED, BatchState.PARKED),
        (BatchState.SENDING, BatchState.ACCEPTED),
        (BatchState.SENDING, BatchState.UNKNOWN),
        (BatchState.SENDING, BatchState.FAILED),
        (BatchState.SENDING, BatchState.PLANNED),
        (BatchState.SENDING, BatchState.CANCELLED),
        (BatchState.UNKNOWN, BatchState.ACCEPTED),
        # only where the attempt was waived by name, or an operator knows better
        (BatchState.UNKNOWN, BatchState.PLANNED),
        (BatchState.UNKNOWN, BatchState.FAILED),
        (BatchState.ACCEPTED, BatchState.PLANNED),
        (BatchState.PARKED, BatchState.PLANNED),
        (BatchState.PARKED, BatchState.CANCELLED),
    }
)

#: (from, to) of every legal change of `delivery.state`; None is "as its batch".
DELIVERY_TRANSITIONS: frozenset[tuple[DeliveryState | None, DeliveryState | None]] = frozenset(
    {
        (None, DeliveryState.ACCEPTED),
        (None, DeliveryState.UNKNOWN),
        (None, DeliveryState.FAILED),
        (None, DeliveryState.CANCELLED),
        (DeliveryState.UNKNOWN, DeliveryState.ACCEPTED),
        # an operator's word: it goes again with a new batch, or was surely not taken
        (DeliveryState.UNKNOWN, None),
        (DeliveryState.UNKNOWN, DeliveryState.FAILED),
        (DeliveryState.ACCEPTED, None),
    }
)


class OwnEvent(models.TextChoices):
    """Kinds of event that this service writes itself: they tell what was done here, and nothing of what became of a mail."""

    #: It was proved not to be taken, and moved to a new batch.
    DEFERRED = "deferred"
    #: It was in doubt or parked, and goes again: by an operator's word, or by a rule (`Event.rule`).
    RETRIED = "retried"
    #: An operator found out what became of it.
    RESOLVED = "resolved"
    #: A provider kept it and dropped it: it goes again.
    RELEASED = "released"


OUR_EVENTS = frozenset(OwnEvent)


class ResendRule(models.TextChoices):
    """A rule that sends a mail again without an operator."""

    #: An alert on an urgent topic stayed in doubt.
    URGENT = "urgent"


class AttemptOutcome(models.TextChoices):
    """What a hand-over came to."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    #: Nothing of it was taken: the batch is planned again.
    DEFERRED = "deferred"
    #: The request was too large: two halves replace it.
    SPLIT = "split"
    #: Nobody in it may be mailed any more.
    EMPTY = "nobody left to mail"


class NotBegun(models.TextChoices):
    """Why the provider was never asked, though the hand-over had begun: nothing that it can do anything about."""

    #: The wording of a mail is gone, or does not open.
    WORDING = "wording"
    #: The database did not answer.
    DATABASE = "database"
    #: The worker was held up for so long that its lease may be over.
    HELD_UP = "held up"


class ClosedFor(models.TextChoices):
    """Why the gate for all mail is closed."""

    OPERATOR = "operator"
    #: Too many complaints or bounces.
    REPUTATION = "reputation"
    #: The data looks restored or copied: only an operator who confirms it opens the gate.
    RESTORED = "restored"


class Lane(models.IntegerChoices):
    """Who goes first: a person waits before the page for a notice, nobody waits for a digest."""

    NOTICE = 0
    ALERT = 1
    DIGEST = 2


class Cadence(models.IntegerChoices):
    """How soon a subscriber wants to hear; a slower mail sweeps up what a faster one left."""

    IMMEDIATE = 1
    DAILY = 2
    WEEKLY = 3
