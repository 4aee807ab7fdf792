"""Batches whose worker ended, died or held them too long: what was only claimed goes back, what had begun is settled honestly."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from newsletter.delivery.sending import workers
from newsletter.delivery.sending.outcomes import close_batch, requeue
from newsletter.lib import db
from newsletter.lib.window_record import MailProgress, Window
from newsletter.models import Attempt, AttemptOutcome, Batch, BatchState, Delivery, DeliveryState

_DIED = "the worker died during the hand-over"
# What another one looks after, or a process that was stopped in the middle of a transaction, holds up nobody.
_GIVE_BACK = """
UPDATE batch SET state='planned', token=NULL, lease_until=NULL WHERE state='claimed' AND id IN (
  SELECT id FROM batch WHERE state='claimed' AND {which} {skip_locked})"""
_HELD = "SELECT id, token, state FROM batch WHERE state IN ('claimed','sending') AND {which}"
# Asked again with the row held: who showed meanwhile that it lives keeps what it holds.
_TAKE = """
UPDATE batch SET token=NULL WHERE id=(
  SELECT id FROM batch WHERE id=%(batch)s AND token=%(token)s AND state='sending' AND {which} {skip_locked})"""
_OF_WORKER = "batch.worker_id=%(worker)s"


@dataclass(frozen=True)
class Recovered:
    """How many batches were given back, and how many had begun: of those a window or a request may be in doubt."""

    given_back: int = 0
    doubtful: int = 0

    def __add__(self, other: "Recovered") -> "Recovered":
        return Recovered(self.given_back + other.given_back, self.doubtful + other.doubtful)

    def __bool__(self) -> bool:
        return bool(self.given_back or self.doubtful)


def recover_expired(*, now: datetime) -> Recovered:
    """Look after every batch whose worker is dead, or held it too long. Repeatable; several processes may do it at once."""
    return _recover(workers.ORPHANED, workers.orphan_times(now), {}, now)


def recover_from(worker_id: UUID, windows: Mapping[UUID, Window], *, now: datetime) -> Recovered:
    """Look after the batches of a process that is surely dead. `windows` is how far it got, by the token of each batch."""
    done = _recover(_OF_WORKER, {"worker": worker_id}, windows, now)
    workers.retire(worker_id)
    return done


def _recover(which: str, about: dict[str, Any], windows: Mapping[UUID, Window], now: datetime) -> Recovered:
    held = db.rows(_HELD.format(which=which), about)
    if not held:
        return Recovered()
    given_back = db.execute(_GIVE_BACK.format(which=which, skip_locked=db.skip_locked()), about)
    begun = [{"batch": number, "token": token} for number, token, state in held if state == BatchState.SENDING]
    return Recovered(given_back, sum(_take(which, about | one, windows, now) for one in begun))


def _take(which: str, about: dict[str, Any], windows: Mapping[UUID, Window], now: datetime) -> bool:
    """Settle a batch whose worker died past the barrier; False when another process was faster."""
    token = about["token"]
    with transaction.atomic():
        if not db.execute(_TAKE.format(which=which, skip_locked=db.skip_locked()), about):
            return False
        window = windows.get(token if isinstance(token, UUID) else UUID(token), {}) if token else {}
        _settle(Batch.objects.get(id=about["batch"]), now, window)
        return True


def _settle(batch: Batch, now: datetime, window: Window) -> None:
    """Beyond the window's edge nothing left: those go again. Before it all is written. Inside it only the record knows."""
    open_ones = Delivery.objects.filter(batch_id=batch.id, state=None)
    inside: Collection[int] = ()
    if batch.begun_upto is not None:
        ahead = open_ones.filter(id__gt=batch.begun_upto).order_by("id").values_list("id", flat=True)
        inside = open_ones.filter(id__gt=batch.done_upto or 0, id__lte=batch.begun_upto).values_list("id", flat=True)
        inside = list(inside)
        not_taken = [number for number in inside if window.get(number) is MailProgress.NOT_TAKEN]
        if again := [*not_taken, *ahead]:
            # it was their turn: they go before what was planned with them
            due = batch.not_before - timedelta(microseconds=1)
            requeue(batch, again, not_before=due, now=now, reason="never begun", tried=False)
    accepted = [number for number in inside if window.get(number) is MailProgress.ACCEPTED]
    known = batch.done_upto is not None or bool(accepted)
    if known:
        doubtful = open_ones.filter(id__in=inside).exclude(id__in=accepted)
        doubtful.update(state=DeliveryState.UNKNOWN, reason=_DIED)
    if known or not open_ones.exists():
        close_batch(batch, now=now, reason=_DIED)
        return
    Batch.objects.filter(id=batch.id).update(state=BatchState.UNKNOWN, reason=_DIED, lease_until=None)
    last = Attempt.objects.filter(batch_id=batch.id, n=batch.attempts)
    last.update(ended_at=now, outcome=AttemptOutcome.UNKNOWN, phase=_DIED)
