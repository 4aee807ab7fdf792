"""Decide when a feed is read next, by how often it posts, what it asks for, and how often it failed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

#: Time between two reads: at least, at most, and while nothing is known of a feed.
SOONEST, LATEST, UNKNOWN = timedelta(minutes=10), timedelta(hours=24), timedelta(minutes=30)
#: A feed is read so many times between two of its entries.
OFTEN = 12
#: Entries whose dates make the rhythm: at least, at most, and not older than this, or one long pause would count for years.
FEWEST, MOST, LOOK_BACK = 3, 20, timedelta(days=90)
#: A feed without a new entry for so many times its rhythm, and so many days, is silent.
SILENT_TIMES, SILENT_DAYS = 4, timedelta(days=3)


def rhythm(published: Sequence[datetime], now: datetime) -> timedelta | None:
    """Return the mean time from one entry to the next; None if too few are known.

    It is not the median: that of a digest which posts five entries at once each morning would be zero.
    """
    recent = sorted((moment for moment in published if now - LOOK_BACK <= moment <= now), reverse=True)[:MOST]
    if len(recent) < FEWEST:
        return None
    return max((recent[0] - recent[-1]) / (len(recent) - 1), timedelta(seconds=1))


def after_success(
    posts_every: timedelta | None, newest: datetime | None, *, asked: timedelta, now: datetime, chance: float
) -> timedelta:
    """Return how long to wait after a successful read.

    `newest` is the date of its last entry: a feed that has fallen silent is read less and less often. `asked` is the longest
    wait that the feed and its server ask for. `chance` from 0 to 1 spreads feeds by a tenth either way.
    """
    if posts_every is None:
        wait = UNKNOWN
    else:
        since_newest = now - newest if newest else posts_every
        wait = max(posts_every, since_newest) / OFTEN
    return min(max(jittered(_between(wait), chance), asked, SOONEST), LATEST)


def after_failure(failures: int, *, asked: timedelta, chance: float) -> timedelta:
    """Return how long to wait after the `failures`-th failed read in a row: twice as long each time, and at least `asked`."""
    wait = _between(timedelta(minutes=15) * 2 ** min(failures - 1, 10))
    return min(max(jittered(wait, chance), asked), LATEST)


def is_silent(posts_every: timedelta | None, newest: datetime | None, now: datetime) -> bool:
    """Return True for a feed without a new entry for much longer than usual."""
    if posts_every is None or newest is None:
        return False
    return now - newest > max(SILENT_TIMES * posts_every, SILENT_DAYS)


def jittered(wait: timedelta, chance: float) -> timedelta:
    """Return `wait` give or take a tenth, so that feeds added together do not stay together."""
    return wait * (0.9 + 0.2 * chance)


def _between(wait: timedelta) -> timedelta:
    return min(max(wait, SOONEST), LATEST)
