"""Find the feed at a URL that somebody wants to add. Fetches and parses, stores nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.feeds.cutting.cut import Piece, cut_entry
from newsletter.feeds.fetching.http_client import Fetched, Fetcher, RequestFailed, parse_url
from newsletter.feeds.parsing.model import NotAFeed, ParsedEntry, ParsedFeed
from newsletter.feeds.sandbox.sandboxed_parse import parse_in_sandbox
from newsletter.feeds.storage.announcement import FeedHistory, announcement
from newsletter.feeds.storage.entry_filter import passes_filter
from newsletter.feeds.storage.entry_identity import identify
from newsletter.lib.refused import Refused

#: Entries of a feed that are shown cut.
NEWEST = 5


@dataclass(frozen=True)
class FoundFeed:
    """A feed. `url` is what to poll, `came_from` the last URL of all redirects; `note` says if a web page led to it."""

    url: str
    came_from: str
    feed: ParsedFeed
    note: str = ""


@dataclass(frozen=True)
class SeveralFeeds(Refused):
    """A web page names several feeds: one of `urls` is to be chosen."""

    urls: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckedEntry:
    """An entry cut into the items that it would become, and why."""

    title: str
    url: str
    published_at: datetime | None
    reason: str
    pieces: tuple[Piece, ...]
    left_out: str
    author: str = ""
    categories: tuple[str, ...] = ()
    lang: str = ""
    #: False: the filter that was asked for would reject it.
    through: bool = True
    #: The values of `Feed.announce` under which the first poll would mail it.
    mailed_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckedFeed:
    """A feed of `total` entries that are read, of which a filter would accept `through`, and the newest of them cut.

    `left_out` more are too old to be read.
    """

    url: str
    title: str
    site_url: str
    language: str
    total: int
    through: int
    note: str
    entries: tuple[CheckedEntry, ...]
    left_out: int = 0


def normal_url(text: str) -> str:
    """Return a feed's URL as it is stored: with a scheme, without fragment; empty if it cannot be one."""
    plain = text.strip()
    url = parse_url(plain if "://" in plain else f"https://{plain}")
    return str(url) if url is not None else ""


def find_feed(text: str, *, fetcher: Fetcher, now: datetime) -> FoundFeed | Refused:
    """Find the feed at an address as a person typed it; a web page that names exactly one feed leads to that."""
    url = normal_url(text)
    if not url:
        return Refused(
            "this is not an http or https URL, or it has a user name or password: check it for typing errors"
        )
    page = _read(url, fetcher, now)
    if isinstance(page, NotAFeed) and len(page.feed_links) == 1 and normal_url(page.feed_links[0]):
        linked = normal_url(page.feed_links[0])
        second = _read(linked, fetcher, now)
        if isinstance(second, FoundFeed):
            return FoundFeed(second.url, second.came_from, second.feed, f"{url} is a web page; its feed is {linked}")
    if isinstance(page, NotAFeed):
        links = tuple(dict.fromkeys(filter(None, map(normal_url, page.feed_links))))
        reason = f"{url}: {page.reason}"
        return SeveralFeeds(reason, links) if len(links) > 1 else Refused(reason)
    return page


def check_entries(
    source: FoundFeed,
    *,
    mode: str = "auto",
    only: Mapping[str, Sequence[str]] | None = None,
    most: int = NEWEST,
) -> CheckedFeed:
    """Cut the newest entries of a feed, `most` at most, as `mode` says; `only` filters them (see `passes_filter`)."""
    feed, only = source.feed, only or {}
    # a feed with too many entries may have its newest at the end
    shown = sorted(feed.entries, key=_moment, reverse=True) if feed.left_out else feed.entries
    mailed_by = _mailed_by(feed)
    entries = tuple(
        replace(_cut(entry, mode, passes_filter(only, entry)), mailed_by=mailed_by.get(id(entry), ()))
        for entry in shown[:most]
    )
    through = sum(passes_filter(only, entry) for entry in feed.entries)
    return CheckedFeed(
        source.url,
        feed.title,
        feed.site_url,
        feed.language,
        len(feed.entries),
        through,
        source.note,
        entries,
        feed.left_out,
    )


def _mailed_by(feed: ParsedFeed) -> dict[int, tuple[str, ...]]:
    """Which choices of `announce` would mail an entry in the first poll, by the id of the object."""
    entries = identify(feed.entries, frozenset())
    chosen = {
        choice: announcement(
            FeedHistory(choice, None, is_empty=True), entries, (), truncated=False, oldest_stored=_no_entry_is_stored
        )
        for choice in ("latest", "all")
    }
    return {
        id(identified.entry): tuple(choice for choice, guids in chosen.items() if identified.guid in guids)
        for identified in entries
    }


def _no_entry_is_stored() -> datetime:
    raise AssertionError("the date of the oldest stored entry decides nothing before the first poll")


def _moment(entry: ParsedEntry) -> float:
    return entry.published_at.timestamp() if entry.published_at else 0.0


def _read(url: str, fetcher: Fetcher, now: datetime) -> FoundFeed | NotAFeed | Refused:
    response = fetcher.get(url)
    if not isinstance(response, Fetched):
        reason = response.reason if isinstance(response, RequestFailed) else "it sent nothing: try again later"
        return Refused(f"{url}: {reason}")
    parsed = parse_in_sandbox(response.body, url=response.url, content_type=response.content_type, now=now)
    if isinstance(parsed, ParsedFeed):
        return FoundFeed(url, response.url, parsed)
    return parsed if isinstance(parsed, NotAFeed) else Refused(f"{url}: {parsed.reason}")


def _cut(entry: ParsedEntry, mode: str, through: bool) -> CheckedEntry:
    cut = cut_entry(entry, mode)
    return CheckedEntry(
        title=entry.title,
        url=entry.url,
        published_at=entry.published_at,
        reason=cut.reason,
        pieces=cut.pieces,
        left_out=cut.left_out.strip(),
        author=entry.author,
        categories=entry.categories,
        lang=entry.lang,
        through=through,
    )
