"""Between claim and barrier: who of a claimed batch may go now, by the day's allowance and by the buckets of its pace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import transaction

from newsletter.config.rate_limits import Limits
from newsletter.delivery.pace.daily_cap import Allowance, allowance, spent
from newsletter.delivery.pace.token_buckets import DOMAIN_HOLDS, Ask, Bucket, Buckets
from newsletter.delivery.sending import barrier
from newsletter.delivery.sending.barrier import Claim
from newsletter.delivery.sending.divide import divide
from newsletter.lib.crypto import Vault
from newsletter.models import Batch, BatchState, Gate, Lane

#: The last day on which a provider had something left, by its number, as it was counted here. Only `admit` decides.
_OPEN: Final[dict[int, date]] = {}
#: Seconds between two looks, when mail waits for nothing but its pace.
LOOK: Final = 1.0


@dataclass(frozen=True)
class Pacing:
    """The limits of one provider (its name in the settings, its number in the ledger), and the buckets that keep them."""

    limits: Limits
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

    def allowance(self, *, now: datetime) -> Allowance | None:
        """What may still go today; None when no day has an end."""
        return allowance(self.limits, self.name, self.number, now=now)

    def admit(self, held: Claim, *, now: datetime, vault: Vault) -> Claim | None:
        """The claim of those who may go now, all or some; the others are planned for when they may. None: nobody goes.

        Buckets are asked outside of any transaction; the day's allowance is decided on with the gate's row held.
        """
        people = self._people(held, vault)
        go, later = self._take(people, urgent=held.lane <= Lane.ALERT)
        with transaction.atomic():
            if held.lane != Lane.NOTICE and (cap := self._cap(now)) is not None:
                Gate.objects.select_for_update().get()
                left = max(cap - spent(self.number, now=now, but=held.batch_id), 0)
                go, over = go[:left], go[left:]
                self._note(left - len(go), now)
                if over:
                    later[0.0] = [*later.get(0.0, ()), *over]
            return divide(held, go, later, now=now)

    def pause(self, *, now: datetime) -> float | None:
        """Seconds until it is worth looking again, when mail waits for nothing but its pace; None: no mail does.

        What has come due, or has tokens again, since the last look waits no longer, and is no less worth a look.
        """
        due = barrier.claimable(self.lanes(now=now) or tuple(Lane), now=now, provider=self.number)
        waits = Batch.objects.filter(provider=self.number, state=BatchState.PLANNED, paced=True, not_before__gt=now)
        return LOOK if due or waits.exists() else None

    def _cap(self, now: datetime) -> int | None:
        return self.limits.cap(self.name, now.date())

    def _may_go_on(self, now: datetime) -> bool:
        """Whether the day may have something left. Counted only where the last count, here or in `admit`, does not say so."""
        cap = self._cap(now)
        if cap is None or _OPEN.get(self.number) == now.date():
            return True
        left = cap - spent(self.number, now=now)
        self._note(left, now)
        return left > 0

    def _note(self, left: int, now: datetime) -> None:
        if left > 0:
            _OPEN[self.number] = now.date()
        else:
            _OPEN.pop(self.number, None)

    def _people(self, held: Claim, vault: Vault) -> Mapping[Bucket | None, list[int]]:
        """Delivery ids by the bucket of their domain, whose key holds a keyed hash: a rare domain is a person."""
        if not self.limits.domains:
            return {None: barrier.waiting(held)}
        found: dict[str, list[int]] = {}
        for number, domain in barrier.domains(held, vault).items():
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
        return Bucket(f"domain:{self.name}:{vault.blind_index('pace', group)[:16].hex()}", rate, DOMAIN_HOLDS)

    def _take(
        self, people: Mapping[Bucket | None, Sequence[int]], *, urgent: bool
    ) -> tuple[list[int], dict[float, list[int]]]:
        """(who goes, seconds to wait → who waits)"""
        asks = [Ask(len(numbers), bucket, urgent) for bucket, numbers in people.items()]
        grants = self.buckets.take(self.overall, asks) if self.overall or self.limits.domains else None
        go: list[int] = []
        later: dict[float, list[int]] = {}
        for place, numbers in enumerate(people.values()):
            mails = grants[place].mails if grants else len(numbers)
            go.extend(numbers[:mails])
            if grants and numbers[mails:]:
                later.setdefault(grants[place].wait, []).extend(numbers[mails:])
        return sorted(go), later
