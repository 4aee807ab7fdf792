"""Read on in the archives that somebody asked for on a page: some pages of one feed at a time, in a worker."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from newsletter.feeds import backfill
from newsletter.feeds.backfill import Backfilled, Options
from newsletter.feeds.fetching.fetch_and_parse import Parse
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.feeds.sandbox import sandboxed_parse
from newsletter.lib.refused import Refused
from newsletter.models import Feed

#: Older pages that are read in one turn: a turn takes about a minute at most, and ends soon after somebody stops it.
PAGES = 4
#: A worker that dies holds an archive for so long. One that another process reads meanwhile is looked at again after this.
LEASE, AGAIN = timedelta(minutes=5), timedelta(minutes=1)


def read_next(
    *,
    clock: Callable[[], datetime],
    fetcher: Fetcher,
    parse: Parse = sandboxed_parse.parse_in_sandbox,
    pause: float = 1.0,
) -> Backfilled | Refused | None:
    """Read the next pages of the archive that waits longest, and record in the feed's row how its request stands.

    Returns None if none waits. What was stored is as by `backfill`: never mailed.

    Raises:
        DatabaseError: the database does not answer; the archive is read on when its lease is over.
    """
    now = clock()
    feed = Feed.objects.filter(backfill_due_at__lte=now).order_by("backfill_due_at", "id").first()
    if feed is None:
        return None
    lease = now + LEASE
    mine = Feed.objects.filter(id=feed.id, backfill_due_at=lease)
    if not Feed.objects.filter(id=feed.id, backfill_due_at=feed.backfill_due_at).update(backfill_due_at=lease):
        return None
    counted = 0

    def count(so_far: Backfilled) -> None:
        nonlocal counted
        Feed.objects.filter(id=feed.id).update(backfill_items=F("backfill_items") + so_far.items - counted)
        counted = so_far.items

    left = feed.backfill_until - feed.backfilled if feed.backfill_until else PAGES
    options = Options(max(1, min(PAGES, left)), pause)
    done = backfill.backfill(feed.id, options, fetcher=fetcher, clock=clock, actor=None, parse=parse, progress=count)
    mine.update(**_columns(done, feed.backfill_until, clock()))
    return done


def _columns(done: Backfilled | Refused, until: int, now: datetime) -> dict[str, Any]:
    """How the request stands now. While it is not over it is due again."""
    if isinstance(done, Refused):
        return {"backfill_due_at": None, "backfill_state": Feed.Backfill.FAILED, "backfill_error": done.reason}
    if done.status == "overtaken":
        return {"backfill_due_at": now + AGAIN}
    if done.status == "more" and not (until and done.pages_in_all >= until):
        return {"backfill_due_at": now}
    return {"backfill_due_at": None, "backfill_state": done.status, "backfill_error": done.error}
