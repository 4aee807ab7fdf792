"""The last days as small charts: what came in, what matched, what went out, what came back."""

from collections.abc import Callable, Sequence

from django.utils.translation import gettext as _

from newsletter.status.days import DayNumbers
from newsletter.web.desk.charts import BarChart, bar_chart
from newsletter.web.filters import short_day


def day_charts(days: Sequence[DayNumbers]) -> dict[str, BarChart]:
    """A chart of each number, by its name. A day of which nothing is known is a gap."""
    kinds: dict[str, tuple[str, Callable[[DayNumbers], int]]] = {
        "new_items": (_("Items by day, {count} today"), lambda day: day.items),
        "matched": (_("Matched items by day, {count} today"), lambda day: day.matched),
        "mails": (_("Mails by day, {count} today"), lambda day: day.mails),
        "bounced": (_("Bounced mails by day, {count} today"), lambda day: day.bounced),
    }
    return {name: _chart(label, days, number) for name, (label, number) in kinds.items()}


def _chart(label: str, days: Sequence[DayNumbers], number: Callable[[DayNumbers], int]) -> BarChart:
    points = [(short_day(day.day), number(day) if day.known else None) for day in days]
    return bar_chart(label.format(count=f"{number(days[-1]):,}"), points)
