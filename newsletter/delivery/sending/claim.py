"""Claim the planned batch that is next: urgent lanes first, the occasions of a lane in turn. No byte leaves for a claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from newsletter.delivery.gates import circuit_breaker, provider_gate
from newsletter.delivery.ledger.split_batch import HAS_WAIVED_ATTEMPT
from newsletter.delivery.sending import workers
from newsletter.delivery.sending.lane_order import Queue, Turns
from newsletter.lib import db
from newsletter.models import BatchState, Lane

#: A claim that is not followed by the barrier within this time is given back.
CLAIM_LEASE = timedelta(seconds=60)


@dataclass(frozen=True)
class ClaimedBatch:
    """A batch that this worker holds."""

    batch_id: int
    token: UUID
    lane: Lane
    #: The provider left us in doubt: one mail of this batch shows whether it answers again.
    probe: bool = False
    #: Whether it was in doubt when this was claimed: else an answer has nothing to put right.
    doubted: bool = True
    #: Its mails may have left before, and go again by somebody's word.
    again: bool = False


# From each occasion to the next by the index: neither the number of batches nor of those that wait counts.
_WAITING = "SELECT min(b.occasion_id) FROM batch b WHERE b.state='planned' AND b.provider=%(provider)s AND b.lane="
_DUE = f"""
WITH RECURSIVE queue(lane, occasion_id) AS (
  SELECT one.lane, ({_WAITING}one.lane) FROM ({{lanes}}) one
  UNION ALL
  SELECT queue.lane, ({_WAITING}queue.lane AND b.occasion_id>queue.occasion_id) FROM queue WHERE queue.occasion_id IS NOT NULL
)
SELECT {{asked}} FROM queue CROSS JOIN (SELECT false AS paced UNION ALL SELECT true) half WHERE (
  SELECT min(b.not_before) FROM batch b WHERE b.state='planned' AND b.provider=%(provider)s AND b.lane=queue.lane
  AND b.occasion_id=queue.occasion_id AND b.paced=half.paced)<=%(now)s
"""
# Together with what else decides whether anything may be claimed: one question for each batch.
_LOOK = f"{_DUE} AND {provider_gate.MAY_SEND}"
_STANDING = f"lane, occasion_id, paced, {circuit_breaker.DOUBTED}, {circuit_breaker.OPEN}"
_CLAIM = f"""
UPDATE batch SET state='claimed', token=%(token)s, lease_until=%(lease)s, worker_id={workers.HOLDER}
WHERE state='planned' AND id=(
  SELECT id FROM batch WHERE state='planned' AND provider=%(provider)s AND lane=%(lane)s AND occasion_id=%(occasion)s
  AND paced=%(paced)s AND not_before<=%(now)s ORDER BY not_before, id LIMIT 1 {{skip_locked}})
RETURNING id, {HAS_WAIVED_ATTEMPT}"""
_TURNS = Turns()


def claim_batch(
    *, now: datetime, provider: int, lanes: Sequence[Lane] = tuple(Lane), worker: UUID | None = None
) -> ClaimedBatch | None:
    """Take the next planned batch: urgent lanes first, occasions of a lane in turn.

    `worker` is the process that claims. Without a heartbeat of it only the lease tells when it died.
    None: nothing is due in `lanes`, a gate is closed, the provider is left alone.
    """
    look = _LOOK.format(asked=_STANDING, lanes=_lanes(lanes))
    found = db.rows(look, {"now": now, "provider": provider}, prepared=True)
    if not found:
        return None
    due, (*_, doubted, probe) = _queues(found), found[0]
    if probe and not circuit_breaker.take_probe(provider, now=now):
        return None
    for queue in _TURNS.order(due):
        token = uuid4()
        taken = db.rows(
            _CLAIM.format(skip_locked=db.skip_locked()),
            {"token": token, "lease": now + CLAIM_LEASE, "provider": provider}
            | {"worker": worker, **workers.orphan_times(now)}
            | {"lane": queue.lane, "occasion": queue.occasion_id, "paced": queue.paced},
            prepared=True,
        )
        if taken:
            _TURNS.took(queue, due)
            number, again = taken[0]
            return ClaimedBatch(number, token, Lane(queue.lane), bool(probe), bool(doubted), bool(again))
    return None


def should_yield(held: ClaimedBatch, *, now: datetime, provider: int) -> bool:
    """Whether the rest of this batch should wait, because something more urgent came: asked between two windows."""
    return held.lane > Lane.ALERT and bool(due_queues((Lane.NOTICE, Lane.ALERT), now=now, provider=provider))


def can_claim(lanes: Sequence[Lane], *, now: datetime, provider: int) -> bool:
    """Whether a batch of these lanes may be claimed now: due, with the gates open, and of a provider that is not left alone."""
    look = _LOOK.format(asked=circuit_breaker.OPEN, lanes=_lanes(lanes))
    found = db.rows(look, {"now": now, "provider": provider}, prepared=True)
    return bool(found) and not found[0][0]


def due_queues(lanes: Sequence[Lane], *, now: datetime, provider: int) -> list[Queue]:
    """The queues of these lanes in which a batch could be claimed."""
    found = db.rows(
        _DUE.format(asked="lane, occasion_id, paced", lanes=_lanes(lanes)),
        {"now": now, "provider": provider},
        prepared=True,
    )
    return _queues(found)


def _queues(found: Sequence[tuple[Any, ...]]) -> list[Queue]:
    return [Queue(lane, occasion_id, bool(paced)) for lane, occasion_id, paced, *_ in found]


def _lanes(lanes: Sequence[Lane]) -> str:
    return " UNION ALL ".join(f"SELECT {int(lane)} AS lane" for lane in lanes)


def release_claim(held: ClaimedBatch) -> None:
    """Return a claimed batch: no byte has left. Ours only; a batch past the barrier is left alone."""
    db.execute(
        "UPDATE batch SET state='planned', token=NULL, lease_until=NULL "
        "WHERE id=%(batch)s AND token=%(token)s AND state='claimed'",
        {"batch": held.batch_id, "token": held.token},
    )


def park_batch(held: ClaimedBatch, why: str) -> None:
    """Put a claimed batch aside with a reason, for an operator. Ours only."""
    db.execute(
        f"UPDATE batch SET state='{BatchState.PARKED}', token=NULL, lease_until=NULL, reason=%(why)s "
        "WHERE id=%(batch)s AND token=%(token)s AND state='claimed'",
        {"why": why, "batch": held.batch_id, "token": held.token},
    )
