"""Reads a feed's archive page by page and stores what is not known, announced to nobody. Each page is kept by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from django.db import transaction

from newsletter.feeds.archive import page_urls
from newsletter.feeds.archive.older_pages import End, Page, Parse, Reader, Trouble, older_pages
from newsletter.feeds.fetching.http_client import Failed, Fetched, Fetcher
from newsletter.feeds.parsing.model import ParsedFeed
from newsletter.feeds.sandbox import sandboxed_parse
from newsletter.feeds.storage import diff, incidents
from newsletter.feeds.storage.save import keep
from newsletter.lib.progress import no_progress
from newsletter.lib.refused import Refused
from newsletter.models import Entry, Feed, Incident


@dataclass(frozen=True)
class Backfilled:
    """What one run did.

    `status`: finished (the archive was read to its end), more (as many pages as were asked for were read), met (a gap is closed;
    what is older was not read), failed (`error` says what to do), overtaken (another process reads it, or it was begun anew or
    removed). `pages`, `entries`, `items` and `bad` (entries that could not be read) count this run; `pages_in_all` all runs
    since the archive was begun.
    """

    feed_id: int
    status: Literal["finished", "more", "met", "failed", "overtaken"]
    pages: int = 0
    entries: int = 0
    items: int = 0
    bad: int = 0
    pages_in_all: int = 0
    error: str = ""


Progress = Callable[[Backfilled], None]


@dataclass(frozen=True)
class _Front:
    """The feed's present page, which belongs to the polls.

    `seen` are the ids of its entries that are stored, `news` the guids of those that are not; `polled_at` is when it was last
    read.
    """

    said: ParsedFeed
    seen: frozenset[int]
    news: frozenset[str]
    polled_at: datetime


def backfill(
    feed_id: int,
    *,
    fetcher: Fetcher,
    clock: Callable[[], datetime],
    parse: Parse = sandboxed_parse.parse_in_sandbox,
    most_pages: int = 0,
    pause: float = 1.0,
    restart: bool = False,
    skip: bool = False,
    progress: Progress = no_progress,
) -> Backfilled | Refused:
    """Read the archive of a feed, at most `most_pages` of it (0: all), from where an earlier run stopped.

    Pages are read `pause` seconds apart. `restart` begins with the newest again, `skip` leaves out the page that is next.
    Nothing that it stores is ever mailed, and what is known stays as it is. `progress` hears of each page.

    Raises:
        DatabaseError: the database does not answer; what was stored stays, and the next run goes on.
    """
    if restart:
        Feed.objects.filter(id=feed_id).update(backfill_page="", backfilled=0)
    feed = Feed.objects.filter(id=feed_id).first()
    if feed is None:
        return Refused(f"there is no feed {feed_id}: see 'newsletter feeds list'")
    if feed.backfilled and not feed.backfill_page:
        return Backfilled(feed_id, "finished", pages_in_all=feed.backfilled)
    if skip and not page_urls.counted_on(feed.backfill_page):
        return Refused("the page that is next cannot be left out, for only it says what follows: run it without --skip")
    reader = Reader(fetcher, parse, clock(), pause)
    front = _front(feed, reader)
    if isinstance(front, Refused):
        return front
    start = page_urls.counted_on(feed.backfill_page) if skip else feed.backfill_page
    pages = older_pages(feed.url, front.said, reader, start=start)
    return _read(feed, front, pages, most_pages, clock, progress)


def _front(feed: Feed, reader: Reader) -> _Front | Refused:
    got = reader.fetcher.get(feed.url)
    if not isinstance(got, Fetched):
        return Refused(got.reason if isinstance(got, Failed) else "the feed sent nothing: try again later")
    said = reader.parse(got.body, url=got.url, content_type=got.content_type, now=reader.now)
    if not isinstance(said, ParsedFeed):
        return Refused(said.reason)
    poll = diff.read(feed, said)
    polled_at = Entry.objects.filter(id__in=poll.seen).order_by("-last_seen_at").values_list("last_seen_at", flat=True)
    if not polled_at:
        return Refused(f"none of its present entries was read yet: run 'newsletter feeds refresh {feed.id}' first")
    news = frozenset(one.one.guid for one in poll.news if one.known is None)
    return _Front(said, frozenset(poll.seen), news, polled_at[0])


def _read(
    feed: Feed,
    front: _Front,
    pages: Iterator[Page | End | Trouble],
    most_pages: int,
    clock: Callable[[], datetime],
    progress: Progress,
) -> Backfilled:
    so_far, at = Backfilled(feed.id, "more", pages_in_all=feed.backfilled), feed.backfill_page
    for page in pages:
        if isinstance(page, Trouble):
            return replace(so_far, status="failed", error=page.reason)
        if isinstance(page, End):
            return _ended(so_far, at, page, clock())
        so_far = _stored(feed, front, page, so_far, at, clock())
        at = page.following
        if so_far.status == "overtaken":
            return so_far
        progress(so_far)
        if so_far.status != "more" or so_far.pages == most_pages:
            return so_far
    return so_far


def _stored(feed: Feed, front: _Front, page: Page, so_far: Backfilled, at: str, now: datetime) -> Backfilled:
    """Keep one page in one transaction, and move on from `at` to the page after it, unless another process did."""
    poll = diff.read(feed, page.feed)
    fresh = _fresh(poll, front)
    with transaction.atomic():
        if not _move(so_far, at, page.following, pages=1):
            return replace(so_far, status="overtaken")
        # the feed's row is locked now: no poll stores the same entry between this look and the end
        there = set(
            Entry.objects.filter(feed=feed, guid__in=[one.one.guid for one in fresh]).values_list("guid", flat=True)
        )
        fresh = tuple(one for one in fresh if one.one.guid not in there)
        kept = keep(feed, diff.Poll(fresh, (), 0), page.feed.language or front.said.language, now)
        met = _met(feed.id, set(poll.seen) - front.seen)
        if met or not page.following:
            incidents.close(feed.id, Incident.Kind.GAP, now)
    return replace(
        so_far,
        status="more" if page.following and not met else "met" if page.following else "finished",
        pages=so_far.pages + 1,
        entries=so_far.entries + len(fresh) - kept.refused,
        items=so_far.items + kept.new,
        bad=so_far.bad + poll.bad + kept.refused,
        pages_in_all=so_far.pages_in_all + 1,
    )


def _fresh(poll: diff.Poll, front: _Front) -> tuple[diff.News, ...]:
    """The entries that nobody knows, never to be mailed; news are left to the next poll, which may mail them."""
    return tuple(
        replace(one, changes=tuple(replace(change, announced=False) for change in one.changes))
        for one in poll.news
        if one.known is None
        and one.one.guid not in front.news
        and not (one.one.entry.published_at and one.one.entry.published_at > front.polled_at)
    )


def _met(feed_id: int, seen: set[int]) -> bool:
    """Whether one of the entries `seen` was there before the gap that is open: what came since is above it."""
    since = incidents.opened_at(feed_id, Incident.Kind.GAP)
    return since is not None and Entry.objects.filter(id__in=seen, first_seen_at__lt=since).exists()


def _ended(so_far: Backfilled, at: str, end: End, now: datetime) -> Backfilled:
    with transaction.atomic():
        if not _move(so_far, at, "", pages=0):
            return replace(so_far, status="overtaken")
        if end.found:
            incidents.close(so_far.feed_id, Incident.Kind.GAP, now)
    return replace(so_far, status="finished")


def _move(so_far: Backfilled, at: str, to: str, *, pages: int) -> bool:
    """Compare and set where the feed's backfill stands; False when it stands elsewhere."""
    mine = Feed.objects.filter(id=so_far.feed_id, backfill_page=at, backfilled=so_far.pages_in_all)
    return bool(mine.update(backfill_page=to, backfilled=so_far.pages_in_all + pages))
