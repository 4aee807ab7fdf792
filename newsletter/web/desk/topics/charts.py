"""Charts of items per week."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext, ngettext

from newsletter.web.desk.charts import BarChart, bar_chart


def weeks_until(now: datetime, counts: Sequence[int]) -> BarChart:
    """The chart of a topic in lists: items in each week of seven days, the last of which ends now."""
    today = timezone.localdate(now)
    names = [_week(today - timedelta(days=7 * (len(counts) - number) - 1)) for number in range(len(counts))]
    words = ngettext(
        "Items per week, %(weeks)d weeks; the last week: %(last)d",
        "Items per week, %(weeks)d weeks; the last week: %(last)d",
        counts[-1],
    )
    return bar_chart(
        words % {"weeks": len(counts), "last": counts[-1]}, zip(names, counts, strict=True), width=130, height=24
    )


def calendar_weeks(label: str, mondays: Sequence[date], counts: Sequence[int | None], top: int) -> BarChart:
    """The chart of one side of a preview. `top`: the highest count of both sides, so that they can be compared."""
    return bar_chart(label, zip(map(_week, mondays), counts, strict=True), height=56, top=top)


def _week(first: date) -> str:
    return gettext("Week of %(day)s") % {"day": f"{first.day} {first:%b}"}
