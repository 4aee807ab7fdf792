"""Reads a feed's older pages one after the other, each newest entry first, and catches up with what is known. No database."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from newsletter.feeds.archive import page_urls
from newsletter.feeds.fetching.http_client import Failed, Fetched, Fetcher
from newsletter.feeds.parsing.model import Parsed, ParsedEntry, ParsedFeed

Parse = Callable[..., Parsed]
#: A page that says the same as the one before it so many times in a row is the end of the archive: once may be a coincidence, as
#: many new posts as a page holds shift everything by one page. The end is also so many pages in a row without anything new.
SAME, BARREN = 2, 10
#: Entries that are caught up with at once: as many as one page may have.
MOST = 500
#: Answers that mean: there is no such page.
_NO_PAGE = frozenset({400, 404, 410})


@dataclass(frozen=True)
class Page:
    """An older page with entries. `following` is the URL of the page after it, empty when there is none."""

    url: str
    feed: ParsedFeed
    following: str


@dataclass(frozen=True)
class End:
    """There are no more pages; `found` is False when there were none at all."""

    found: bool


@dataclass(frozen=True)
class Trouble:
    """A page could not be read. `reason` in words, with what to do; `url` is the page's."""

    reason: str
    url: str


@dataclass(frozen=True)
class CaughtUp:
    """What older pages said that is not known, newest first.

    `met`: something known was met, so that nothing between it and the feed is missing. If not, `error` says why in words.
    `pages` is how many were read.
    """

    entries: tuple[ParsedEntry, ...]
    met: bool
    pages: int
    error: str = ""


@dataclass(frozen=True)
class _Missing:
    """The answer is no page of this archive; `gone`: the site says that there is none."""

    reason: str
    gone: bool


@dataclass(frozen=True)
class Reader:
    """Reads pages one at a time, `pause` seconds apart. `now` bounds the dates that are believed."""

    fetcher: Fetcher
    parse: Parse
    now: datetime
    pause: float = 1.0

    def read(self, url: str) -> ParsedFeed | _Missing | Trouble:
        """The page at `url`."""
        time.sleep(self.pause)
        got = self.fetcher.get(url)
        if isinstance(got, Failed):
            status = got.status or 0
            refused = 400 <= status < 500 and status != 429
            return _Missing(got.reason, status in _NO_PAGE) if refused else Trouble(got.reason, url)
        if not isinstance(got, Fetched):
            return Trouble("it sent nothing: try again later", url)
        parsed = self.parse(got.body, url=got.url, content_type=got.content_type, now=self.now)
        return parsed if isinstance(parsed, ParsedFeed) else _Missing(parsed.reason, gone=False)


def _same(entry: ParsedEntry) -> str:
    """What tells an entry from the others of its feed, also where many have one guid or one link."""
    return f"{entry.guid or entry.url} {entry.title}"


def older_pages(feed_url: str, first: ParsedFeed, reader: Reader, *, start: str = "") -> Iterator[Page | End | Trouble]:
    """The pages with what is older than `first`, which the feed says now; at last one End or Trouble.

    `start` is the URL of the page to begin with, from an earlier reading; without it each way of paging is tried until one
    leads to older entries.
    """
    for begin in (start,) if start else page_urls.beginnings(feed_url, first):
        found = bool(start)
        for step in _along(begin, first, reader, found=found):
            if isinstance(step, Page | Trouble):
                yield step
            if isinstance(step, Trouble):
                return
            found = found or isinstance(step, Page)
        if found:
            yield End(found=True)
            return
    yield End(found=False)


def _along(url: str, first: ParsedFeed, reader: Reader, *, found: bool) -> Iterator[Page | Trouble]:
    """The pages of one way; nothing when it is none. `found`: it is known to be one."""
    before = {_same(entry) for entry in first.entries}
    seen, asked, same, barren = set(before), set[str](), 0, 0
    while url and url not in asked and same < SAME and barren < BARREN:
        asked.add(url)
        page = reader.read(url)
        if isinstance(page, Trouble):
            yield page
            return
        if isinstance(page, _Missing):
            if found and not page.gone:
                yield Trouble(page.reason, url)
            return
        said = {_same(entry) for entry in page.entries}
        if not said or (page_urls.begins_anew(url) and not said & seen):
            return
        following = page_urls.following(url, page)
        same, barren = (same + 1 if said == before else 0), (0 if said - seen else barren + 1)
        if not barren:
            found = True
            yield Page(url, page, following)
        seen |= said
        before, url = said, following


def catch_up(
    feed_url: str, first: ParsedFeed, known: frozenset[str], reader: Reader, *, most_pages: int = 20
) -> CaughtUp:
    """Read older pages of a feed until something known is met.

    `known` holds the guids of its stored entries, and their links as far as no two share one. What `first`, the feed's present
    page, holds counts neither as found nor as met: a post may be pinned to the top.
    """
    had = {_same(entry) for entry in first.entries}
    out, pages = list[ParsedEntry](), 0
    for page in older_pages(feed_url, first, reader):
        if isinstance(page, Trouble):
            return CaughtUp(tuple(out), False, pages, page.reason)
        if isinstance(page, End):
            break
        pages += 1
        entries = [entry for entry in page.feed.entries if _same(entry) not in had]
        fresh = [known.isdisjoint((entry.guid, entry.url)) for entry in entries]
        met = max((place for place, is_fresh in enumerate(fresh) if not is_fresh), default=None)
        # what stands below the last known one is history that was never read, not news
        out += [entry for entry, is_fresh in zip(entries[:met], fresh, strict=False) if is_fresh]
        if met is not None:
            return CaughtUp(tuple(out), True, pages)
        if pages == most_pages or len(out) >= MOST:
            return CaughtUp(tuple(out), False, pages, f"{pages} older pages hold nothing that is known")
        had |= {_same(entry) for entry in entries}
    ended = "its archive ends before anything that is known" if pages else "it has no older pages that can be read"
    return CaughtUp(tuple(out), False, pages, ended)
