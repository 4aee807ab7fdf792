"""Leases that ran out: claimed batches go back, batches past the barrier become honest about what nobody can know."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from newsletter.delivery.settle import close_settled, move
from newsletter.models import Attempt, Batch, BatchState, Delivery, DeliveryState

_DIED = "the worker died during the hand-over"


@dataclass(frozen=True)
class Recovered:
    """How many batches were given back, and how many ended in doubt."""

    given_back: int = 0
    doubtful: int = 0


def recover(*, now: datetime) -> Recovered:
    """Look after every batch whose worker died. Repeatable; several workers may do it at once."""
    stale = Batch.objects.filter(lease_until__lt=now)
    given_back = stale.filter(state=BatchState.CLAIMED).update(state=BatchState.PLANNED, token=None, lease_until=None)
    doubtful = sum(
        _doubt(number, now) for number in stale.filter(state=BatchState.SENDING).values_list("id", flat=True)
    )
    return Recovered(given_back, doubtful)


def _doubt(batch_id: int, now: datetime) -> bool:
    """Settle a batch whose worker died past the barrier; False when another worker was faster."""
    with transaction.atomic():
        mine = Batch.objects.filter(id=batch_id, state=BatchState.SENDING, lease_until__lt=now)
        if not mine.update(token=None):
            return False
        _settle(Batch.objects.get(id=batch_id), now)
        return True


def _settle(batch: Batch, now: datetime) -> None:
    """Beyond the window's edge nothing left: those can go again. Inside it nobody knows. Before it all is written."""
    open_ones = Delivery.objects.filter(batch_id=batch.id, state=None)
    if batch.begun_upto is not None:
        untouched = list(open_ones.filter(id__gt=batch.begun_upto).order_by("id").values_list("id", flat=True))
        if untouched:
            move(batch, untouched, not_before=now, now=now, why="never begun", tried=False)
        if batch.done_upto is not None:
            open_ones.filter(id__gt=batch.done_upto).update(state=DeliveryState.UNKNOWN, reason=_DIED)
    if batch.done_upto is not None or not open_ones.exists():
        close_settled(batch, now=now, reason=_DIED)
        return
    Batch.objects.filter(id=batch.id).update(state=BatchState.UNKNOWN, reason=_DIED, lease_until=None)
    last = Attempt.objects.filter(batch_id=batch.id, n=batch.attempts)
    last.update(ended_at=now, outcome=BatchState.UNKNOWN, phase=_DIED)
