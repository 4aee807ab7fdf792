"""A provider that leaves us in doubt again and again is left alone, and tried with one mail now and then."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import F

from newsletter.lib import db
from newsletter.lib.provider_interface import Accepted, Outcome, Rejected, Unknown
from newsletter.models import Breaker

log = structlog.get_logger()

#: Doubtful answers in a row, from all workers together, after which no further batch is risked.
OPEN_AFTER = 5
#: Minutes before the first, second, … probe; the last one repeats.
PROBE_AFTER = (1, 2, 5, 15)

#: Conditions of SQL, to be asked along with others: whether this provider is left alone, or was silent last.
OPEN = "EXISTS (SELECT 1 FROM breaker WHERE provider=%(provider)s AND open_until IS NOT NULL)"
DOUBTED = "EXISTS (SELECT 1 FROM breaker WHERE provider=%(provider)s AND (in_a_row>0 OR open_until IS NOT NULL))"


@dataclass(frozen=True)
class OpenBreaker:
    """A provider that is left alone, since when, and when it is tried next."""

    provider: int
    since: datetime | None
    next_probe_at: datetime
    in_a_row: int


def open_breakers() -> list[OpenBreaker]:
    """The providers that are left alone."""
    found = Breaker.objects.filter(open_until__isnull=False).order_by("provider")
    return [OpenBreaker(one.provider, one.opened_at, one.open_until, one.in_a_row) for one in found if one.open_until]


def is_open(provider: int) -> bool:
    """Whether this provider is left alone."""
    return Breaker.objects.filter(provider=provider, open_until__isnull=False).exists()


def take_probe(provider: int, *, now: datetime) -> bool:
    """Whether the caller is the one who may try an open provider now; the next may a while later, whatever becomes of it."""
    row = Breaker.objects.filter(provider=provider, open_until__lte=now).first()
    if row is None:
        return False
    later = now + _wait(row.probes + 1)
    return bool(
        Breaker.objects.filter(provider=provider, open_until=row.open_until).update(
            open_until=later, probes=F("probes") + 1
        )
    )


def record_answers(provider: int, outcomes: Iterable[Outcome], *, now: datetime) -> bool:
    """Count the answers of one hand-over, in the caller's transaction; True when the provider is to be left alone.

    Only doubt counts: an answer, even a no, closes the breaker; a connection that never came to be says nothing.
    """
    told = list(outcomes)
    if any(isinstance(one, Accepted | Rejected) for one in told):
        if not db.rows(f"SELECT 1 WHERE {DOUBTED}", {"provider": provider}, prepared=True):
            return False
        back = Breaker.objects.filter(provider=provider, open_until__isnull=False)
        if back.update(open_until=None, opened_at=None, in_a_row=0, probes=0):
            log.warning("provider_answers_again", provider=provider)
        Breaker.objects.filter(provider=provider, in_a_row__gt=0).update(in_a_row=0)
        return False
    if not any(isinstance(one, Unknown) for one in told):
        return False
    Breaker.objects.bulk_create([Breaker(provider=provider)], ignore_conflicts=True)
    Breaker.objects.filter(provider=provider).update(in_a_row=F("in_a_row") + 1)
    too_many = Breaker.objects.filter(provider=provider, open_until=None, in_a_row__gte=OPEN_AFTER)
    if too_many.update(open_until=now + _wait(0), opened_at=now, probes=0):
        log.error("provider_left_alone", provider=provider, unknown=OPEN_AFTER)
    return is_open(provider)


def _wait(probes: int) -> timedelta:
    return timedelta(minutes=PROBE_AFTER[min(probes, len(PROBE_AFTER) - 1)])
