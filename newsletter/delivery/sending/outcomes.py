"""Write down what a provider answered: per window, then for the batch."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from newsletter.delivery.gates import circuit_breaker, provider_gate
from newsletter.delivery.ledger.split_batch import split_off
from newsletter.delivery.sending.backoff import exhausted, next_try
from newsletter.delivery.sending.claim import ClaimedBatch
from newsletter.lib import db
from newsletter.lib.db import Statement
from newsletter.lib.provider_interface import Accepted, Deferred, Outcome, Rejected, Unknown
from newsletter.models import (
    Attempt,
    AttemptOutcome,
    Batch,
    BatchState,
    Delivery,
    DeliveryState,
    Event,
    NotBegun,
    OwnEvent,
)

_ACCEPTED = """
UPDATE attempt SET ended_at=%(now)s, outcome='accepted', disproved=false, phase=%(why)s, provider_ref=%(ref)s
WHERE batch_id=%(batch)s AND n=(SELECT attempts FROM batch WHERE id=%(batch)s AND token=%(token)s AND state='sending')"""
_ENDED = """
UPDATE batch SET state='accepted', reason=NULL, token=NULL, lease_until=NULL
WHERE id=%(batch)s AND token=%(token)s AND state='sending' RETURNING id"""

_TAKEN = """
UPDATE batch SET done_upto=%(upto)s WHERE id=%(batch)s AND token=%(token)s AND state='sending' RETURNING id"""
_STANDING = f"SELECT {provider_gate.MAY_SEND}, {circuit_breaker.DOUBTED}"


class LeaseLost(Exception):
    """Another worker took over: what we learned can only be added by events."""


def record_window(held: ClaimedBatch, outcomes: Mapping[int, Outcome], *, now: datetime) -> None:
    """Write each outcome of a window: exceptions on their deliveries, the put-off ones into a new batch, then `done_upto`.

    Raises:
        LeaseLost: the batch is not ours any more.
    """
    batch = _ours(held)
    if batch.done_upto is not None and batch.done_upto >= max(outcomes):
        return  # written before, only its commit was not heard of
    for kind, state in ((Rejected, DeliveryState.FAILED), (Unknown, DeliveryState.UNKNOWN)):
        for delivery_id, outcome in outcomes.items():
            if isinstance(outcome, kind):
                status = outcome.recipient_status if isinstance(outcome, Rejected) else None
                mine = Delivery.objects.filter(id=delivery_id, state=None)
                mine.update(state=state, reason=outcome.reason, recipient_status=status)
    defer_batch = [number for number, outcome in outcomes.items() if isinstance(outcome, Deferred)]
    if defer_batch:
        first = outcomes[defer_batch[0]]
        assert isinstance(first, Deferred)  # noqa: S101 - narrows the type: chosen by it a line above
        due = next_try(batch.attempts, now, first.retry_after)
        requeue(batch, defer_batch, not_before=due, now=now, why=first.reason, paced=False)
    Batch.objects.filter(id=batch.id).update(done_upto=max(outcomes))


def accept_window(
    held: ClaimedBatch, upto: int, *, provider: int, ahead: Statement
) -> tuple[bool, bool, list[tuple[Any, ...]]]:
    """As `settle_window` where all was accepted, up to the delivery `upto`; and what decides on the next, in one journey.

    Returns whether anything may be sent, whether the provider was in doubt, and the rows of `ahead`.

    Raises:
        LeaseLost: the batch is not ours any more.
    """
    ours = {"batch": held.batch_id, "token": held.token, "upto": upto}
    mine, [(may_send, doubted)], found = db.execute_pipeline((_TAKEN, ours), (_STANDING, {"provider": provider}), ahead)
    if not mine:
        raise LeaseLost(f"batch {held.batch_id}")
    return bool(may_send), bool(doubted), found


def requeue(
    batch: Batch,
    delivery_ids: Sequence[int],
    *,
    not_before: datetime,
    now: datetime,
    why: str,
    tried: bool = True,
    **values: Any,
) -> int:
    """Move deliveries that were proved not to be taken into a new planned batch; an event per delivery names the old one.

    `tried`: the hand-over that was begun last counts for them too; what was only left over is not parked for it one day.
    `values` as for `part`.
    """
    attempts = batch.attempts if tried else max(batch.attempts - 1, 0)
    fresh_id = split_off(
        batch,
        delivery_ids,
        state=BatchState.PARKED if exhausted(attempts) else BatchState.PLANNED,
        reason=f"gave up: {why}" if exhausted(attempts) else None,
        not_before=not_before,
        attempts=attempts,
        **values,
    )
    Event.objects.bulk_create(
        Event(
            fingerprint=hashlib.sha256(f"deferred {number} {batch.id}".encode()).digest(),
            delivery_id=number,
            batch_id=batch.id,
            kind=OwnEvent.DEFERRED,
            at=now,
            received_at=now,
            detail=why,
        )
        for number in delivery_ids
    )
    return fresh_id


def keep_probe_mail(held: ClaimedBatch, *, now: datetime) -> None:
    """Leave one mail in a claimed batch and plan the others anew: a provider that left us in doubt is tried with one.

    Nothing changes when the claim is no longer ours.
    """
    with transaction.atomic():
        mine = Batch.objects.filter(id=held.batch_id, token=held.token, state=BatchState.CLAIMED)
        if mine.update(token=held.token):
            why = "not begun: one goes first, the provider is being tried"
            _leave(Batch.objects.get(id=held.batch_id), 1, now, why)


def requeue_rest(held: ClaimedBatch, *, after: int, now: datetime, why: str) -> None:
    """Plan the windows anew that were not opened.

    Raises:
        LeaseLost: the batch is not ours any more.
    """
    _leave(_ours(held), 0, now, f"not begun: {why}", after=after, tried=False)


def _leave(batch: Batch, keep: int, now: datetime, why: str, *, after: int = 0, tried: bool = True) -> None:
    rest = Delivery.objects.filter(batch_id=batch.id, state=None, id__gt=after).order_by("id")
    numbers = list(rest.values_list("id", flat=True)[keep:])
    if numbers:
        requeue(batch, numbers, not_before=now, now=now, why=why, tried=tried)


def finish_windows(held: ClaimedBatch, *, now: datetime, taken: bool = False) -> None:
    """Close a batch whose windows are all settled; `taken`: it is known that some of it was accepted.

    Raises:
        LeaseLost: the batch is not ours any more.
    """
    if taken:
        _end(held, now)
    else:
        close_batch(_ours(held), now=now)


def close_batch(batch: Batch, *, now: datetime, reason: str | None = None) -> None:
    """Close a batch of which every outcome is written: its state is that of those that have none of their own, if any."""
    states = dict(
        db.rows("SELECT coalesce(state,'taken'), count(*) FROM delivery WHERE batch_id=%s GROUP BY 1", [batch.id])
    )
    if "taken" in states:
        _close(batch, BatchState.ACCEPTED, AttemptOutcome.ACCEPTED, now, reason=reason)
        return
    for state, outcome in (
        (BatchState.UNKNOWN, AttemptOutcome.UNKNOWN),
        (BatchState.FAILED, AttemptOutcome.FAILED),
    ):
        if state in states:
            _close(batch, state, outcome, now, reason=reason)
            return
    _close(batch, BatchState.CANCELLED, AttemptOutcome.EMPTY, now, reason=reason, disproved=True)


def record_outcome(held: ClaimedBatch, outcome: Outcome, *, now: datetime) -> None:
    """Write the one outcome of a batch that is one request: an acceptance as a transaction of its own, where there is none.

    Raises:
        LeaseLost: the batch is not ours any more.
    """
    if isinstance(outcome, Accepted):
        _accept(held, outcome, now)
        return
    batch = _ours(held)
    match outcome:
        case Unknown(reason):
            _close(batch, BatchState.UNKNOWN, AttemptOutcome.UNKNOWN, now, reason=reason)
        case Rejected(reason, split=True):
            _close(batch, BatchState.CANCELLED, AttemptOutcome.SPLIT, now, reason=reason, disproved=True)
            _split(batch, now, reason)
        case Rejected(reason):
            _close(batch, BatchState.FAILED, AttemptOutcome.FAILED, now, reason=reason)
        case Deferred():
            defer_batch(held, outcome, now=now)


def _accept(held: ClaimedBatch, outcome: Accepted, now: datetime) -> None:
    """What nearly every batch comes to, asked in one journey: the rest of the road waits for it."""
    apart = transaction.atomic() if transaction.get_connection().in_atomic_block else nullcontext()
    try:
        with apart:
            _end(held, now, ref=outcome.ref)
    except IntegrityError:  # a provider that repeats its own word must not undo what it accepted
        _end(held, now, why="its reference was seen before")


def _end(held: ClaimedBatch, now: datetime, *, ref: str | None = None, why: str | None = None) -> None:
    said = {"now": now, "batch": held.batch_id, "token": held.token, "ref": ref, "why": why}
    _, ended = db.execute_pipeline((_ACCEPTED, said), (_ENDED, said))
    if not ended:
        raise LeaseLost(f"batch {held.batch_id}")


def defer_batch(held: ClaimedBatch, outcome: Deferred, *, now: datetime) -> None:
    """Plan the whole batch again: it is proved that nothing of it was taken."""
    batch = _ours(held)
    planned, why = BatchState.PLANNED, NotBegun(outcome.not_begun) if outcome.not_begun else None
    _close(batch, planned, AttemptOutcome.DEFERRED, now, reason=outcome.reason, disproved=True, not_begun=why)
    mine, due = Batch.objects.filter(id=batch.id), next_try(batch.attempts, now, outcome.retry_after)
    mine.update(not_before=due, paced=False, begun_upto=None, done_upto=None)
    if exhausted(batch.attempts):
        mine.update(state=BatchState.PARKED, reason=f"gave up: {outcome.reason}")


def _ours(held: ClaimedBatch) -> Batch:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("outcomes are settled in one transaction")
    if not Batch.objects.filter(id=held.batch_id, token=held.token, state=BatchState.SENDING).update(token=held.token):
        raise LeaseLost(f"batch {held.batch_id}")
    return Batch.objects.get(id=held.batch_id)


def _close(
    batch: Batch,
    state: BatchState,
    outcome: AttemptOutcome,
    now: datetime,
    *,
    reason: str | None = None,
    disproved: bool = False,
    not_begun: NotBegun | None = None,
) -> None:
    Batch.objects.filter(id=batch.id).update(state=state, reason=reason, token=None, lease_until=None)
    attempt = Attempt.objects.filter(batch_id=batch.id, n=batch.attempts)
    attempt.update(ended_at=now, outcome=outcome, disproved=disproved, phase=reason, not_begun=not_begun)


def _split(batch: Batch, now: datetime, why: str) -> None:
    numbers = list(Delivery.objects.filter(batch_id=batch.id, state=None).order_by("id").values_list("id", flat=True))
    middle = (len(numbers) + 1) // 2
    for half in (numbers[:middle], numbers[middle:]):
        if half:
            requeue(batch, half, not_before=now, now=now, why=why)
