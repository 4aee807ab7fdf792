"""Count what may still be mailed today under the daily cap: from the ledger, so that a restart forgets nothing. Days are UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum

from newsletter.config.rate_limits import RateLimits
from newsletter.models import Attempt, Batch, BatchState, Lane


@dataclass(frozen=True)
class DailyAllowance:
    """A provider's day. `used`: mails that a worker holds, or whose hand-over began today and was not disproved.

    `waiting` are mails that are due and wait for the next day. Notices are counted, and never wait.
    """

    provider: str
    cap: int
    used: int
    waiting: int
    next_day: datetime

    @property
    def left(self) -> int:
        """Mails that may still go today."""
        return max(self.cap - self.used, 0)


def daily_allowance(limits: RateLimits, name: str, number: int, *, now: datetime) -> DailyAllowance | None:
    """The allowance of a provider today. Returns None if it has no daily cap."""
    cap = limits.cap(name, now.date())
    if cap is None:
        return None
    used = used_today(number, now=now)
    due = Batch.objects.filter(state=BatchState.PLANNED, provider=number, not_before__lte=now).exclude(lane=Lane.NOTICE)
    waiting = (due.aggregate(Sum("size"))["size__sum"] or 0) if used >= cap else 0
    return DailyAllowance(name, cap, used, waiting, _midnight(now) + timedelta(days=1))


def used_today(number: int, *, now: datetime, but: int | None = None) -> int:
    """Mails of today, without the batch `but`: once for each hand-over, so twice where one went again by somebody's word.

    Mails of a batch that were cancelled before it went are counted with it, so the day may end some mails early, and never late.
    Whoever decides by this figure holds the gate's row meanwhile, and leaves what it takes claimed: so no two take the same.
    """
    # claims first: a batch that is started between the two queries is then counted twice, and never missed
    claims = Batch.objects.filter(provider=number, state=BatchState.CLAIMED).exclude(id=but or 0)
    claimed = claims.aggregate(Sum("size"))["size__sum"] or 0
    attempts = Attempt.objects.filter(provider=number, began_at__gte=_midnight(now), disproved=False)
    return claimed + (attempts.aggregate(Sum("batch__size"))["batch__size__sum"] or 0)


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
