"""Decide who of a claimed batch may be mailed now, by the daily cap and the token buckets, and split off the rest.

All of this happens between claim and attempt: no byte has left yet.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.db import transaction

from newsletter.config.rate_limits import RateLimits
from newsletter.delivery.ledger.split_batch import split_off
from newsletter.delivery.rate_limits.daily_cap import DailyAllowance, daily_allowance, used_today
from newsletter.delivery.rate_limits.token_buckets import DOMAIN_BURST_SECONDS, Bucket, Buckets, TokenRequest
from newsletter.delivery.sending.claim import CLAIM_LEASE, ClaimedBatch, can_claim
from newsletter.delivery.sending.recipients import delivery_domains, waiting_deliveries
from newsletter.lib.crypto import Vault
from newsletter.models import Batch, BatchState, Gate, Lane

#: Why a planned batch is not due yet, in words.
WAITS_FOR_PACE = "waits for its pace"
#: Seconds between two looks, when mail waits for nothing but its pace.
LOOK: Final = 1.0


@dataclass
class Pacing:
    """The limits of one provider (its name in the settings, its number in the ledger), and the buckets that keep them.

    A process keeps one for each provider.
    """

    limits: RateLimits
    buckets: Buckets
    name: str
    number: int
    #: The last day that had allowance left when it was counted here; only `admit` decides by a fresh count.
    _open_day: date | None = field(default=None, init=False, repr=False)

    @property
    def overall(self) -> Bucket | None:
        """The bucket over all mail of the provider."""
        rate = self.limits.pace(self.name)
        return Bucket(f"provider:{self.name}", rate) if rate else None

    def lanes(self, *, now: datetime) -> tuple[Lane, ...]:
        """The lanes from which a batch may be claimed now. Without a token, or without allowance, mail stays unclaimed."""
        if self.overall is not None and self.buckets.level(self.overall) < 1:
            return ()
        return tuple(Lane) if self._has_allowance(now) else (Lane.NOTICE,)

    def allowance(self, *, now: datetime) -> DailyAllowance | None:
        """What may still be sent today. Returns None if the provider has no daily cap."""
        return daily_allowance(self.limits, self.name, self.number, now=now)

    def admit(self, batch: ClaimedBatch, *, now: datetime, vault: Vault) -> ClaimedBatch | None:
        """Keep those who may be mailed now, all or some, and plan the others for later. Returns None if nobody may.

        Buckets are asked outside of any transaction; the daily allowance is decided with the gate's row locked.
        """
        go, later = self._take(self._by_bucket(batch, vault), urgent=batch.lane <= Lane.ALERT)
        with transaction.atomic():
            if batch.lane != Lane.NOTICE and (cap := self._cap(now)) is not None:
                Gate.objects.select_for_update().get()
                left = max(cap - used_today(self.number, now=now, but=batch.batch_id), 0)
                go, over = go[:left], go[left:]
                self._note_allowance(left - len(go), now)
                if over:
                    later[0.0] = [*later.get(0.0, ()), *over]
            return split_claimed_batch(batch, go, later, now=now)

    def pause(self, *, now: datetime) -> float | None:
        """Seconds until the next look, when mail waits for nothing but its pace. Returns None if no mail does.

        Mail that has become due, or has tokens again, since the last look does not wait, but is worth a look all the same.
        """
        due = can_claim(self.lanes(now=now) or tuple(Lane), now=now, provider=self.number)
        waiting = Batch.objects.filter(provider=self.number, state=BatchState.PLANNED, paced=True, not_before__gt=now)
        return LOOK if due or waiting.exists() else None

    def _cap(self, now: datetime) -> int | None:
        return self.limits.cap(self.name, now.date())

    def _has_allowance(self, now: datetime) -> bool:
        """Whether the day may have allowance left. Counted only if the last count, here or in `admit`, does not say so."""
        cap = self._cap(now)
        if cap is None or self._open_day == now.date():
            return True
        left = cap - used_today(self.number, now=now)
        self._note_allowance(left, now)
        return left > 0

    def _note_allowance(self, left: int, now: datetime) -> None:
        self._open_day = now.date() if left > 0 else None

    def _by_bucket(self, batch: ClaimedBatch, vault: Vault) -> Mapping[Bucket | None, list[int]]:
        """Delivery ids by the bucket of their domain."""
        if not self.limits.domains:
            return {None: waiting_deliveries(batch)}
        by_domain: dict[str, list[int]] = {}
        for delivery_id, domain in delivery_domains(batch, vault).items():
            by_domain.setdefault(domain, []).append(delivery_id)
        by_bucket: dict[Bucket | None, list[int]] = {}
        for domain, delivery_ids in by_domain.items():
            by_bucket.setdefault(self._bucket(domain, vault), []).extend(delivery_ids)
        return by_bucket

    def _bucket(self, domain: str, vault: Vault) -> Bucket | None:
        """The bucket of a domain. Its key holds a keyed hash, since a rare domain identifies a person."""
        limit = self.limits.of_domain(domain)
        if limit is None:
            return None
        group, rate = limit
        key = f"domain:{self.name}:{vault.blind_index('pace', group)[:16].hex()}"
        return Bucket(key, rate, DOMAIN_BURST_SECONDS)

    def _take(
        self, by_bucket: Mapping[Bucket | None, Sequence[int]], *, urgent: bool
    ) -> tuple[list[int], dict[float, list[int]]]:
        """The deliveries that may go, and those that wait by their seconds to wait."""
        requests = [TokenRequest(len(ids), bucket, urgent) for bucket, ids in by_bucket.items()]
        grants = self.buckets.take(self.overall, requests) if self.overall or self.limits.domains else None
        go: list[int] = []
        later: dict[float, list[int]] = {}
        for index, ids in enumerate(by_bucket.values()):
            granted = grants[index].mails if grants else len(ids)
            go.extend(ids[:granted])
            if grants and ids[granted:]:
                later.setdefault(grants[index].wait, []).extend(ids[granted:])
        return sorted(go), later


def split_claimed_batch(
    batch: ClaimedBatch, go: Collection[int], later: Mapping[float, Sequence[int]], *, now: datetime
) -> ClaimedBatch | None:
    """Keep `go` (delivery ids) claimed, and plan the others again: `later` maps seconds to wait to delivery ids.

    Those who wait 0 seconds are due as before. Returns None if the batch is not ours any more, or nobody of it goes.
    Runs in the caller's transaction. No attempt was started, so there is nothing to disprove.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a batch is split in one transaction")
    ours = Batch.objects.filter(id=batch.batch_id, token=batch.token, state=BatchState.CLAIMED)
    if not ours.update(token=batch.token):
        return None
    row = Batch.objects.get(id=batch.batch_id)
    waits = sorted(later)
    if not waits:
        return batch
    for wait in waits[1:]:
        split_off(row, later[wait], **_waiting(wait, now))
    admitted = None
    if go:
        token, lease_until = uuid4(), now + CLAIM_LEASE
        batch_id = split_off(
            row, go, state=BatchState.CLAIMED, token=token, lease_until=lease_until, worker_id=row.worker_id
        )
        admitted = replace(batch, batch_id=batch_id, token=token)
    ours.update(
        state=BatchState.PLANNED,
        token=None,
        lease_until=None,
        **(_waiting(waits[0], now) if waits[0] else {}),
    )
    return admitted


def _waiting(wait: float, now: datetime) -> dict[str, Any]:
    return {"not_before": now + timedelta(seconds=wait), "reason": WAITS_FOR_PACE, "paced": True}
