"""Read a feed's archive page by page and store what is not known, without announcing it. Each page is stored by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, record
from newsletter.feeds.archive import page_urls
from newsletter.feeds.archive.older_pages import NoMorePages, Page, PageFailed, PageReader, older_pages
from newsletter.feeds.fetching.fetch_and_parse import Parse
from newsletter.feeds.fetching.http_client import Fetched, Fetcher, RequestFailed
from newsletter.feeds.parsing.model import ParsedFeed
from newsletter.feeds.sandbox import sandboxed_parse
from newsletter.feeds.storage import diff, incidents
from newsletter.feeds.storage.save import save_poll
from newsletter.lib.progress import no_progress
from newsletter.lib.refused import Refused
from newsletter.models import Entry, Feed, Incident


@dataclass(frozen=True)
class Options:
    """How an archive is read: at most `most_pages` of it (0: all), `pause` seconds apart.

    `restart` begins with the newest page again, `skip` leaves out the page that is next.
    """

    most_pages: int = 0
    pause: float = 1.0
    restart: bool = False
    skip: bool = False


@dataclass(frozen=True)
class Backfilled:
    """What one run did: `pages`, `entries` and `items` that are new, and `bad` entries that could not be read."""

    feed_id: int
    #: finished: the archive was read to its end. more: the pages that were asked for were read. met: a gap is closed, and what is
    #: older was not read. failed: `error` says what to do. overtaken: another process reads it, or it was restarted or removed.
    status: Literal["finished", "more", "met", "failed", "overtaken"]
    pages: int = 0
    entries: int = 0
    items: int = 0
    bad: int = 0
    #: Of all runs since the archive was begun.
    pages_in_all: int = 0
    error: str = ""


@dataclass(frozen=True)
class _PresentPage:
    """The feed's present page, which belongs to the polls."""

    parsed: ParsedFeed
    #: The ids of its entries that are stored, and the guids of those that are not.
    seen_ids: frozenset[int]
    new_guids: frozenset[str]
    #: When it was last read.
    polled_at: datetime


def backfill(
    feed_id: int,
    options: Options,
    *,
    fetcher: Fetcher,
    clock: Callable[[], datetime],
    actor: Actor | None,
    parse: Parse = sandboxed_parse.parse_in_sandbox,
    progress: Callable[[Backfilled], None] = no_progress,
) -> Backfilled | Refused:
    """Read the archive of a feed from where an earlier run stopped, and call `progress` after each page.

    Nothing that it stores is ever mailed, and what is known stays as it is. `actor` None: who asked for it is in the audit log.

    Raises:
        DatabaseError: the database does not answer; what was stored stays, and the next run goes on from there.
    """
    if options.restart:
        Feed.objects.filter(id=feed_id).update(backfill_page="", backfilled=0)
    feed = Feed.objects.filter(id=feed_id).first()
    if feed is None:
        return Refused(f"there is no feed {feed_id}: see 'newsletter feeds list'")
    if feed.state == Feed.State.BY_HAND:
        return Refused("this feed is built in and has no archive")
    if feed.backfilled and not feed.backfill_page:
        return Backfilled(feed_id, "finished", pages_in_all=feed.backfilled)
    start = page_urls.next_numbered_page(feed.backfill_page) if options.skip else feed.backfill_page
    if options.skip and not start:
        return Refused("the next page cannot be skipped, because only it names the page after it: leave out --skip")
    reader = PageReader(fetcher, parse, clock(), options.pause)
    present = _read_present_page(feed, reader)
    if isinstance(present, Refused):
        return present
    if actor is not None:
        run = {"most_pages": options.most_pages, "restart": options.restart, "skip": options.skip}
        record(actor, "feed.backfill", Thing("feed", feed.id, feed.title), now=clock(), after=run)
    pages = older_pages(feed.url, present.parsed, reader, start=start)
    return _store_pages(feed, present, pages, options.most_pages, clock, progress)


def _read_present_page(feed: Feed, reader: PageReader) -> _PresentPage | Refused:
    response = reader.fetcher.get(feed.url)
    if not isinstance(response, Fetched):
        return Refused(
            response.reason if isinstance(response, RequestFailed) else "the feed sent nothing: try again later"
        )
    parsed = reader.parse(response.body, url=response.url, content_type=response.content_type, now=reader.now)
    if not isinstance(parsed, ParsedFeed):
        return Refused(parsed.reason)
    poll = diff.compare(feed, parsed)
    seen = Entry.objects.filter(id__in=poll.seen_ids).order_by("-last_seen_at")
    polled_at = seen.values_list("last_seen_at", flat=True).first()
    if polled_at is None:
        return Refused(f"its current entries have not been read yet: run 'newsletter feeds refresh {feed.id}' first")
    new_guids = frozenset(entry.identified.guid for entry in poll.changed if entry.stored is None)
    return _PresentPage(parsed, frozenset(poll.seen_ids), new_guids, polled_at)


def _store_pages(
    feed: Feed,
    present: _PresentPage,
    pages: Iterator[Page | NoMorePages | PageFailed],
    most_pages: int,
    clock: Callable[[], datetime],
    progress: Callable[[Backfilled], None],
) -> Backfilled:
    so_far, position = Backfilled(feed.id, "more", pages_in_all=feed.backfilled), feed.backfill_page
    for page in pages:
        if isinstance(page, PageFailed):
            return replace(so_far, status="failed", error=page.reason)
        if isinstance(page, NoMorePages):
            return _finish(so_far, position, page, clock())
        so_far = _store_page(feed, present, page, so_far, position, clock())
        position = page.next_url
        if so_far.status == "overtaken":
            return so_far
        progress(so_far)
        if so_far.status != "more" or so_far.pages == most_pages:
            return so_far
    return so_far


def _store_page(
    feed: Feed, present: _PresentPage, page: Page, so_far: Backfilled, position: str, now: datetime
) -> Backfilled:
    """Store one page in one transaction, and move on from `position` to the page after it, unless another process did."""
    poll = diff.compare(feed, page.feed)
    unknown = _unknown_entries(poll, present)
    with transaction.atomic():
        if not _move(so_far, position, page.next_url, pages=1):
            return replace(so_far, status="overtaken")
        # the feed's row is locked now: no poll stores the same entry between this query and the end
        guids = [entry.identified.guid for entry in unknown]
        stored = set(Entry.objects.filter(feed=feed, guid__in=guids).values_list("guid", flat=True))
        unknown = tuple(entry for entry in unknown if entry.identified.guid not in stored)
        language = page.feed.language or present.parsed.language
        saved = save_poll(feed, diff.PollDiff(unknown, (), 0), language, now)
        gap_closed = _reaches_gap(feed.id, set(poll.seen_ids) - present.seen_ids)
        if gap_closed or not page.next_url:
            incidents.close(feed.id, Incident.Kind.GAP, now)
    return replace(
        so_far,
        status="finished" if not page.next_url else "met" if gap_closed else "more",
        pages=so_far.pages + 1,
        entries=so_far.entries + len(unknown) - saved.refused,
        items=so_far.items + saved.new,
        bad=so_far.bad + poll.bad + saved.refused,
        pages_in_all=so_far.pages_in_all + 1,
    )


def _unknown_entries(poll: diff.PollDiff, present: _PresentPage) -> tuple[diff.ChangedEntry, ...]:
    """Return the entries that are not stored, never to be mailed; news are left to the next poll, which may mail them."""
    return tuple(
        replace(entry, changes=tuple(replace(change, announced=False) for change in entry.changes))
        for entry in poll.changed
        if entry.stored is None
        and entry.identified.guid not in present.new_guids
        and not (entry.identified.published_at and entry.identified.published_at > present.polled_at)
    )


def _reaches_gap(feed_id: int, seen_ids: set[int]) -> bool:
    """Return True if one of the entries was stored before the open gap was noticed: what came since stands above it."""
    since = incidents.opened_at(feed_id, Incident.Kind.GAP)
    return since is not None and Entry.objects.filter(id__in=seen_ids, first_seen_at__lt=since).exists()


def _finish(so_far: Backfilled, position: str, end: NoMorePages, now: datetime) -> Backfilled:
    with transaction.atomic():
        if not _move(so_far, position, "", pages=0):
            return replace(so_far, status="overtaken")
        if end.had_pages:
            incidents.close(so_far.feed_id, Incident.Kind.GAP, now)
    return replace(so_far, status="finished")


def _move(so_far: Backfilled, position: str, to: str, *, pages: int) -> bool:
    """Compare and set the page that the feed's backfill is at; False if it is at another one."""
    mine = Feed.objects.filter(id=so_far.feed_id, backfill_page=position, backfilled=so_far.pages_in_all)
    return bool(mine.update(backfill_page=to, backfilled=so_far.pages_in_all + pages))
