"""Choose the newest entries of a long feed, wherever they stand in it."""

import html
import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from newsletter.feeds.dates.feed_dates import FeedDates
from newsletter.feeds.parsing.entry_fields import DateBounds
from newsletter.feeds.parsing.model import ENTRY_CAP

#: A feed is in order when so many of its neighbours are: a pinned post, or one that was dated again, changes nothing.
IN_ORDER = 0.9
_EDGE = re.compile(
    r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<(?P<end>/?)(?:\w+:)?(?:item|entry)(?=[\s/>])[^<>]*?(?P<empty>/?)>",
    re.DOTALL | re.IGNORECASE,
)


def _element_text(names: str) -> re.Pattern[str]:
    return re.compile(rf"<(?:\w+:)?(?:{names})\b[^<>]*>\s*(?:<!\[CDATA\[)?([^<\]]+)", re.IGNORECASE)


#: A date and a name of an entry, from its source, the better first.
_DATES = (_element_text("pubdate|published|issued"), _element_text("updated|modified|date"), _element_text("created"))
_NAMES = (_element_text("guid|id"), re.compile(r"\babout\s*=\s*[\"']([^\"']+)"), _element_text("link"))
_NUMBER = re.compile(r"\d{1,18}(?=\D*\Z)")


def newest(dates: Sequence[datetime | None], names: Sequence[str], cap: int = ENTRY_CAP) -> range | list[int]:
    """The places of the `cap` newest of several entries, in the feed's order.

    `dates` are theirs, None where there is none; `names` their guids or links, whose last numbers tell the order where the dates
    do not. A feed in order keeps one end; of one without order by date the newest count; where nothing tells, the first.
    """
    count = len(dates)
    if count <= cap:
        return range(count)
    dated = [moment.timestamp() for moment in dates if moment is not None]
    rising = _share_rising(dated) if 2 * len(dated) >= count else None
    if rising is None:
        rising = _share_rising([int(hit[0]) for hit in map(_NUMBER.search, names) if hit])
    if rising is None or rising <= 1 - IN_ORDER:
        return range(cap)
    if rising >= IN_ORDER:
        return range(count - cap, count)
    oldest = min(dated, default=0.0)
    stamps = [moment.timestamp() if moment is not None else oldest for moment in dates]
    return sorted(sorted(range(count), key=lambda index: -stamps[index])[:cap])


def _share_rising(row: Sequence[float]) -> float | None:
    """Of neighbours that differ, the share whose second is greater; None when too few tell."""
    steps = [after - before for before, after in pairwise(row) if after != before]
    return sum(step > 0 for step in steps) / len(steps) if len(steps) > 1 else None


def keep_newest(text: str, bounds: DateBounds) -> tuple[str, int]:
    """Return an XML feed with only its `ENTRY_CAP` newest entries, and the number of those removed.

    Parsing them all would take too long.

    A feed whose entries cannot be separated without parsing it stays as it is.
    """
    low = text.count("<item") + text.count("<entry")
    spans = _spans(text) if low > ENTRY_CAP else []
    if len(spans) <= ENTRY_CAP:
        return text, 0
    written = [[html.unescape(date) for date in _dates(text[begin:end])] for begin, end in spans]
    reader = FeedDates([date for row in written for date in row], bounds.check)
    dates = [next(filter(None, map(reader.read, row)), None) for row in written]
    names = [_first(_NAMES, text[begin:end]) for begin, end in spans]
    kept = set(newest(dates, names))
    parts, position = [], 0
    for index, (begin, end) in enumerate(spans):
        parts.append(text[position : end if index in kept else begin])
        position = end
    return "".join([*parts, text[position:]]), len(spans) - len(kept)


def _spans(text: str) -> list[tuple[int, int]]:
    """Where each entry begins and ends; nothing when one stands in another, or has no end."""
    out, begin = [], -1
    for hit in _EDGE.finditer(text):
        if hit["end"] is None:
            continue
        if hit["end"]:
            if begin < 0:
                return []
            out.append((begin, hit.end()))
            begin = -1
        elif begin >= 0:
            return []
        elif hit["empty"]:
            out.append(hit.span())
        else:
            begin = hit.start()
    return out if begin < 0 else []


def _dates(source: str) -> list[str]:
    return [hit[1].strip() for pattern in _DATES for hit in pattern.finditer(source)]


def _first(patterns: Sequence[re.Pattern[str]], source: str) -> str:
    return next((hit[1].strip() for hit in (pattern.search(source) for pattern in patterns) if hit), "")
