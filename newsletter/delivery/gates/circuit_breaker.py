"""Circuit breaker: stop sending to a provider after `OPEN_AFTER` doubtful answers in a row, and probe it with one mail."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import F

from newsletter.audit import actor
from newsletter.audit.record import record
from newsletter.delivery.gates.provider_gate import thing_of
from newsletter.lib import db
from newsletter.lib.mail.provider_interface import Accepted, Outcome, Rejected, Unknown
from newsletter.models import Breaker

log = structlog.get_logger()

#: Doubtful answers in a row, from all workers together, after which no further batch is risked.
OPEN_AFTER = 5
#: Minutes before the first, second, … probe; the last one repeats.
PROBE_AFTER = (1, 2, 5, 15)

#: SQL conditions: whether this provider's breaker is open; whether it is, or the last answer was doubtful.
OPEN = "EXISTS (SELECT 1 FROM breaker WHERE provider=%(provider)s AND open_until IS NOT NULL)"
DOUBTED = "EXISTS (SELECT 1 FROM breaker WHERE provider=%(provider)s AND (in_a_row>0 OR open_until IS NOT NULL))"


@dataclass(frozen=True)
class OpenBreaker:
    """A provider whose breaker is open, since when, and when it is probed next."""

    provider: int
    since: datetime | None
    next_probe_at: datetime
    in_a_row: int


def open_breakers() -> list[OpenBreaker]:
    """The providers whose breaker is open."""
    rows = Breaker.objects.filter(open_until__isnull=False).order_by("provider")
    return [OpenBreaker(row.provider, row.opened_at, row.open_until, row.in_a_row) for row in rows if row.open_until]


def is_open(provider: int) -> bool:
    """Whether this provider's breaker is open."""
    return Breaker.objects.filter(provider=provider, open_until__isnull=False).exists()


def take_probe(provider: int, *, now: datetime) -> bool:
    """Whether the caller may probe this provider now; the next one may a while later, whatever comes of it."""
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
    """Count the answers of one hand-over, in the caller's transaction. Returns True if the breaker is open now.

    Only doubtful answers count: a clear one, even a refusal, closes the breaker; a failed connection says nothing.
    """
    answers = list(outcomes)
    if any(isinstance(answer, Accepted | Rejected) for answer in answers):
        if not db.rows(f"SELECT 1 WHERE {DOUBTED}", {"provider": provider}, prepared=True):
            return False
        opened = Breaker.objects.filter(provider=provider, open_until__isnull=False)
        if opened.update(open_until=None, opened_at=None, in_a_row=0, probes=0):
            log.warning("provider_answers_again", provider=provider)
            _record(provider, "provider.use_again", now, {"left_alone": True}, {"left_alone": False})
        Breaker.objects.filter(provider=provider, in_a_row__gt=0).update(in_a_row=0)
        return False
    if not any(isinstance(answer, Unknown) for answer in answers):
        return False
    Breaker.objects.bulk_create([Breaker(provider=provider)], ignore_conflicts=True)
    Breaker.objects.filter(provider=provider).update(in_a_row=F("in_a_row") + 1)
    too_many = Breaker.objects.filter(provider=provider, open_until=None, in_a_row__gte=OPEN_AFTER)
    if too_many.update(open_until=now + _wait(0), opened_at=now, probes=0):
        log.error("provider_left_alone", provider=provider, unknown=OPEN_AFTER)
        _record(provider, "provider.leave_alone", now, {"left_alone": False}, {"left_alone": True})
    return is_open(provider)


def _record(provider: int, action: str, now: datetime, before: dict[str, bool], after: dict[str, bool]) -> None:
    record(actor.from_rule("circuit breaker"), action, thing_of(provider), now=now, before=before, after=after)


def _wait(probes: int) -> timedelta:
    return timedelta(minutes=PROBE_AFTER[min(probes, len(PROBE_AFTER) - 1)])
