"""What is at a URL that somebody wants to add? Fetches and parses, stores nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.feeds.cutting.cut import Piece, cut_entry
from newsletter.feeds.fetching.http_client import Fetched, Fetcher, RequestFailed, parse_url
from newsletter.feeds.parsing.model import NotAFeed, Parsed, ParsedEntry, ParsedFeed
from newsletter.feeds.storage.entry_filter import passes_filter
from newsletter.lib.refused import Refused

Parse = Callable[..., Parsed]


@dataclass(frozen=True)
class Found:
    """A feed. `url` is what to poll; `came_from` is where it was read in the end; `note` says if a web page led to it."""

    url: str
    came_from: str
    feed: ParsedFeed
    note: str = ""


@dataclass(frozen=True)
class CheckedEntry:
    """An entry cut into the articles that it would become, and why."""

    title: str
    url: str
    published_at: datetime | None
    reason: str
    pieces: tuple[Piece, ...]
    left_out: str
    author: str = ""
    categories: tuple[str, ...] = ()
    lang: str = ""
    #: False: the feed, narrowed as asked, would not let it through.
    through: bool = True


@dataclass(frozen=True)
class Checked:
    """What a URL is: a feed of `total` entries that are read, of which a narrowed one would let `through` so many; the newest of
    them cut. `left_out` more are too old to be read."""

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
    """A feed's URL as it is stored: with a scheme, without fragment; empty when it cannot be one."""
    plain = text.strip()
    url = parse_url(plain if "://" in plain else f"https://{plain}")
    return str(url) if url is not None else ""


def find(text: str, *, fetcher: Fetcher, parse: Parse, now: datetime) -> Found | Refused:
    """The feed at an address as a person typed it; a web page that names exactly one feed leads to that."""
    url = normal_url(text)
    if not url:
        return Refused("this is no http or https URL without user name and password: check it for typing errors")
    found = _read(url, fetcher, parse, now)
    if isinstance(found, NotAFeed) and len(found.feed_links) == 1 and normal_url(found.feed_links[0]):
        linked = normal_url(found.feed_links[0])
        second = _read(linked, fetcher, parse, now)
        if isinstance(second, Found):
            return Found(second.url, second.came_from, second.feed, f"{url} is a web page; its feed is {linked}")
    return Refused(f"{url}: {found.reason}") if isinstance(found, NotAFeed) else found


def checked(
    found: Found, *, newest: int = 5, mode: str = "auto", only: Mapping[str, Sequence[str]] | None = None
) -> Checked:
    """`found` with its `newest` entries cut as `mode` says; `only` narrows it (see `choice.passes_filter`)."""
    feed, only = found.feed, only or {}
    # a feed with too many entries may have its newest at the end
    shown = sorted(feed.entries, key=_moment, reverse=True) if feed.left_out else feed.entries
    entries = tuple(_cut(entry, mode, passes_filter(only, entry)) for entry in shown[:newest])
    through = sum(passes_filter(only, entry) for entry in feed.entries)
    return Checked(
        found.url,
        feed.title,
        feed.site_url,
        feed.language,
        len(feed.entries),
        through,
        found.note,
        entries,
        feed.left_out,
    )


def _moment(entry: ParsedEntry) -> float:
    return entry.published_at.timestamp() if entry.published_at else 0.0


def _read(url: str, fetcher: Fetcher, parse: Parse, now: datetime) -> Found | NotAFeed | Refused:
    got = fetcher.get(url)
    if not isinstance(got, Fetched):
        reason = got.reason if isinstance(got, RequestFailed) else "it sent nothing: try again later"
        return Refused(f"{url}: {reason}")
    parsed = parse(got.body, url=got.url, content_type=got.content_type, now=now)
    if isinstance(parsed, ParsedFeed):
        return Found(url, got.url, parsed)
    return parsed if isinstance(parsed, NotAFeed) else Refused(f"{url}: {parsed.reason}")


def _cut(entry: ParsedEntry, mode: str, through: bool) -> CheckedEntry:
    made = cut_entry(entry, mode)
    return CheckedEntry(
        title=entry.title,
        url=entry.url,
        published_at=entry.published_at,
        reason=made.reason,
        pieces=made.pieces,
        left_out=made.left_out.strip(),
        author=entry.author,
        categories=entry.categories,
        lang=entry.lang,
        through=through,
    )
