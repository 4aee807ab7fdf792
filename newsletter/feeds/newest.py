"""Which entries of a long feed are read: the newest, wherever they stand in it."""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from newsletter.feeds.fields import ENTRY_CAP

#: A feed is in order when so many of its neighbours are: a pinned post, or one that was dated again, changes nothing.
IN_ORDER = 0.9
_NUMBER = re.compile(r"\d{1,18}(?=\D*\Z)")


def newest(dates: Sequence[datetime | None], names: Sequence[str], cap: int = ENTRY_CAP) -> range | list[int]:
    """The places of the `cap` newest of several entries, in the feed's order.

    `dates` are theirs, None where there is none; `names` their guids or links, whose last numbers tell the order where the dates
    do not. A feed in order keeps one end; of one without order by date the newest count; where nothing tells, the first.
    """
    count = len(dates)
    if count <= cap:
        return range(count)
    dated = [one.timestamp() for one in dates if one is not None]
    rising = _share_rising(dated) if 2 * len(dated) >= count else None
    if rising is None:
        rising = _share_rising([int(hit[0]) for hit in map(_NUMBER.search, names) if hit])
    if rising is None or rising <= 1 - IN_ORDER:
        return range(cap)
    if rising >= IN_ORDER:
        return range(count - cap, count)
    oldest = min(dated, default=0.0)
    stamps = [one.timestamp() if one is not None else oldest for one in dates]
    return sorted(sorted(range(count), key=lambda at: -stamps[at])[:cap])


def _share_rising(row: Sequence[float]) -> float | None:
    """Of neighbours that differ, the share whose second is greater; None when too few tell."""
    steps = [after - before for before, after in pairwise(row) if after != before]
    return sum(step > 0 for step in steps) / len(steps) if len(steps) > 1 else None
