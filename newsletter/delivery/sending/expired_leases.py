"""Recover batches whose worker ended, died or held them too long: claims are released, started attempts are recorded."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from newsletter.delivery.sending import workers
from newsletter.delivery.sending.record_outcomes import close_batch, requeue
from newsletter.lib import db
from newsletter.lib.mail.window_record import MailProgress, Window
from newsletter.models import Attempt, AttemptOutcome, Batch, BatchState, Delivery, DeliveryState

_DIED = "the worker died during the hand-over"
# Rows that another process has locked are skipped.
_RELEASE = """
UPDATE batch SET state='planned', token=NULL, lease_until=NULL WHERE state='claimed' AND id IN (
  SELECT id FROM batch WHERE state='claimed' AND {condition} {skip_locked})"""
_LEASED = "SELECT id, token, state FROM batch WHERE state IN ('claimed','sending') AND {condition}"
# Asked again with the row locked: a worker that showed meanwhile that it lives keeps what it holds.
_LOCK = """
UPDATE batch SET token=NULL WHERE id=(
  SELECT id FROM batch WHERE id=%(batch)s AND token=%(token)s AND state='sending' AND {condition} {skip_locked})"""
_OF_WORKER = "batch.worker_id=%(worker)s"


@dataclass(frozen=True)
class RecoveredBatches:
    """How many claims were released, and how many batches had been started: a window or a request of those may be in doubt."""

    given_back: int = 0
    doubtful: int = 0

    def __add__(self, other: "RecoveredBatches") -> "RecoveredBatches":
        return RecoveredBatches(self.given_back + other.given_back, self.doubtful + other.doubtful)

    def __bool__(self) -> bool:
        return bool(self.given_back or self.doubtful)


def recover_expired(*, now: datetime) -> RecoveredBatches:
    """Recover every batch whose worker is dead, or held it too long. Repeatable; several processes may do it at once."""
    return _recover(workers.ORPHANED, workers.orphan_times(now), {}, now)


def recover_from(worker_id: UUID, windows: Mapping[UUID, Window], *, now: datetime) -> RecoveredBatches:
    """Recover the batches of a process that is surely dead. `windows` is its progress, by the token of each batch."""
    recovered = _recover(_OF_WORKER, {"worker": worker_id}, windows, now)
    workers.retire(worker_id)
    return recovered


def _recover(condition: str, values: dict[str, Any], windows: Mapping[UUID, Window], now: datetime) -> RecoveredBatches:
    leased = db.rows(_LEASED.format(condition=condition), values)
    if not leased:
        return RecoveredBatches()
    given_back = db.execute(_RELEASE.format(condition=condition, skip_locked=db.skip_locked()), values)
    started = [{"batch": number, "token": token} for number, token, state in leased if state == BatchState.SENDING]
    return RecoveredBatches(
        given_back, sum(_recover_started(condition, values | batch, windows, now) for batch in started)
    )


def _recover_started(condition: str, values: dict[str, Any], windows: Mapping[UUID, Window], now: datetime) -> bool:
    """Record the outcome of a batch whose worker died during an attempt. Returns False if another process was faster."""
    token = values["token"]
    with transaction.atomic():
        if not db.execute(_LOCK.format(condition=condition, skip_locked=db.skip_locked()), values):
            return False
        window = windows.get(token if isinstance(token, UUID) else UUID(token), {}) if token else {}
        _record(Batch.objects.get(id=values["batch"]), now, window)
        return True


def _record(batch: Batch, now: datetime, window: Window) -> None:
    """Plan again what lies beyond the last window, for nothing of it left; inside it only the window record knows what did."""
    undecided = Delivery.objects.filter(batch_id=batch.id, state=None)
    inside: Collection[int] = ()
    if batch.begun_upto is not None:
        ahead = undecided.filter(id__gt=batch.begun_upto).order_by("id").values_list("id", flat=True)
        inside = undecided.filter(id__gt=batch.done_upto or 0, id__lte=batch.begun_upto).values_list("id", flat=True)
        inside = list(inside)
        not_taken = [delivery_id for delivery_id in inside if window.get(delivery_id) is MailProgress.NOT_TAKEN]
        if again := [*not_taken, *ahead]:
            # it was their turn: they come before mail planned with them
            due = batch.not_before - timedelta(microseconds=1)
            requeue(batch, again, not_before=due, now=now, reason="never begun", tried=False)
    accepted = [delivery_id for delivery_id in inside if window.get(delivery_id) is MailProgress.ACCEPTED]
    known = batch.done_upto is not None or bool(accepted)
    if known:
        doubtful = undecided.filter(id__in=inside).exclude(id__in=accepted)
        doubtful.update(state=DeliveryState.UNKNOWN, reason=_DIED)
    if known or not undecided.exists():
        close_batch(batch, now=now, reason=_DIED)
        return
    Batch.objects.filter(id=batch.id).update(state=BatchState.UNKNOWN, reason=_DIED, lease_until=None)
    last = Attempt.objects.filter(batch_id=batch.id, n=batch.attempts)
    last.update(ended_at=now, outcome=AttemptOutcome.UNKNOWN, phase=_DIED)
