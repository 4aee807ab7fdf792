"""Claim a batch, then pass the barrier: the last look at who may be mailed, and where addresses are opened to be mailed to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db import transaction

from newsletter.delivery.gates import circuit_breaker, provider_gate
from newsletter.delivery.ledger.recipient_domains import domains as of_people
from newsletter.delivery.ledger.split_batch import CARRIES, part
from newsletter.delivery.sending import workers
from newsletter.delivery.sending.lane_order import Queue, Turns
from newsletter.lib import db
from newsletter.lib.crypto import KeysDoNotFit, Vault
from newsletter.lib.provider_interface import Address
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Lane, Suppression

#: A claim that is not followed by the barrier within this time is given back.
CLAIM_LEASE = timedelta(seconds=60)
#: Longer than any provider's own time limit, so that a slow answer still finds its batch: one request is answered within
#: seconds, a mail server may take ten minutes for the last word on one mail (RFC 5321, 4.5.3.2.6).
REQUEST_LEASE, WINDOW_LEASE = timedelta(minutes=3), timedelta(minutes=15)
#: A worker that wakes up later than this before its lease ends drops the work.
MARGIN = timedelta(seconds=10)
#: Why a batch is put aside.
NOT_OPENED = "an address in it does not open with the keys at hand"


@dataclass(frozen=True)
class Claim:
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


class Recipient(NamedTuple):
    """One allowed delivery, its address opened."""

    delivery_id: int
    subscriber_id: int
    edition_id: int
    occasion_key: str
    link_epoch: int
    address: Address


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
  AND paced=%(paced)s AND not_before<=%(now)s ORDER BY not_before, id LIMIT 1 {{skip_locked}}) RETURNING id, {CARRIES}"""
_TURNS = Turns()


def lease(window: int | None) -> timedelta:
    """How long a hand-over may take: of a whole batch in one request, or of one window."""
    return REQUEST_LEASE if window is None else WINDOW_LEASE


def claim(
    *, now: datetime, provider: int, lanes: Sequence[Lane] = tuple(Lane), worker: UUID | None = None
) -> Claim | None:
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
            | {"worker": worker, **workers.orphaned_since(now)}
            | {"lane": queue.lane, "occasion": queue.occasion_id, "paced": queue.paced},
            prepared=True,
        )
        if taken:
            _TURNS.took(queue, due)
            number, again = taken[0]
            return Claim(number, token, Lane(queue.lane), bool(probe), bool(doubted), bool(again))
    return None


def yields(held: Claim, *, now: datetime, provider: int) -> bool:
    """Whether the rest of this batch should wait, because something more urgent came: asked between two windows."""
    return held.lane > Lane.ALERT and bool(due_in((Lane.NOTICE, Lane.ALERT), now=now, provider=provider))


def claimable(lanes: Sequence[Lane], *, now: datetime, provider: int) -> bool:
    """Whether a batch of these lanes may be claimed now: due, with the gates open, and of a provider that is not left alone."""
    look = _LOOK.format(asked=circuit_breaker.OPEN, lanes=_lanes(lanes))
    found = db.rows(look, {"now": now, "provider": provider}, prepared=True)
    return bool(found) and not found[0][0]


def due_in(lanes: Sequence[Lane], *, now: datetime, provider: int) -> list[Queue]:
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


_BEGIN = f"""
UPDATE batch SET state='sending', attempts=attempts+1, lease_until=%(lease)s, reason=NULL
WHERE id=%(batch)s AND token=%(token)s AND state='claimed' AND provider=%(provider)s AND lease_until>%(margin)s
AND {provider_gate.MAY_SEND} RETURNING attempts"""
# Not again when it was committed, and only that was not heard of.
_ATTEMPT = """
INSERT INTO attempt (batch_id, n, provider, began_at, disproved) SELECT b.id, b.attempts, b.provider, %(now)s, false FROM batch b
WHERE b.id=%(batch)s AND b.token=%(token)s AND b.state='sending'
AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.batch_id=b.id AND a.n=b.attempts)"""
_OURS = f"""
SELECT 1 FROM batch WHERE id=%(batch)s AND token=%(token)s AND state='sending'
AND {provider_gate.MAY_SEND}"""


def begin(held: Claim, *, now: datetime, provider: int, window: int | None, vault: Vault) -> list[Recipient] | None:
    """Pass the barrier, in one transaction committed before the first byte leaves; returns the first window's recipients.

    None: the claim is no longer ours, or a gate closed; nothing was changed. An empty window: nobody may be mailed. Whoever
    did not hear whether it was committed, and has sent nothing, may call it again: the token says whose hand-over it is.

    Raises:
        IntegrityError: an earlier hand-over of this batch was never disproved, so a second one is refused.
        KeysDoNotFit: none of the addresses opens; nothing was changed.
    """
    about = {"batch": held.batch_id, "token": held.token, "provider": provider, "now": now, "after": 0}
    with transaction.atomic():
        begun, _, ours, found = db.execute_pipeline(
            (_BEGIN, about | {"lease": now + lease(window), "margin": now + MARGIN}),
            (_ATTEMPT, about),
            (_OURS, about),
            (_window(window), about),
        )
        return opened(held, found, now=now, window=window, vault=vault) if begun or ours else None


# A notice may go to somebody who is not confirmed yet, and a confirmation even to an address that bounced once: that is how
# a person lifts their own bounce. Complaints and erasure are sticky. A notice that waited until its link was used, too old or
# pruned is not mailed: the link would lead nowhere.
_ALLOWED = f"""CASE WHEN o.kind='notice'
  THEN b.state IN ('pending','active') AND (x.address_index IS NULL OR (NOT x.sticky AND x.reason<>'{Suppression.Reason.ERASED}'))
    AND EXISTS (SELECT 1 FROM notice n WHERE n.id=CAST(substr(o.key,8) AS integer) AND n.used_at IS NULL
    AND n.expires_at>%(now)s)
  ELSE b.state='active' AND x.address_index IS NULL AND (b.paused_until IS NULL OR b.paused_until<=%(now)s) END"""
# Without a row in subscriber: erased.
_WINDOW = f"""
SELECT d.id, b.id, d.edition_id, o.key, b.link_epoch, {{handle}}, b.key_id, b.address_cipher, {_ALLOWED} AS allowed
FROM delivery d JOIN occasion o ON o.id=d.occasion_id LEFT JOIN subscriber b ON b.id=d.subscriber_id
LEFT JOIN suppression x ON x.address_index=b.address_index AND x.lifted_at IS NULL
WHERE d.batch_id=%(batch)s AND d.state IS NULL AND d.id>%(after)s ORDER BY d.id"""


def open_window(held: Claim, *, after: int, now: datetime, window: int | None, vault: Vault) -> list[Recipient]:
    """Cancel who may no longer be mailed, and open the next window of recipients with ids above `after`.

    Runs inside the transaction that made or settled the window before: `begun_upto` is committed before its bytes leave.

    Raises:
        KeysDoNotFit: none of the addresses opens; no window was opened.
    """
    found = db.rows(*ahead(held, after=after, now=now, window=window), prepared=True)
    return opened(held, found, now=now, window=window, vault=vault)


def ahead(held: Claim, *, after: int, now: datetime, window: int | None) -> db.Statement:
    """Who comes after a delivery, and may still be mailed or not: for `opened`, in the same transaction."""
    return _window(window), {"batch": held.batch_id, "after": after, "now": now}


def _window(window: int | None) -> str:
    limit = "" if window is None else f" LIMIT {int(window)}"
    return _WINDOW.format(handle=db.raw_uuid("b.handle")) + limit


def opened(
    held: Claim, found: Sequence[tuple[Any, ...]], *, now: datetime, window: int | None, vault: Vault
) -> list[Recipient]:
    """Those who may be mailed of `found`, the rows of `ahead`; where nobody of a window may, those of the next."""
    if not found:
        return []
    _cancel([row[0] for row in found if not row[-1]])
    recipients = _recipients(held, [row for row in found if row[-1]], vault)
    if window is None:
        return recipients
    if not recipients:
        return open_window(held, after=found[-1][0], now=now, window=window, vault=vault)
    db.execute(
        "UPDATE batch SET begun_upto=%(upto)s, lease_until=%(lease)s WHERE id=%(batch)s",
        {"upto": recipients[-1].delivery_id, "lease": now + lease(window), "batch": held.batch_id},
        prepared=True,
    )
    return recipients


def waiting(held: Claim) -> list[int]:
    """The deliveries of a claimed batch that could go, in order."""
    found = db.rows("SELECT id FROM delivery WHERE batch_id=%s AND state IS NULL ORDER BY id", [held.batch_id])
    return [number for (number,) in found]


def domains(held: Claim, vault: Vault) -> dict[int, str]:
    """The recipient domain of each delivery of a claimed batch, in order; nothing, where there is no address to open."""
    deliveries = db.rows(
        "SELECT id, subscriber_id FROM delivery WHERE batch_id=%s AND state IS NULL ORDER BY id", [held.batch_id]
    )
    found = of_people([person for _, person in deliveries], vault)
    return {number: found.get(person, "") for number, person in deliveries}


def give_back(held: Claim) -> None:
    """Return a claimed batch: no byte has left. Ours only; a batch past the barrier is left alone."""
    db.execute(
        "UPDATE batch SET state='planned', token=NULL, lease_until=NULL "
        "WHERE id=%(batch)s AND token=%(token)s AND state='claimed'",
        {"batch": held.batch_id, "token": held.token},
    )


def park(held: Claim, why: str) -> None:
    """Put a claimed batch aside with a reason, for an operator. Ours only."""
    db.execute(
        f"UPDATE batch SET state='{BatchState.PARKED}', token=NULL, lease_until=NULL, reason=%(why)s "
        "WHERE id=%(batch)s AND token=%(token)s AND state='claimed'",
        {"why": why, "batch": held.batch_id, "token": held.token},
    )


def _recipients(held: Claim, allowed: Sequence[tuple[Any, ...]], vault: Vault) -> list[Recipient]:
    """Their addresses opened. One that does not open stops nobody else: it is put aside alone, unless none does."""
    try:
        return _all_opened(allowed, vault)
    except KeysDoNotFit:
        recipients, closed = [], []
    for row in allowed:
        try:
            recipients += _all_opened([row], vault)
        except KeysDoNotFit:
            if not recipients and row is allowed[-1]:
                raise  # of many that is no broken row, but the wrong keys
            closed.append(row[0])
    part(Batch.objects.get(id=held.batch_id), closed, state=BatchState.PARKED, reason=NOT_OPENED)
    return recipients


def _all_opened(allowed: Sequence[tuple[Any, ...]], vault: Vault) -> list[Recipient]:
    if not allowed:
        return []
    *about, handles, key_ids, ciphers, _ = zip(*allowed, strict=True)
    raw = [handle if isinstance(handle, bytes) else bytes.fromhex(handle) for handle in handles]
    addresses = vault.decrypt_all(zip(key_ids, ciphers, raw, strict=True), column="address")
    return list(map(Recipient._make, zip(*about, map(Address, addresses), strict=True)))


def _cancel(delivery_ids: Sequence[int]) -> None:
    """Left, paused, suppressed or erased since the mail was planned; or a notice whose link works no more."""
    if delivery_ids:
        Delivery.objects.filter(id__in=delivery_ids, state=None).update(
            state=DeliveryState.CANCELLED, reason="not allowed any more"
        )
