"""Record what a provider answered: per window, then for the batch."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from newsletter.delivery.gates import circuit_breaker, provider_gate
from newsletter.delivery.ledger.own_events import store_own_events
from newsletter.delivery.ledger.split_batch import split_off
from newsletter.delivery.sending.backoff import exhausted, next_try
from newsletter.delivery.sending.claim import ClaimedBatch
from newsletter.lib import db
from newsletter.lib.db import Statement
from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Rejected, Unknown
from newsletter.models import (
    Attempt,
    AttemptOutcome,
    Batch,
    BatchState,
    Delivery,
    DeliveryState,
    NotBegun,
    OwnEvent,
)

_ACCEPTED = """
UPDATE attempt SET ended_at=%(now)s, outcome='accepted', disproved=false, phase=%(note)s, provider_ref=%(ref)s
WHERE batch_id=%(batch)s AND n=(SELECT attempts FROM batch WHERE id=%(batch)s AND token=%(token)s AND state='sending')"""
_ENDED = """
UPDATE batch SET state='accepted', reason=NULL, token=NULL, lease_until=NULL
WHERE id=%(batch)s AND token=%(token)s AND state='sending' RETURNING id"""

_TAKEN = """
UPDATE batch SET done_upto=%(upto)s WHERE id=%(batch)s AND token=%(token)s AND state='sending' RETURNING id"""
_PROVIDER_STATE = f"SELECT {provider_gate.MAY_SEND}, {circuit_breaker.DOUBTED}"


class LeaseLost(Exception):
    """Another worker took the batch over: what we learned can only be added by events."""


def record_window(claimed: ClaimedBatch, outcomes: Mapping[int, Outcome], *, now: datetime) -> None:
    """Record each outcome of a window: exceptions on their deliveries, deferred ones into a new batch, then `done_upto`.

    Raises:
        LeaseLost: the batch is not ours any more.
    """
    batch = _ours(claimed)
    if batch.done_upto is not None and batch.done_upto >= max(outcomes):
        return  # recorded before, only the answer to its commit was lost
    for kind, state in ((Rejected, DeliveryState.FAILED), (Unknown, DeliveryState.UNKNOWN)):
        for delivery_id, outcome in outcomes.items():
            if isinstance(outcome, kind):
                status = outcome.recipient_status if isinstance(outcome, Rejected) else None
                delivery = Delivery.objects.filter(id=delivery_id, state=None)
                delivery.update(state=state, reason=outcome.reason, recipient_status=status)
    deferred = [delivery_id for delivery_id, outcome in outcomes.items() if isinstance(outcome, Deferred)]
    if deferred:
        first = outcomes[deferred[0]]
        assert isinstance(first, Deferred)  # noqa: S101 - narrows the type: chosen by it a line above
        due = next_try(batch.attempts, now, first.retry_after)
        requeue(batch, deferred, not_before=due, now=now, reason=first.reason, paced=False)
    Batch.objects.filter(id=batch.id).update(done_upto=max(outcomes))


def accept_window(
    claimed: ClaimedBatch, upto: int, *, provider: int, next_window: Statement
) -> tuple[bool, bool, list[tuple[Any, ...]]]:
    """As `settle_window` where all was accepted, up to the delivery `upto`; and what decides on the next, in one round trip.

    Returns whether anything may be sent, whether the provider's last answers were doubtful, and the rows of `next_window`.

    Raises:
        LeaseLost: the batch is not ours any more.
    """
    values = {"batch": claimed.batch_id, "token": claimed.token, "upto": upto}
    ours, [(may_send, doubtful)], rows = db.execute_pipeline(
        (_TAKEN, values), (_PROVIDER_STATE, {"provider": provider}), next_window
    )
    if not ours:
        raise LeaseLost(f"batch {claimed.batch_id}")
    return bool(may_send), bool(doubtful), rows


def requeue(
    batch: Batch,
    delivery_ids: Sequence[int],
    *,
    not_before: datetime,
    now: datetime,
    reason: str,
    tried: bool = True,
    **values: Any,
) -> int:
    """Move deliveries that were proved not to be accepted into a new planned batch; an event of each names the old one.

    `tried`: the last attempt counts for them too. Mail that was only left over must not be parked for it one day.
    `values` as for `split_off`.
    """
    attempts = batch.attempts if tried else max(batch.attempts - 1, 0)
    new_id = split_off(
        batch,
        delivery_ids,
        state=BatchState.PARKED if exhausted(attempts) else BatchState.PLANNED,
        reason=f"gave up: {reason}" if exhausted(attempts) else None,
        not_before=not_before,
        attempts=attempts,
        **values,
    )
    store_own_events(OwnEvent.DEFERRED, delivery_ids, batch_id=batch.id, detail=reason, now=now, once=True)
    return new_id


def keep_probe_mail(claimed: ClaimedBatch, *, now: datetime) -> None:
    """Keep one mail in a claimed batch and plan the others again: a doubtful provider is tried with one.

    Nothing changes when the claim is no longer ours.
    """
    with transaction.atomic():
        ours = Batch.objects.filter(id=claimed.batch_id, token=claimed.token, state=BatchState.CLAIMED)
        if ours.update(token=claimed.token):
            reason = "not begun: one goes first, the provider is being tried"
            _requeue_after(Batch.objects.get(id=claimed.batch_id), 1, now, reason)


def requeue_rest(claimed: ClaimedBatch, *, after: int, now: datetime, reason: str) -> None:
    """Plan the windows that were not opened again.

    Raises:
        LeaseLost: the batch is not ours any more.
    """
    _requeue_after(_ours(claimed), 0, now, f"not begun: {reason}", after=after, tried=False)


def _requeue_after(batch: Batch, keep: int, now: datetime, reason: str, *, after: int = 0, tried: bool = True) -> None:
    rest = Delivery.objects.filter(batch_id=batch.id, state=None, id__gt=after).order_by("id")
    delivery_ids = list(rest.values_list("id", flat=True)[keep:])
    if delivery_ids:
        requeue(batch, delivery_ids, not_before=now, now=now, reason=reason, tried=tried)


def finish_windows(claimed: ClaimedBatch, *, now: datetime, accepted: bool = False) -> None:
    """Close a batch whose windows are all recorded; `accepted`: it is known that some of it was accepted.

    Raises:
        LeaseLost: the batch is not ours any more.
    """
    if accepted:
        _end(claimed, now)
    else:
        close_batch(_ours(claimed), now=now)


def close_batch(batch: Batch, *, now: datetime, reason: str | None = None) -> None:
    """Close a batch of which every outcome is recorded: its state is that of its deliveries without one of their own, if any."""
    states = dict(
        db.rows(
            "SELECT coalesce(state,'accepted by batch'), count(*) FROM delivery WHERE batch_id=%s GROUP BY 1",
            [batch.id],
        )
    )
    if "accepted by batch" in states:
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


def record_outcome(claimed: ClaimedBatch, outcome: Outcome, *, now: datetime) -> None:
    """Record the one outcome of a batch that is one request; an acceptance in a transaction of its own if none is open.

    Raises:
        LeaseLost: the batch is not ours any more.
    """
    if isinstance(outcome, Accepted):
        _accept(claimed, outcome, now)
        return
    batch = _ours(claimed)
    match outcome:
        case Unknown(reason):
            _close(batch, BatchState.UNKNOWN, AttemptOutcome.UNKNOWN, now, reason=reason)
        case Rejected(reason, split=True):
            _close(batch, BatchState.CANCELLED, AttemptOutcome.SPLIT, now, reason=reason, disproved=True)
            _halve(batch, now, reason)
        case Rejected(reason):
            _close(batch, BatchState.FAILED, AttemptOutcome.FAILED, now, reason=reason)
        case Deferred():
            defer_batch(claimed, outcome, now=now)


def _accept(claimed: ClaimedBatch, outcome: Accepted, now: datetime) -> None:
    """The usual outcome, in one round trip, since the sender waits for it."""
    savepoint = transaction.atomic() if transaction.get_connection().in_atomic_block else nullcontext()
    try:
        with savepoint:
            _end(claimed, now, ref=outcome.ref)
    except IntegrityError:  # a provider that repeats a reference must not undo what it accepted
        _end(claimed, now, note="its reference was seen before")


def _end(claimed: ClaimedBatch, now: datetime, *, ref: str | None = None, note: str | None = None) -> None:
    values = {"now": now, "batch": claimed.batch_id, "token": claimed.token, "ref": ref, "note": note}
    _, ended = db.execute_pipeline((_ACCEPTED, values), (_ENDED, values))
    if not ended:
        raise LeaseLost(f"batch {claimed.batch_id}")


def defer_batch(claimed: ClaimedBatch, outcome: Deferred, *, now: datetime) -> None:
    """Plan the whole batch again: it is proved that nothing of it was accepted."""
    batch = _ours(claimed)
    not_begun = NotBegun(outcome.not_begun) if outcome.not_begun else None
    _close(
        batch,
        BatchState.PLANNED,
        AttemptOutcome.DEFERRED,
        now,
        reason=outcome.reason,
        disproved=True,
        not_begun=not_begun,
    )
    row, due = Batch.objects.filter(id=batch.id), next_try(batch.attempts, now, outcome.retry_after)
    row.update(not_before=due, paced=False, begun_upto=None, done_upto=None)
    if exhausted(batch.attempts):
        row.update(state=BatchState.PARKED, reason=f"gave up: {outcome.reason}")


def _ours(claimed: ClaimedBatch) -> Batch:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("outcomes are recorded in one transaction")
    if not Batch.objects.filter(id=claimed.batch_id, token=claimed.token, state=BatchState.SENDING).update(
        token=claimed.token
    ):
        raise LeaseLost(f"batch {claimed.batch_id}")
    return Batch.objects.get(id=claimed.batch_id)


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


def _halve(batch: Batch, now: datetime, reason: str) -> None:
    rest = Delivery.objects.filter(batch_id=batch.id, state=None).order_by("id")
    delivery_ids = list(rest.values_list("id", flat=True))
    middle = (len(delivery_ids) + 1) // 2
    for half in (delivery_ids[:middle], delivery_ids[middle:]):
        if half:
            requeue(batch, half, not_before=now, now=now, reason=reason)
