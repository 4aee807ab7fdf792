"""Detect provider outages and, where the settings ask for it, move planned batches to the other provider."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import Count, Max, Min

from newsletter.audit import actor
from newsletter.delivery.gates import circuit_breaker, provider_gate
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.routing import move_batches
from newsletter.models import Attempt, AttemptOutcome, AuditEntry, Gate

log = structlog.get_logger()

#: Deferred hand-overs in a row, with no other outcome, before a provider counts as unreachable.
PUT_OFF_LEAST = 3
#: Older attempts say nothing of today.
LOOK_BACK = timedelta(hours=6)
_RULE = actor.from_rule("failover")
_CONCLUSIVE = (
    AttemptOutcome.ACCEPTED,
    AttemptOutcome.FAILED,
    AttemptOutcome.SPLIT,
    AttemptOutcome.UNKNOWN,
)


@dataclass(frozen=True)
class Outage:
    """A provider that accepts nothing at present. `final`: nothing will be accepted before an operator acts."""

    provider: int
    since: datetime
    why: str
    final: bool = False


@dataclass(frozen=True)
class FailedOver:
    """What was moved from one provider to another."""

    source: int
    target: int
    batches: int


def outages(providers: Sequence[int], *, now: datetime) -> dict[int, Outage]:
    """Which of these providers are out: paused, with an open circuit breaker, or deferring everything. By their number."""
    out = {outage.provider: outage for number in providers if (outage := _unreachable(number, now))}
    out |= {
        breaker.provider: Outage(breaker.provider, breaker.since, f"{breaker.in_a_row} mails in doubt in a row")
        for breaker in circuit_breaker.open_breakers()
        if breaker.since is not None
    }
    out |= {
        paused.provider: Outage(paused.provider, paused.since or now, paused.why, final=True)
        for paused in provider_gate.paused()
    }
    return {number: out[number] for number in providers if number in out}


def fail_over(providers: Mapping[int, PlannedProvider], *, after: timedelta, now: datetime) -> list[FailedOver]:
    """Move what is planned with a provider that has been out for `after` to one that is not. Repeatable.

    One batch stays where the provider may recover by itself, to show when it does. With the gate closed nothing moves:
    complaints and floods of bounces close that one, and the other provider must not be next.
    """
    if not after or not Gate.objects.filter(sending_open=True).exists():
        return []
    out = outages(list(providers), now=now)
    working = [provider for number, provider in providers.items() if number not in out]
    if not working:
        return []
    moved = []
    for number, outage in out.items():
        if outage.since <= now - after:
            kept = None if outage.final else move_batches.first_planned(number)
            batches = move_batches.move_batches(number, working[0], now=now, actor=None, but=kept or 0)
            if batches:
                _record_once(outage, working[0].number, now)
                log.error("failed_over", provider=number, batches=batches, reason=outage.why)
                moved.append(FailedOver(number, working[0].number, batches))
    return moved


def _record_once(outage: Outage, target: int, now: datetime) -> None:
    """One row for each outage, although what is planned during it moves again and again."""
    known = AuditEntry.objects.filter(object_kind="provider", object_id=outage.provider, action="provider.move")
    if not known.filter(actor=_RULE.name, actor_kind=_RULE.kind, at__gte=outage.since).exists():
        move_batches.record_move(outage.provider, target, now=now, actor=_RULE)


def _unreachable(provider: int, now: datetime) -> Outage | None:
    """The outage of a provider that deferred several hand-overs, and all of them since the last conclusive one."""
    # what happened before it was resumed by hand does not count
    since = max(now - LOOK_BACK, provider_gate.last_opened_at(provider) or now - LOOK_BACK)
    attempts = Attempt.objects.filter(provider=provider, ended_at__gt=since)
    conclusive = attempts.filter(outcome__in=_CONCLUSIVE).aggregate(last=Max("ended_at"))["last"]
    deferred = attempts.filter(outcome=AttemptOutcome.DEFERRED, not_begun=None, ended_at__gt=conclusive or since)
    counted = deferred.aggregate(n=Count("id"), first=Min("began_at"))
    if counted["n"] < PUT_OFF_LEAST:
        return None
    return Outage(provider, counted["first"], f"{counted['n']} hand-overs put off in a row")
