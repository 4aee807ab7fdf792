"""Totals over all people: how many there are, how many joined and left day by day, and how many must not be mailed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Case, Count, IntegerField, QuerySet, Value, When
from django.db.models.functions import TruncDate
from django.utils import timezone

from newsletter.models import Subscriber, Suppression
from newsletter.subscribers.unsubscribe import UNDO

#: How far back the days go.
DAYS: Final = 90
#: Suppressions are counted by their age: up to so many days, and older.
AGES: Final = (7, 30, 365)
_LEAVING: Final = (Suppression.Reason.LEFT, Suppression.Reason.UNSUBSCRIBE)


@dataclass(frozen=True)
class DayOfPeople:
    """A day in the zone that is active. None: before anything is known."""

    day: date
    #: Who confirmed on that day and is still here, or left within the last 14 days: others are deleted.
    joined: int | None
    left: int | None


@dataclass(frozen=True)
class SuppressionTotals:
    """Suppressions of one reason: by age (up to 7 days, 30 days, a year, older), and in all."""

    reason: str
    by_age: tuple[int, ...]

    @property
    def all(self) -> int:
        """The sum over all ages."""
        return sum(self.by_age)


def joined_and_left(*, now: datetime, today: date) -> list[DayOfPeople]:
    """The last 90 days, the oldest first.

    Who left is deleted after 14 days; of earlier days a keyed hash of the address is counted, which goes when somebody comes
    back. Nothing is known of the days before the first of all these rows.
    """
    since = now - timedelta(days=DAYS)
    joined = _by_day(Subscriber.objects.filter(confirmed_at__gte=since), "confirmed_at")
    left = _by_day(Subscriber.objects.filter(state=Subscriber.State.LEFT, left_at__gte=now - UNDO), "left_at")
    remains = Suppression.objects.filter(reason__in=_LEAVING, lifted_at=None, since__gte=since, since__lt=now - UNDO)
    for day, count in _by_day(remains, "since").items():
        left[day] = left.get(day, 0) + count
    first = _first_day() or today
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    return [
        DayOfPeople(day, joined.get(day, 0) if day >= first else None, left.get(day, 0) if day >= first else None)
        for day in days
    ]


def suppressions(*, now: datetime) -> list[SuppressionTotals]:
    """Suppressions in force by reason and age, the most frequent reason first; no reason that nobody has."""
    bounds = [When(since__gt=now - timedelta(days=days), then=Value(place)) for place, days in enumerate(AGES)]
    age = Case(*bounds, default=Value(len(AGES)), output_field=IntegerField())
    rows = Suppression.objects.filter(lifted_at=None).annotate(age=age).values_list("reason", "age")
    counted: dict[str, list[int]] = {}
    for reason, place, count in rows.annotate(n=Count("address_index")).order_by():
        counted.setdefault(reason, [0] * (len(AGES) + 1))[place] = count
    totals = [SuppressionTotals(reason, tuple(by_age)) for reason, by_age in counted.items()]
    return sorted(totals, key=lambda row: -row.all)


def _by_day(rows: QuerySet, column: str) -> dict[date, int]:  # type: ignore[type-arg]
    return dict(rows.annotate(of=TruncDate(column)).order_by().values_list("of").annotate(n=Count("pk")))


def _first_day() -> date | None:
    first = Subscriber.objects.order_by("id").values_list("created_at", flat=True).first()
    return timezone.localtime(first).date() if first else None
