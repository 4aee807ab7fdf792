"""Read a feed's older pages one after the other, each with its newest entry first. Uses no database."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from newsletter.feeds.archive import page_urls
from newsletter.feeds.fetching.fetch_and_parse import Parse
from newsletter.feeds.fetching.http_client import Fetched, Fetcher, RequestFailed
from newsletter.feeds.parsing.model import ParsedEntry, ParsedFeed

#: So many pages in a row that equal the one before end the archive: a single one may be a coincidence, when as many new posts as
#: a page holds shift everything by one page. So many pages in a row without anything new end it, too.
SAME, BARREN = 2, 10
#: Missing entries that are read at once: as many as one page may have.
MOST = 500
#: Statuses that mean that there is no such page.
_NO_PAGE = frozenset({400, 404, 410})


@dataclass(frozen=True)
class Page:
    """An older page with entries. `next_url` is the URL of the page after it, empty if there is none."""

    url: str
    feed: ParsedFeed
    next_url: str


@dataclass(frozen=True)
class NoMorePages:
    """The archive is read to its end. `had_pages` is False if there was no older page at all."""

    had_pages: bool


@dataclass(frozen=True)
class PageFailed:
    """The page at `url` could not be read. `reason` says what to do."""

    reason: str
    url: str


@dataclass(frozen=True)
class RecoveredEntries:
    """The entries of older pages that are not known, newest first.

    `reached_known`: the pages were read down to a known entry, so nothing above it is missing. If not, `error` says why.
    `pages` is how many were read.
    """

    entries: tuple[ParsedEntry, ...]
    reached_known: bool
    pages: int
    error: str = ""


@dataclass(frozen=True)
class _Missing:
    """The response is no page of this archive; `gone`: the site says that there is none."""

    reason: str
    gone: bool


@dataclass(frozen=True)
class PageReader:
    """Reads pages one at a time, `pause` seconds apart. `now` bounds the dates that are believed."""

    fetcher: Fetcher
    parse: Parse
    now: datetime
    pause: float = 1.0

    def read(self, url: str) -> ParsedFeed | _Missing | PageFailed:
        """Read the page at `url`."""
        time.sleep(self.pause)
        response = self.fetcher.get(url)
        if isinstance(response, RequestFailed):
            status = response.status or 0
            refused = 400 <= status < 500 and status != 429
            return _Missing(response.reason, status in _NO_PAGE) if refused else PageFailed(response.reason, url)
        if not isinstance(response, Fetched):
            return PageFailed("it sent nothing: try again later", url)
        parsed = self.parse(response.body, url=response.url, content_type=response.content_type, now=self.now)
        return parsed if isinstance(parsed, ParsedFeed) else _Missing(parsed.reason, gone=False)


def _key(entry: ParsedEntry) -> str:
    """Return what distinguishes an entry from the others of its feed, also where many share a guid or link."""
    return f"{entry.guid or entry.url} {entry.title}"


def older_pages(
    feed_url: str, first: ParsedFeed, reader: PageReader, *, start: str = ""
) -> Iterator[Page | NoMorePages | PageFailed]:
    """Yield the pages older than `first`, the feed's present page; at last one NoMorePages or PageFailed.

    `start` is the URL of the page to begin with, from an earlier reading; without it each candidate is tried until one leads to
    older entries.
    """
    for url in (start,) if start else page_urls.first_page_candidates(feed_url, first):
        is_archive = bool(start)
        for step in _pages_from(url, first, reader, is_archive=is_archive):
            if isinstance(step, Page | PageFailed):
                yield step
            if isinstance(step, PageFailed):
                return
            is_archive = is_archive or isinstance(step, Page)
        if is_archive:
            yield NoMorePages(had_pages=True)
            return
    yield NoMorePages(had_pages=False)


def _pages_from(url: str, first: ParsedFeed, reader: PageReader, *, is_archive: bool) -> Iterator[Page | PageFailed]:
    """Yield the pages from `url` on; none if it leads to no archive. `is_archive`: it is known to lead to one."""
    previous = {_key(entry) for entry in first.entries}
    seen, read, same, barren = set(previous), set[str](), 0, 0
    while url and url not in read and same < SAME and barren < BARREN:
        read.add(url)
        page = reader.read(url)
        if isinstance(page, PageFailed):
            yield page
            return
        if isinstance(page, _Missing):
            if is_archive and not page.gone:
                yield PageFailed(page.reason, url)
            return
        keys = {_key(entry) for entry in page.entries}
        if not keys or (page_urls.must_repeat_feed(url) and not keys & seen):
            return
        next_url = page_urls.next_page(url, page)
        same, barren = (same + 1 if keys == previous else 0), (0 if keys - seen else barren + 1)
        if not barren:
            is_archive = True
            yield Page(url, page, next_url)
        seen |= keys
        previous, url = keys, next_url


def read_until_known(
    feed_url: str, first: ParsedFeed, known: frozenset[str], reader: PageReader, *, most_pages: int = 20
) -> RecoveredEntries:
    """Read older pages of a feed down to a known entry.

    `known` holds the guids of its stored entries, and their links as far as no two share one. The entries of `first`, the feed's
    present page, count neither as missing nor as known: a post may be pinned to the top.
    """
    seen = {_key(entry) for entry in first.entries}
    missing, pages = list[ParsedEntry](), 0
    for page in older_pages(feed_url, first, reader):
        if isinstance(page, PageFailed):
            return RecoveredEntries(tuple(missing), False, pages, page.reason)
        if isinstance(page, NoMorePages):
            break
        pages += 1
        entries = [entry for entry in page.feed.entries if _key(entry) not in seen]
        is_new = [known.isdisjoint((entry.guid, entry.url)) for entry in entries]
        last_known = max((index for index, new in enumerate(is_new) if not new), default=None)
        # what stands below the last known entry is history that was never read, not news
        missing += [entry for entry, new in zip(entries[:last_known], is_new, strict=False) if new]
        if last_known is not None:
            return RecoveredEntries(tuple(missing), True, pages)
        if pages == most_pages or len(missing) >= MOST:
            return RecoveredEntries(tuple(missing), False, pages, f"{pages} older pages hold nothing that is known")
        seen |= {_key(entry) for entry in entries}
    ended = "its archive ends before anything that is known" if pages else "it has no older pages that can be read"
    return RecoveredEntries(tuple(missing), False, pages, ended)
