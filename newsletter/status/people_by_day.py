"""Who joined and left day by day, counted at most once a minute: it reads a row for each person."""

from datetime import date, datetime

from django.utils import timezone

from newsletter.status.remembered import Remembered
from newsletter.subscribers.totals import DayOfPeople, joined_and_left

_DAYS: Remembered[list[DayOfPeople]] = Remembered(60)


def people_by_day(*, now: datetime, today: date) -> list[DayOfPeople]:
    """The last 90 days in the zone that is active."""
    zone = timezone.get_current_timezone_name()
    return _DAYS.get((zone, today), lambda: joined_and_left(now=now, today=today))
