"""Start the attempt of a claimed batch: check once more who may be mailed, and decrypt their addresses.

The commit in `start_attempt` is the point of no return: whoever dies after it leaves a window in doubt.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction

from newsletter.delivery.gates import provider_gate
from newsletter.delivery.ledger.recipient_domains import recipient_domains as of_people
from newsletter.delivery.ledger.split_batch import split_off
from newsletter.delivery.sending.claim import ClaimedBatch
from newsletter.lib import db
from newsletter.lib.crypto import KeysDoNotFit, Vault
from newsletter.lib.provider_interface import Address
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Suppression

#: Longer than any provider's own time limit, so that a slow answer still finds its batch: one request is answered within
#: seconds, a mail server may take ten minutes for the last word on one mail (RFC 5321, 4.5.3.2.6).
REQUEST_LEASE, WINDOW_LEASE = timedelta(minutes=3), timedelta(minutes=15)
#: A worker that wakes up later than this before its lease ends drops the work.
MARGIN = timedelta(seconds=10)
#: Why a batch is put aside.
NOT_OPENED = "an address in it does not open with the keys at hand"


class Recipient(NamedTuple):
    """One allowed delivery, its address opened."""

    delivery_id: int
    subscriber_id: int
    edition_id: int
    occasion_key: str
    link_epoch: int
    address: Address


def attempt_lease(window: int | None) -> timedelta:
    """How long a hand-over may take: of a whole batch in one request, or of one window."""
    return REQUEST_LEASE if window is None else WINDOW_LEASE


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


def start_attempt(
    held: ClaimedBatch, *, now: datetime, provider: int, window: int | None, vault: Vault
) -> list[Recipient] | None:
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
            (_BEGIN, about | {"lease": now + attempt_lease(window), "margin": now + MARGIN}),
            (_ATTEMPT, about),
            (_OURS, about),
            (_window(window), about),
        )
        return open_addresses(held, found, now=now, window=window, vault=vault) if begun or ours else None


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


def open_window(held: ClaimedBatch, *, after: int, now: datetime, window: int | None, vault: Vault) -> list[Recipient]:
    """Cancel who may no longer be mailed, and open the next window of recipients with ids above `after`.

    Runs inside the transaction that made or settled the window before: `begun_upto` is committed before its bytes leave.

    Raises:
        KeysDoNotFit: none of the addresses opens; no window was opened.
    """
    found = db.rows(*next_window_query(held, after=after, now=now, window=window), prepared=True)
    return open_addresses(held, found, now=now, window=window, vault=vault)


def next_window_query(held: ClaimedBatch, *, after: int, now: datetime, window: int | None) -> db.Statement:
    """Who comes after a delivery, and may still be mailed or not: for `opened`, in the same transaction."""
    return _window(window), {"batch": held.batch_id, "after": after, "now": now}


def _window(window: int | None) -> str:
    limit = "" if window is None else f" LIMIT {int(window)}"
    return _WINDOW.format(handle=db.raw_uuid("b.handle")) + limit


def open_addresses(
    held: ClaimedBatch, found: Sequence[tuple[Any, ...]], *, now: datetime, window: int | None, vault: Vault
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
        {"upto": recipients[-1].delivery_id, "lease": now + attempt_lease(window), "batch": held.batch_id},
        prepared=True,
    )
    return recipients


def waiting_deliveries(held: ClaimedBatch) -> list[int]:
    """The deliveries of a claimed batch that could go, in order."""
    found = db.rows("SELECT id FROM delivery WHERE batch_id=%s AND state IS NULL ORDER BY id", [held.batch_id])
    return [number for (number,) in found]


def delivery_domains(held: ClaimedBatch, vault: Vault) -> dict[int, str]:
    """The recipient domain of each delivery of a claimed batch, in order; nothing, where there is no address to open."""
    deliveries = db.rows(
        "SELECT id, subscriber_id FROM delivery WHERE batch_id=%s AND state IS NULL ORDER BY id", [held.batch_id]
    )
    found = of_people([person for _, person in deliveries], vault)
    return {number: found.get(person, "") for number, person in deliveries}


def _recipients(held: ClaimedBatch, allowed: Sequence[tuple[Any, ...]], vault: Vault) -> list[Recipient]:
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
    split_off(Batch.objects.get(id=held.batch_id), closed, state=BatchState.PARKED, reason=NOT_OPENED)
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
