"""Requests to read a feed's archive, which a worker carries out page by page (`feeds/requested_backfill.py`).

How a request stands is in the feed's row, so that it survives any process and pages can show its progress.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import record
from newsletter.feeds.archive.page_urls import next_numbered_page
from newsletter.feeds.catalogue.new_feed import thing_of
from newsletter.lib.refused import Refused
from newsletter.models import Feed

_STATES = Feed.Backfill


@dataclass(frozen=True)
class ArchiveProgress:
    """How far a feed's archive is read. `state` is a `Feed.Backfill`; `pages` counts all older pages that were ever read of it.

    `until` is the number of pages at which a request ends, 0 for the archive's end; `items` are the new ones of that request.
    """

    state: str
    pages: int
    until: int
    items: int
    error: str
    #: It goes on from the page where it stopped.
    begun: bool
    #: The page that comes next can be left out.
    can_skip: bool

    @property
    def is_running(self) -> bool:
        """True while a worker reads on by itself."""
        return self.state == _STATES.WAITING

    @property
    def is_read(self) -> bool:
        """True if it was read to its end."""
        return bool(self.pages) and not self.begun


def progress_of(feed_id: int) -> ArchiveProgress | None:
    """Return how far the archive of a feed is read; None if there is no such feed."""
    feed = Feed.objects.filter(id=feed_id).first()
    if feed is None:
        return None
    return ArchiveProgress(
        feed.backfill_state,
        feed.backfilled,
        feed.backfill_until,
        feed.backfill_items,
        feed.backfill_error,
        bool(feed.backfill_page),
        bool(next_numbered_page(feed.backfill_page)) if feed.backfill_page else False,
    )


def request_archive(
    feed_id: int, *, pages: int = 0, restart: bool = False, skip: bool = False, now: datetime, actor: Actor
) -> Refused | None:
    """Ask for the next `pages` older pages of a feed (0: all), from where an earlier reading stopped. Nothing of it is mailed.

    `restart` begins with the newest page again, `skip` leaves out the page that is next. Returns None if it was asked for.
    """
    with transaction.atomic():
        feed = Feed.objects.select_for_update().filter(id=feed_id).first()
        if feed is None:
            return Refused(f"there is no feed {feed_id}: see 'newsletter feeds list'")
        if feed.backfill_due_at is not None:
            return Refused("its archive is being read already")
        if feed.started_at is None:
            return Refused("its current entries have not been read yet: check it first")
        page, read = ("", 0) if restart else (feed.backfill_page, feed.backfilled)
        if read and not page:
            return Refused("its archive is read to the end: restart it to read it again")
        if skip and not (page := next_numbered_page(page)):
            return Refused("the next page cannot be skipped, because only it names the page after it")
        columns = {
            "backfill_page": page,
            "backfilled": read,
            "backfill_due_at": now,
            "backfill_until": read + pages if pages else 0,
            "backfill_state": _STATES.WAITING,
            "backfill_items": 0,
            "backfill_error": "",
        }
        Feed.objects.filter(id=feed_id).update(**columns)
        after = {"pages": pages or "all", "restart": restart, "skip": skip}
        record(actor, "feed.backfill", thing_of(feed), now=now, after=after)
    return None


def stop_archive(feed_id: int, *, now: datetime, actor: Actor) -> Refused | None:
    """Stop reading the archive of a feed; a page that is being read is still stored. Returns None if it was stopped."""
    with transaction.atomic():
        running = Feed.objects.filter(id=feed_id, backfill_due_at__isnull=False)
        feed = running.select_for_update().first()
        if feed is None:
            return Refused("its archive is not being read")
        running.update(backfill_due_at=None, backfill_state=_STATES.STOPPED)
        record(actor, "feed.backfill_stop", thing_of(feed), now=now)
    return None
