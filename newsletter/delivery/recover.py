"""Batches whose worker ended, died or held them too long: what was only claimed goes back, what had begun is settled honestly."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from newsletter import db
from newsletter.delivery import workers
from newsletter.delivery.settle import close_settled, move
from newsletter.models import Attempt, Batch, BatchState, Delivery, DeliveryState
from newsletter.window_record import Progress, Window

_DIED = "the worker died during the hand-over"
_TAKE_FROM = "UPDATE batch SET token=NULL WHERE id=%(batch)s AND token=%(token)s AND state='sending'"
_GIVE_BACK = f"""
UPDATE batch SET state='planned', token=NULL, lease_until=NULL WHERE state='claimed' AND {workers.ORPHANED}"""
_ORPHANS = f"SELECT id, token FROM batch WHERE state='sending' AND {workers.ORPHANED}"
# Asked again with the change itself: who showed meanwhile that it lives keeps what it holds.
_TAKE = f"{_TAKE_FROM} AND {workers.ORPHANED}"


@dataclass(frozen=True)
class Recovered:
    """How many batches were given back, and how many had begun: of those a window or a request may be in doubt."""

    given_back: int = 0
    doubtful: int = 0

    def __add__(self, other: "Recovered") -> "Recovered":
        return Recovered(self.given_back + other.given_back, self.doubtful + other.doubtful)

    def __bool__(self) -> bool:
        return bool(self.given_back or self.doubtful)


def recover(*, now: datetime) -> Recovered:
    """Look after every batch whose worker is dead, or held it too long. Repeatable; several processes may do it at once."""
    since = workers.orphaned_since(now)
    given_back = db.execute(_GIVE_BACK, since)
    orphans = db.rows(_ORPHANS, since)
    taken = sum(
        _settle_orphan(number, _TAKE, since | {"batch": number, "token": token}, now) for number, token in orphans
    )
    return Recovered(given_back, taken)


def take_back(worker_id: UUID, windows: Mapping[UUID, Window], *, now: datetime) -> Recovered:
    """Look after the batches of a process that is surely dead. `windows` is how far it got, by the token of each batch."""
    held = Batch.objects.filter(worker_id=worker_id)
    given_back = held.filter(state=BatchState.CLAIMED).update(state=BatchState.PLANNED, token=None, lease_until=None)
    sending = held.filter(state=BatchState.SENDING, token__isnull=False).values_list("id", "token")
    taken = sum(
        _settle_orphan(
            number, _TAKE_FROM, {"batch": number, "token": token}, now, windows.get(token) if token else None
        )
        for number, token in sending
    )
    workers.retire(worker_id)
    return Recovered(given_back, taken)


def _settle_orphan(number: int, take: str, about: dict[str, Any], now: datetime, window: Window | None = None) -> bool:
    """Settle a batch whose worker died past the barrier; False when another process was faster."""
    with transaction.atomic():
        if not db.execute(take, about):
            return False
        _settle(Batch.objects.get(id=number), now, window or {})
        return True


def _settle(batch: Batch, now: datetime, window: Window) -> None:
    """Beyond the window's edge nothing left: those go again. Before it all is written. Inside it only the record knows."""
    open_ones = Delivery.objects.filter(batch_id=batch.id, state=None)
    inside: Collection[int] = ()
    if batch.begun_upto is not None:
        ahead = open_ones.filter(id__gt=batch.begun_upto).order_by("id").values_list("id", flat=True)
        inside = open_ones.filter(id__gt=batch.done_upto or 0, id__lte=batch.begun_upto).values_list("id", flat=True)
        inside = list(inside)
        not_taken = [number for number in inside if window.get(number) is Progress.NOT_TAKEN]
        if again := [*not_taken, *ahead]:
            # it was their turn: they go before what was planned with them
            due = batch.not_before - timedelta(microseconds=1)
            move(batch, again, not_before=due, now=now, why="never begun", tried=False)
    accepted = [number for number in inside if window.get(number) is Progress.ACCEPTED]
    known = batch.done_upto is not None or bool(accepted)
    if known:
        doubtful = open_ones.filter(id__in=inside).exclude(id__in=accepted)
        doubtful.update(state=DeliveryState.UNKNOWN, reason=_DIED)
    if known or not open_ones.exists():
        close_settled(batch, now=now, reason=_DIED)
        return
    Batch.objects.filter(id=batch.id).update(state=BatchState.UNKNOWN, reason=_DIED, lease_until=None)
    last = Attempt.objects.filter(batch_id=batch.id, n=batch.attempts)
    last.update(ended_at=now, outcome=BatchState.UNKNOWN, phase=_DIED)
