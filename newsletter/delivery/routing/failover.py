"""Is a provider out, since when and why; and, where an operator wishes so, what waits for it goes to the other by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import Count, Max, Min

from newsletter.delivery.gates import circuit_breaker, provider_gate
from newsletter.delivery.ledger.plan import Carrier
from newsletter.delivery.routing import move_batches
from newsletter.models import Attempt, AttemptOutcome, Gate

log = structlog.get_logger()

#: Hand-overs put off in a row, with none that came to anything, before a provider counts as out of reach.
PUT_OFF_LEAST = 3
#: Older tries say nothing of today.
LOOK_BACK = timedelta(hours=6)
_CAME_TO_SOMETHING = (
    AttemptOutcome.ACCEPTED,
    AttemptOutcome.FAILED,
    AttemptOutcome.SPLIT,
    AttemptOutcome.UNKNOWN,
)


@dataclass(frozen=True)
class Outage:
    """A provider through which nothing goes at present. `final`: nothing will before an operator acts."""

    provider: int
    since: datetime
    why: str
    final: bool = False


@dataclass(frozen=True)
class FailedOver:
    """What went from one provider to another."""

    source: int
    target: int
    batches: int


def outages(providers: Sequence[int], *, now: datetime) -> dict[int, Outage]:
    """Which of these providers are out: paused, left alone after doubt, or putting everything off. By their number."""
    found = {one.provider: one for number in providers if (one := _out_of_reach(number, now))}
    found |= {
        one.provider: Outage(one.provider, one.since, f"{one.in_a_row} mails in doubt in a row")
        for one in circuit_breaker.open_breakers()
        if one.since is not None
    }
    found |= {
        one.provider: Outage(one.provider, one.since or now, one.why, final=True) for one in provider_gate.paused()
    }
    return {number: found[number] for number in providers if number in found}


def fail_over(carriers: Mapping[int, Carrier], *, after: timedelta, now: datetime) -> list[FailedOver]:
    """Hand what is planned with a provider that has been out for so long to one that is not. Repeatable.

    Where the provider may come back by itself, one batch stays: it shows when it does. With the gate closed nothing moves, and
    what is refused because of our mails (complaints, floods of bounces) closes that one: the other provider is not to be next.
    """
    if not after or not Gate.objects.filter(sending_open=True).exists():
        return []
    out = outages(list(carriers), now=now)
    standing = [carrier for number, carrier in carriers.items() if number not in out]
    if not standing:
        return []
    moved = []
    for number, outage in out.items():
        if outage.since <= now - after:
            kept = None if outage.final else move_batches.first_planned(number)
            batches = move_batches.move_batches(number, standing[0], now=now, but=kept or 0)
            if batches:
                log.error("failed_over", provider=number, batches=batches, reason=outage.why)
                moved.append(FailedOver(number, standing[0].number, batches))
    return moved


def _out_of_reach(provider: int, now: datetime) -> Outage | None:
    """Tried several times, and all of it put off, since the last hand-over that came to anything."""
    # what was before it was opened by hand is not held against it
    since = max(now - LOOK_BACK, provider_gate.last_opened_at(provider) or now - LOOK_BACK)
    tried = Attempt.objects.filter(provider=provider, ended_at__gt=since)
    came = tried.filter(outcome__in=_CAME_TO_SOMETHING).aggregate(last=Max("ended_at"))["last"]
    nothing = tried.filter(outcome=AttemptOutcome.DEFERRED, not_begun=None, ended_at__gt=came or since)
    put_off = nothing.aggregate(n=Count("id"), first=Min("began_at"))
    if put_off["n"] < PUT_OFF_LEAST:
        return None
    return Outage(provider, put_off["first"], f"{put_off['n']} hand-overs put off in a row")
