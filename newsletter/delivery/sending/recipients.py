"""Start the attempt of a claimed batch: check once more who may be mailed, and decrypt their addresses.

The commit in `start_attempt` is the point of no return: whoever dies after it leaves a window in doubt.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction

from newsletter.delivery.gates import provider_gate
from newsletter.delivery.ledger.recipient_domains import recipient_domains
from newsletter.delivery.ledger.split_batch import split_off
from newsletter.delivery.sending.claim import ClaimedBatch
from newsletter.lib import db
from newsletter.lib.crypto import KeysDoNotFit, Vault
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Suppression

#: Longer than any provider's own time limit, so that a slow answer still finds its batch: one request is answered within
#: seconds, a mail server may take ten minutes for the last word on one mail (RFC 5321, 4.5.3.2.6).
REQUEST_LEASE, WINDOW_LEASE = timedelta(minutes=3), timedelta(minutes=15)
#: A worker that wakes up later than this before its lease ends drops the work.
MARGIN = timedelta(seconds=10)
#: Why a batch is parked.
NOT_OPENED = "an address in it does not open with the keys at hand"


class Recipient(NamedTuple):
    """A delivery that may be mailed, with its decrypted address."""

    delivery_id: int
    subscriber_id: int
    edition_id: int
    occasion_key: str
    link_epoch: int
    address: Address


def attempt_lease(window: int | None) -> timedelta:
    """How long an attempt may take: of a whole batch in one request (`window` None), or of one window."""
    return REQUEST_LEASE if window is None else WINDOW_LEASE


_BEGIN = f"""
UPDATE batch SET state='sending', attempts=attempts+1, lease_until=%(lease)s, reason=NULL
WHERE id=%(batch)s AND token=%(token)s AND state='claimed' AND provider=%(provider)s AND lease_until>%(margin)s
AND {provider_gate.MAY_SEND} RETURNING attempts"""
# Not a second row when the first call was committed and only its answer was lost.
_ATTEMPT = """
INSERT INTO attempt (batch_id, n, provider, began_at, disproved) SELECT b.id, b.attempts, b.provider, %(now)s, false FROM batch b
WHERE b.id=%(batch)s AND b.token=%(token)s AND b.state='sending'
AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.batch_id=b.id AND a.n=b.attempts)"""
_OURS = f"""
SELECT 1 FROM batch WHERE id=%(batch)s AND token=%(token)s AND state='sending'
AND {provider_gate.MAY_SEND}"""


def start_attempt(
    batch: ClaimedBatch, *, now: datetime, provider: int, window: int | None, vault: Vault
) -> list[Recipient] | None:
    """Start an attempt, in one transaction committed before the first byte leaves; returns the first window's recipients.

    Returns None if the claim is no longer ours, or a gate closed; then nothing was changed. Returns an empty window if nobody
    may be mailed. May be repeated when it is unknown whether it was committed, as long as nothing was sent: the token shows
    whose attempt it is.

    Raises:
        IntegrityError: an earlier attempt of this batch was never disproved, so a second one is refused.
        KeysDoNotFit: none of the addresses can be decrypted; nothing was changed.
    """
    values = {"batch": batch.batch_id, "token": batch.token, "provider": provider, "now": now, "after": 0}
    with transaction.atomic():
        begun, _, ours, rows = db.execute_pipeline(
            (_BEGIN, values | {"lease": now + attempt_lease(window), "margin": now + MARGIN}),
            (_ATTEMPT, values),
            (_OURS, values),
            (_window_query(window), values),
        )
        return open_addresses(batch, rows, now=now, window=window, vault=vault) if begun or ours else None


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


def open_window(batch: ClaimedBatch, *, after: int, now: datetime, window: int | None, vault: Vault) -> list[Recipient]:
    """Cancel who may no longer be mailed, and decrypt the addresses of the next window, of delivery ids above `after`.

    Runs inside the transaction that started the attempt or recorded the window before, so that `begun_upto` is committed
    before the bytes of the window leave.

    Raises:
        KeysDoNotFit: none of the addresses can be decrypted; no window was opened.
    """
    rows = db.rows(*next_window_query(batch, after=after, now=now, window=window), prepared=True)
    return open_addresses(batch, rows, now=now, window=window, vault=vault)


def next_window_query(batch: ClaimedBatch, *, after: int, now: datetime, window: int | None) -> db.Statement:
    """The query for the window after a delivery: its rows are for `open_addresses`, in the same transaction."""
    return _window_query(window), {"batch": batch.batch_id, "after": after, "now": now}


def _window_query(window: int | None) -> str:
    limit = "" if window is None else f" LIMIT {int(window)}"
    return _WINDOW.format(handle=db.raw_uuid("b.handle")) + limit


def open_addresses(
    batch: ClaimedBatch, rows: Sequence[tuple[Any, ...]], *, now: datetime, window: int | None, vault: Vault
) -> list[Recipient]:
    """The recipients of `rows` (of `next_window_query`) who may be mailed; if nobody of a window may, those of the next one."""
    if not rows:
        return []
    _cancel([row[0] for row in rows if not row[-1]])
    recipients = _recipients(batch, [row for row in rows if row[-1]], vault)
    if window is None:
        return recipients
    if not recipients:
        return open_window(batch, after=rows[-1][0], now=now, window=window, vault=vault)
    db.execute(
        "UPDATE batch SET begun_upto=%(upto)s, lease_until=%(lease)s WHERE id=%(batch)s",
        {"upto": recipients[-1].delivery_id, "lease": now + attempt_lease(window), "batch": batch.batch_id},
        prepared=True,
    )
    return recipients


def waiting_deliveries(batch: ClaimedBatch) -> list[int]:
    """The ids of the deliveries of a claimed batch without a state of their own, in order."""
    rows = db.rows("SELECT id FROM delivery WHERE batch_id=%s AND state IS NULL ORDER BY id", [batch.batch_id])
    return [delivery_id for (delivery_id,) in rows]


def delivery_domains(batch: ClaimedBatch, vault: Vault) -> dict[int, str]:
    """The recipient domain of each delivery of a claimed batch, in order; empty where no address can be decrypted."""
    deliveries = db.rows(
        "SELECT id, subscriber_id FROM delivery WHERE batch_id=%s AND state IS NULL ORDER BY id", [batch.batch_id]
    )
    domains = recipient_domains([subscriber_id for _, subscriber_id in deliveries], vault)
    return {delivery_id: domains.get(subscriber_id, "") for delivery_id, subscriber_id in deliveries}


def _recipients(batch: ClaimedBatch, allowed: Sequence[tuple[Any, ...]], vault: Vault) -> list[Recipient]:
    """Decrypt their addresses. One that cannot be decrypted is parked alone; when none can, the keys are wrong."""
    try:
        return _decrypt(allowed, vault)
    except KeysDoNotFit:
        recipients, undecryptable = [], []
    for row in allowed:
        try:
            recipients += _decrypt([row], vault)
        except KeysDoNotFit:
            if not recipients and row is allowed[-1]:
                raise  # not a broken row among many, but the wrong keys
            undecryptable.append(row[0])
    split_off(Batch.objects.get(id=batch.batch_id), undecryptable, state=BatchState.PARKED, reason=NOT_OPENED)
    return recipients


def _decrypt(allowed: Sequence[tuple[Any, ...]], vault: Vault) -> list[Recipient]:
    if not allowed:
        return []
    *columns, handles, key_ids, ciphers, _ = zip(*allowed, strict=True)
    raw = [handle if isinstance(handle, bytes) else bytes.fromhex(handle) for handle in handles]
    addresses = vault.decrypt_all(zip(key_ids, ciphers, raw, strict=True), column="address")
    return list(map(Recipient._make, zip(*columns, map(Address, addresses), strict=True)))


def _cancel(delivery_ids: Sequence[int]) -> None:
    """Cancel mail to people who left, paused, were suppressed or erased since it was planned; or a notice whose link expired."""
    if delivery_ids:
        Delivery.objects.filter(id__in=delivery_ids, state=None).update(
            state=DeliveryState.CANCELLED, reason="not allowed any more"
        )
