"""The list of topics."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from newsletter import wiring
from newsletter.lib import db
from newsletter.matching.topics.topic_list import TopicRow, topic_rows
from newsletter.matching.topics.topic_state import Rank
from newsletter.web.desk.page import page
from newsletter.web.desk.topics import charts

#: How a state is shown besides its word.
TONES: Final = {
    Rank.BROKEN: "bad",
    Rank.HELD: "warn",
    Rank.NOISY: "warn",
    Rank.WIDE: "warn",
    Rank.SILENT: "warn",
    Rank.LIVE: "good",
    Rank.RETIRED: "quiet",
}
_SHOWN: Final = ("all", "needs", "live", "retired")


@require_safe
def topics(request: HttpRequest) -> HttpResponse:
    """Every topic, those that need somebody first. The filter is in the address."""
    now = db.now()
    rows = topic_rows(now=now, small_number=wiring.config().small_number)
    show, words = request.GET.get("show", ""), " ".join(request.GET.get("q", "").split())
    show = show if show in _SHOWN else "all"
    chosen = [row for row in rows if _is_shown(row, show) and _has(row, words)]
    context = {
        "rows": [(row, charts.weeks_until(now, row.weeks)) for row in chosen],
        "any": bool(rows),
        "counts": {name: sum(_is_shown(row, name) for row in rows) for name in _SHOWN},
        "show": show,
        "words": words,
        "tones": TONES,
    }
    return page(request, "desk/topics/list.html.j2", context)


def _is_shown(row: TopicRow, show: str) -> bool:
    rank = row.condition.rank
    match show:
        case "needs":
            return rank.needs_somebody
        case "live":
            return rank != Rank.RETIRED
        case "retired":
            return rank == Rank.RETIRED
        case _:
            return True


def _has(row: TopicRow, words: str) -> bool:
    wanted = words.casefold()
    return any(wanted in text.casefold() for text in (row.name, row.description, row.query))
