"""Decide who of a claimed batch may be mailed now, by the daily cap and the token buckets, and split off the rest.

All of this happens between claim and attempt: no byte has left yet.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.db import transaction

from newsletter.config.rate_limits import RateLimits
from newsletter.delivery.ledger.split_batch import split_off
from newsletter.delivery.pace.daily_cap import DailyAllowance, daily_allowance, used_today
from newsletter.delivery.pace.token_buckets import DOMAIN_BURST_SECONDS, Bucket, Buckets, TokenRequest
from newsletter.delivery.sending.claim import CLAIM_LEASE, ClaimedBatch, can_claim
from newsletter.delivery.sending.recipients import delivery_domains, waiting_deliveries
from newsletter.lib.crypto import Vault
from newsletter.models import Batch, BatchState, Gate, Lane

#: Why a planned batch is not due yet, in words.
WAITS_FOR_PACE = "waits for its pace"
#: The last day on which a provider had something left, by its number, as it was counted here. Only `admit` decides.
_OPEN: Final[dict[int, date]] = {}
#: Seconds between two looks, when mail waits for nothing but its pace.
LOOK: Final = 1.0


@dataclass(frozen=True)
class Pacing:
    """The limits of one provider (its name in the settings, its number in the ledger), and the buckets that keep them."""

    limits: RateLimits
    buckets: Buckets
    name: str
    number: int

    @property
    def overall(self) -> Bucket | None:
        """The bucket over all mail of the provider."""
        rate = self.limits.pace(self.name)
        return Bucket(f"provider:{self.name}", rate) if rate else None

    def lanes(self, *, now: datetime) -> tuple[Lane, ...]:
        """The lanes from which a batch may be claimed now. What has no token, or no allowance, stays as it is, unclaimed."""
        if self.overall is not None and self.buckets.level(self.overall) < 1:
            return ()
        return tuple(Lane) if self._may_go_on(now) else (Lane.NOTICE,)

    def allowance(self, *, now: datetime) -> DailyAllowance | None:
        """What may still go today; None when no day has an end."""
        return daily_allowance(self.limits, self.name, self.number, now=now)

    def admit(self, held: ClaimedBatch, *, now: datetime, vault: Vault) -> ClaimedBatch | None:
        """The claim of those who may go now, all or some; the others are planned for when they may. None: nobody goes.

        Buckets are asked outside of any transaction; the day's allowance is decided on with the gate's row held.
        """
        people = self._people(held, vault)
        go, later = self._take(people, urgent=held.lane <= Lane.ALERT)
        with transaction.atomic():
            if held.lane != Lane.NOTICE and (cap := self._cap(now)) is not None:
                Gate.objects.select_for_update().get()
                left = max(cap - used_today(self.number, now=now, but=held.batch_id), 0)
                go, over = go[:left], go[left:]
                self._note(left - len(go), now)
                if over:
                    later[0.0] = [*later.get(0.0, ()), *over]
            return split_claimed_batch(held, go, later, now=now)

    def pause(self, *, now: datetime) -> float | None:
        """Seconds until it is worth looking again, when mail waits for nothing but its pace; None: no mail does.

        What has come due, or has tokens again, since the last look waits no longer, and is no less worth a look.
        """
        due = can_claim(self.lanes(now=now) or tuple(Lane), now=now, provider=self.number)
        waits = Batch.objects.filter(provider=self.number, state=BatchState.PLANNED, paced=True, not_before__gt=now)
        return LOOK if due or waits.exists() else None

    def _cap(self, now: datetime) -> int | None:
        return self.limits.cap(self.name, now.date())

    def _may_go_on(self, now: datetime) -> bool:
        """Whether the day may have something left. Counted only where the last count, here or in `admit`, does not say so."""
        cap = self._cap(now)
        if cap is None or _OPEN.get(self.number) == now.date():
            return True
        left = cap - used_today(self.number, now=now)
        self._note(left, now)
        return left > 0

    def _note(self, left: int, now: datetime) -> None:
        if left > 0:
            _OPEN[self.number] = now.date()
        else:
            _OPEN.pop(self.number, None)

    def _people(self, held: ClaimedBatch, vault: Vault) -> Mapping[Bucket | None, list[int]]:
        """Delivery ids by the bucket of their domain, whose key holds a keyed hash: a rare domain is a person."""
        if not self.limits.domains:
            return {None: waiting_deliveries(held)}
        found: dict[str, list[int]] = {}
        for number, domain in delivery_domains(held, vault).items():
            found.setdefault(domain, []).append(number)
        people: dict[Bucket | None, list[int]] = {}
        for domain, numbers in found.items():
            bucket = self._bucket(domain, vault)
            people.setdefault(bucket, []).extend(numbers)
        return people

    def _bucket(self, domain: str, vault: Vault) -> Bucket | None:
        found = self.limits.of_domain(domain)
        if found is None:
            return None
        group, rate = found
        return Bucket(f"domain:{self.name}:{vault.blind_index('pace', group)[:16].hex()}", rate, DOMAIN_BURST_SECONDS)

    def _take(
        self, people: Mapping[Bucket | None, Sequence[int]], *, urgent: bool
    ) -> tuple[list[int], dict[float, list[int]]]:
        """(who goes, seconds to wait → who waits)"""
        asks = [TokenRequest(len(numbers), bucket, urgent) for bucket, numbers in people.items()]
        grants = self.buckets.take(self.overall, asks) if self.overall or self.limits.domains else None
        go: list[int] = []
        later: dict[float, list[int]] = {}
        for place, numbers in enumerate(people.values()):
            mails = grants[place].mails if grants else len(numbers)
            go.extend(numbers[:mails])
            if grants and numbers[mails:]:
                later.setdefault(grants[place].wait, []).extend(numbers[mails:])
        return sorted(go), later


def split_claimed_batch(
    held: ClaimedBatch, go: Collection[int], later: Mapping[float, Sequence[int]], *, now: datetime
) -> ClaimedBatch | None:
    """Keep `go` (delivery ids) under a claim, and plan the others again: `later` maps seconds to wait to delivery ids.

    Those who wait 0 seconds are due as before. None: the batch is not ours any more, or nobody of it goes.
    Runs in the caller's transaction. No hand-over was begun, so there is nothing to disprove.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a batch is divided in one transaction")
    mine = Batch.objects.filter(id=held.batch_id, token=held.token, state=BatchState.CLAIMED)
    if not mine.update(token=held.token):
        return None
    batch = Batch.objects.get(id=held.batch_id)
    waits = sorted(later)
    if not waits:
        return held
    for wait in waits[1:]:
        split_off(batch, later[wait], **_waiting(wait, now))
    claim = None
    if go:
        token = uuid4()
        lease, worker = now + CLAIM_LEASE, batch.worker_id
        going = split_off(batch, go, state=BatchState.CLAIMED, token=token, lease_until=lease, worker_id=worker)
        claim = replace(held, batch_id=going, token=token)
    mine.update(
        state=BatchState.PLANNED,
        token=None,
        lease_until=None,
        **(_waiting(waits[0], now) if waits[0] else {}),
    )
    return claim


def _waiting(wait: float, now: datetime) -> dict[str, Any]:
    return {
        "not_before": now + timedelta(seconds=wait),
        "reason": WAITS_FOR_PACE,
        "paced": True,
    }
