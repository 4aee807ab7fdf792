"""States and codes of batches, deliveries and gates, and the legal transitions, from which the triggers are generated."""

from django.db import models


class BatchState(models.TextChoices):
    """The state of a batch, and of each of its deliveries that has no state of its own."""

    #: Waiting, at least until `not_before`.
    PLANNED = "planned"
    #: A worker holds it by token and lease; nothing has left.
    CLAIMED = "claimed"
    #: The attempt has started: bytes may have left.
    SENDING = "sending"
    #: The provider took it. Whether it was delivered, only events tell.
    ACCEPTED = "accepted"
    #: It is unknown whether it was taken. Never sent again without proof.
    UNKNOWN = "unknown"
    #: The provider rejected it for good.
    FAILED = "failed"
    #: None of its people may be mailed any more, or two halves replaced it.
    CANCELLED = "cancelled"
    #: Set aside with a reason, until an operator decides.
    PARKED = "parked"


class DeliveryState(models.TextChoices):
    """A delivery's own state, where it differs from its batch's."""

    #: Taken, though the batch as a whole is not (SMTP windows).
    ACCEPTED = "accepted"
    #: Unknown, though the batch as a whole is not.
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
        # by an operator's decision: it is sent again in a new batch, or was surely not taken
        (DeliveryState.UNKNOWN, None),
        (DeliveryState.UNKNOWN, DeliveryState.FAILED),
        (DeliveryState.ACCEPTED, None),
        # on somebody's decision, where a provider refused it and not its recipient
        (DeliveryState.FAILED, None),
    }
)


class OwnEvent(models.TextChoices):
    """Kinds of event that this service writes itself: they record what was done here, not what became of a mail."""

    #: It was surely not taken, and moved to a new batch.
    DEFERRED = "deferred"
    #: It was unknown or parked, and is sent again: by an operator's decision or a rule (`Event.rule`).
    RETRIED = "retried"
    #: An operator found out what became of it.
    RESOLVED = "resolved"
    #: A provider dropped it after taking it: it is sent again.
    RELEASED = "released"


OUR_EVENTS = frozenset(OwnEvent)


class ResendRule(models.TextChoices):
    """A rule that sends a mail again without an operator."""

    #: An alert on an urgent topic stayed unknown.
    URGENT = "urgent"


class AttemptOutcome(models.TextChoices):
    """The outcome of an attempt."""

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
    """Why the provider was not asked although an attempt had started; it is not to blame."""

    #: The content of a mail is gone, or cannot be decrypted.
    WORDING = "wording"
    #: The database did not answer.
    DATABASE = "database"
    #: The worker was delayed for so long that its lease may be over.
    HELD_UP = "held up"


class ClosedFor(models.TextChoices):
    """Why the gate for all mail is closed."""

    OPERATOR = "operator"
    #: Too many complaints or bounces.
    REPUTATION = "reputation"
    #: The data looks restored or copied: only an operator who confirms it opens the gate.
    RESTORED = "restored"


class Lane(models.IntegerChoices):
    """Priority, the most urgent first: a person waits for a notice, nobody waits for a digest."""

    NOTICE = 0
    ALERT = 1
    DIGEST = 2


class Cadence(models.IntegerChoices):
    """How soon a subscriber wants mail. A slower mail also brings what a faster one left out."""

    IMMEDIATE = 1
    DAILY = 2
    WEEKLY = 3
