"""When a feed is read next: from what it really does, from what it asks for, and from how it failed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

#: Between two reads: at least, at most, and while nothing is known of a feed.
SOONEST, LATEST, UNKNOWN = timedelta(minutes=10), timedelta(hours=24), timedelta(minutes=30)
#: A feed is read so many times between two of its entries.
OFTEN = 12
#: Entries whose dates make the rhythm: at least, at most, and not older than this, or a long silence would count for years.
FEWEST, MOST, LOOK_BACK = 3, 20, timedelta(days=90)
#: A feed that brings nothing for so many times its rhythm, and some days, is silent.
SILENT_TIMES, SILENT_DAYS = 4, timedelta(days=3)


def rhythm(published: Sequence[datetime], now: datetime) -> timedelta | None:
    """The usual time from one entry to the next, None when too few are known.

    It is the mean, not the median: a digest that posts five entries at once each morning is a daily one five times over.
    """
    recent = sorted((one for one in published if now - LOOK_BACK <= one <= now), reverse=True)[:MOST]
    if len(recent) < FEWEST:
        return None
    return max((recent[0] - recent[-1]) / (len(recent) - 1), timedelta(seconds=1))


def after_success(
    posts_every: timedelta | None, newest: datetime | None, *, asked: timedelta, now: datetime, chance: float
) -> timedelta:
    """How long to wait after a read that went well.

    `newest` is when its last entry came: a feed that has fallen silent is read less and less often. `asked` is the longest
    of what the feed and its server ask for. `chance` from 0 to 1 spreads feeds by a tenth either way.
    """
    if posts_every is None:
        wait = UNKNOWN
    else:
        quiet = now - newest if newest else posts_every
        wait = max(posts_every, quiet) / OFTEN
    return min(max(jittered(_between(wait), chance), asked, SOONEST), LATEST)


def after_failure(failures: int, *, asked: timedelta, chance: float) -> timedelta:
    """How long to wait after the `failures`-th failed read in a row: twice as long each time, as the site asks at least."""
    wait = _between(timedelta(minutes=15) * 2 ** min(failures - 1, 10))
    return min(max(jittered(wait, chance), asked), LATEST)


def is_silent(posts_every: timedelta | None, newest: datetime | None, now: datetime) -> bool:
    """True for a feed that has brought nothing for much longer than it used to."""
    if posts_every is None or newest is None:
        return False
    return now - newest > max(SILENT_TIMES * posts_every, SILENT_DAYS)


def jittered(wait: timedelta, chance: float) -> timedelta:
    """`wait` give or take a tenth, so that feeds added together do not stay together."""
    return wait * (0.9 + 0.2 * chance)


def _between(wait: timedelta) -> timedelta:
    return min(max(wait, SOONEST), LATEST)
