"""The raw fields of an XML feed, and how they become a `ParsedFeed`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from newsletter.feeds.dates.feed_dates import FeedDates
from newsletter.feeds.html.redirectors import unwrap_redirect
from newsletter.feeds.html.sanitize_text import single_line, title_to_text
from newsletter.feeds.html.web_url import absolute_url
from newsletter.feeds.parsing.entry_fields import CATEGORY_CAP, DateBounds, EntryFields, language_tag, make_entry
from newsletter.feeds.parsing.model import ParsedEntry, ParsedFeed
from newsletter.feeds.parsing.newest_entries import newest
from newsletter.feeds.parsing.text_constructs import Text, as_html, as_line

_PERIODS = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
#: The longest wait in seconds that a feed can ask for.
WAIT_CAP = 31 * 86_400


@dataclass(frozen=True, slots=True)
class RawEntry:
    """An entry as the feed has it."""

    guid: str
    #: What may be its page, the likeliest first.
    links: tuple[str, ...]
    title: Text
    body: Text
    #: The body's xml:base.
    body_base: str
    language: str
    author: str
    categories: tuple[Text, ...]
    #: Published, updated, created.
    dates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RawFeed:
    """A feed as it stands there, its XML undone."""

    title: Text
    #: What may be its site, the likeliest first.
    links: tuple[str, ...]
    language: str
    #: The element of RSS, in minutes.
    ttl: str
    #: The elements of the RSS module `sy`.
    period: str
    frequency: str
    #: A link to older entries (RFC 5005).
    older: str
    generator: str
    entries: tuple[RawEntry, ...]


def normalize(
    raw: RawFeed, url: str, bounds: DateBounds, known: frozenset[str] = frozenset(), left_out: int = 0
) -> ParsedFeed:
    """The feed at `url`, made safe. `known` are fingerprints; `left_out` of its entries were not even parsed."""
    site = first_usable(raw.links, url) or url
    language = language_tag(raw.language)
    reader = FeedDates([text for entry in raw.entries for text in entry.dates], bounds.check, language)
    dates = [_published(entry.dates, reader) for entry in raw.entries]
    kept = newest(dates, [entry.guid or next(iter(entry.links), "") for entry in raw.entries])
    urls = {index: first_usable(raw.entries[index].links, site) for index in kept}
    shared = Counter((raw.entries[index].guid, urls[index]) for index in kept)
    return ParsedFeed(
        title=as_line(raw.title),
        language=language,
        site_url=site,
        entries=tuple(
            _entry(
                raw.entries[index],
                urls[index],
                site,
                language,
                dates[index],
                # an entry that shares guid and link with another is recognised by its text, which must come along
                known if shared[raw.entries[index].guid, urls[index]] == 1 else frozenset(),
            )
            for index in kept
        ),
        wait=_wait(raw),
        older=older_page(raw.older, url),
        generator=single_line(raw.generator, cap=200),
        left_out=left_out + len(raw.entries) - len(kept),
    )


def first_usable(links: Iterable[str], base: str) -> str:
    """The first of `links` that leads to a web page, absolute, redirectors unwrapped; empty without one."""
    return next(filter(None, (unwrap_redirect(absolute_url(link, base)) for link in links if link.strip())), "")


def older_page(href: str, url: str) -> str:
    """The URL that `href` on the feed at `url` means; empty when it leads nowhere or to itself."""
    page = absolute_url(href, url) if href.strip() else ""
    return page if page != url else ""


def _entry(
    raw: RawEntry, url: str, base: str, language: str, published_at: datetime | None, known: frozenset[str]
) -> ParsedEntry:
    fields = EntryFields(
        guid=raw.guid,
        url=url,
        title=as_line(raw.title),
        html=as_html(raw.body),
        base=(absolute_url(raw.body_base, url or base) if raw.body_base else "") or url or base,
        author=title_to_text(raw.author, cap=200),
        categories=[as_line(category, cap=100) for category in raw.categories[:CATEGORY_CAP]],
        published_at=published_at,
        lang=language_tag(raw.language) or language,
    )
    return make_entry(fields, known)


def _published(texts: tuple[str, ...], dates: FeedDates) -> datetime | None:
    """The first believable of published, updated and created."""
    return next(filter(None, map(dates.read, texts)), None)


def _wait(raw: RawFeed) -> int:
    """Seconds until it asks to be fetched again: by `ttl` (in minutes), else by the module `sy` (how often in a period)."""
    ttl = raw.ttl.strip()
    if ttl.isascii() and ttl.isdigit():
        return min(int(ttl[:9]) * 60, WAIT_CAP)
    times = raw.frequency.strip()
    count = int(times[:9]) if times.isascii() and times.isdigit() else 1
    return min(_PERIODS.get(raw.period.strip().lower(), 0) // max(count, 1), WAIT_CAP)
