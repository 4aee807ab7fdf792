"""Claim the planned batch that is next: urgent lanes first, the occasions of a lane in turn. No byte leaves for a claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from newsletter.delivery.gates import circuit_breaker, provider_gate
from newsletter.delivery.ledger.holds import MAY_BE_HELD, keep_back
from newsletter.delivery.ledger.split_batch import HAS_WAIVED_ATTEMPT
from newsletter.delivery.sending import workers
from newsletter.delivery.sending.lane_order import LaneOrder, Queue
from newsletter.lib import db
from newsletter.models import BatchState, Lane

#: A claim without an attempt within this time is released.
CLAIM_LEASE = timedelta(seconds=60)


@dataclass(frozen=True)
class ClaimedBatch:
    """A batch that this worker holds."""

    batch_id: int
    token: UUID
    lane: Lane
    #: The circuit breaker is open: one mail of this batch shows whether the provider answers again.
    probe: bool = False
    #: The provider's last answers were doubtful when this was claimed; else an acceptance resets nothing.
    provider_doubtful: bool = True
    #: Its mails may have left before, and are sent again on somebody's decision.
    resend: bool = False
    #: Somebody keeps mail back, perhaps some of this.
    held: bool = False


# From each occasion to the next by the index: neither the number of batches nor of those that wait counts.
_WAITING = "SELECT min(b.occasion_id) FROM batch b WHERE b.state='planned' AND b.provider=%(provider)s AND b.lane="
_DUE = f"""
WITH RECURSIVE queue(lane, occasion_id) AS (
  SELECT due.lane, ({_WAITING}due.lane) FROM ({{lanes}}) due
  UNION ALL
  SELECT queue.lane, ({_WAITING}queue.lane AND b.occasion_id>queue.occasion_id) FROM queue WHERE queue.occasion_id IS NOT NULL
)
SELECT {{columns}} FROM queue CROSS JOIN (SELECT false AS paced UNION ALL SELECT true) half WHERE (
  SELECT min(b.not_before) FROM batch b WHERE b.state='planned' AND b.provider=%(provider)s AND b.lane=queue.lane
  AND b.occasion_id=queue.occasion_id AND b.paced=half.paced)<=%(now)s
"""
# Together with what else decides whether anything may be claimed: one question for each batch.
_CLAIMABLE = f"{_DUE} AND {provider_gate.MAY_SEND}"
_CLAIM_COLUMNS = f"lane, occasion_id, paced, {circuit_breaker.DOUBTED}, {circuit_breaker.OPEN}"
_CLAIM = f"""
UPDATE batch SET state='claimed', token=%(token)s, lease_until=%(lease)s, worker_id={workers.HOLDER}
WHERE state='planned' AND id=(
  SELECT id FROM batch WHERE state='planned' AND provider=%(provider)s AND lane=%(lane)s AND occasion_id=%(occasion)s
  AND paced=%(paced)s AND not_before<=%(now)s ORDER BY not_before, id LIMIT 1 {{skip_locked}})
RETURNING id, {HAS_WAIVED_ATTEMPT}, {MAY_BE_HELD}"""


def claim_batch(
    *,
    now: datetime,
    provider: int,
    lanes: Sequence[Lane] = tuple(Lane),
    worker: UUID | None = None,
    lane_order: LaneOrder | None = None,
) -> ClaimedBatch | None:
    """Claim the next planned batch: urgent lanes first, the occasions of a lane in turn, as `lane_order` remembers it.

    `worker` is the process that claims; of one without a heartbeat only the lease shows that it died.
    Mail that somebody keeps back is parked on the way. Returns None if nothing is due in `lanes`, a gate is closed, or the
    circuit breaker is open and no probe is due.
    """
    while batch := _claim_next(now, provider, lanes, worker, lane_order):
        if not batch.held or keep_back(batch.batch_id, batch.token, now=now):
            return batch
    return None


def _claim_next(
    now: datetime, provider: int, lanes: Sequence[Lane], worker: UUID | None, lane_order: LaneOrder | None
) -> ClaimedBatch | None:
    query = _CLAIMABLE.format(columns=_CLAIM_COLUMNS, lanes=_lanes_table(lanes))
    rows = db.rows(query, {"now": now, "provider": provider}, prepared=True)
    if not rows:
        return None
    due, (*_, doubtful, breaker_open) = _queues(rows), rows[0]
    if breaker_open and not circuit_breaker.take_probe(provider, now=now):
        return None
    lane_order = lane_order or LaneOrder()
    for queue in lane_order.order(due):
        token = uuid4()
        claimed = db.rows(
            _CLAIM.format(skip_locked=db.skip_locked()),
            {"token": token, "lease": now + CLAIM_LEASE, "provider": provider}
            | {"worker": worker, **workers.orphan_times(now)}
            | {"lane": queue.lane, "occasion": queue.occasion_id, "paced": queue.paced},
            prepared=True,
        )
        if claimed:
            lane_order.record_claim(queue, due)
            batch_id, *rest = claimed[0]
            resend, held = map(bool, rest)
            return ClaimedBatch(batch_id, token, Lane(queue.lane), bool(breaker_open), bool(doubtful), resend, held)
    return None


def should_yield(batch: ClaimedBatch, *, now: datetime, provider: int) -> bool:
    """Whether the rest of this batch should wait for more urgent mail: asked between two windows."""
    return batch.lane > Lane.ALERT and bool(due_queues((Lane.NOTICE, Lane.ALERT), now=now, provider=provider))


def can_claim(lanes: Sequence[Lane], *, now: datetime, provider: int) -> bool:
    """Whether a batch of these lanes could be claimed now: due, with the gates open and the circuit breaker closed."""
    query = _CLAIMABLE.format(columns=circuit_breaker.OPEN, lanes=_lanes_table(lanes))
    rows = db.rows(query, {"now": now, "provider": provider}, prepared=True)
    return bool(rows) and not rows[0][0]


def due_queues(lanes: Sequence[Lane], *, now: datetime, provider: int) -> list[Queue]:
    """The queues of these lanes in which a batch is due."""
    rows = db.rows(
        _DUE.format(columns="lane, occasion_id, paced", lanes=_lanes_table(lanes)),
        {"now": now, "provider": provider},
        prepared=True,
    )
    return _queues(rows)


def _queues(rows: Sequence[tuple[Any, ...]]) -> list[Queue]:
    return [Queue(lane, occasion_id, bool(paced)) for lane, occasion_id, paced, *_ in rows]


def _lanes_table(lanes: Sequence[Lane]) -> str:
    return " UNION ALL ".join(f"SELECT {int(lane)} AS lane" for lane in lanes)


def release_claim(batch: ClaimedBatch) -> None:
    """Make a claimed batch planned again, if the claim is still ours: no byte has left. Does nothing once it is `sending`."""
    db.execute(
        "UPDATE batch SET state='planned', token=NULL, lease_until=NULL "
        "WHERE id=%(batch)s AND token=%(token)s AND state='claimed'",
        {"batch": batch.batch_id, "token": batch.token},
    )


def park_batch(batch: ClaimedBatch, reason: str) -> None:
    """Park a claimed batch for an operator, if the claim is still ours."""
    db.execute(
        f"UPDATE batch SET state='{BatchState.PARKED}', token=NULL, lease_until=NULL, reason=%(reason)s "
        "WHERE id=%(batch)s AND token=%(token)s AND state='claimed'",
        {"reason": reason, "batch": batch.batch_id, "token": batch.token},
    )
