"""What an XML feed says, word for word, whichever parser read it; `finished` makes of it what is kept."""

import re
from dataclasses import dataclass
from datetime import datetime

from newsletter.feeds.chars import one_line, title_text
from newsletter.feeds.clean import resolve
from newsletter.feeds.date_order import FeedDates
from newsletter.feeds.fields import Window, entry, has_tags, is_feed_language, paragraphs
from newsletter.feeds.parsed import ParsedEntry, ParsedFeed

_PERIODS = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
#: No feed is left alone longer than this many seconds because it asks so.
WAIT_CAP = 31 * 86_400


@dataclass(frozen=True, slots=True)
class RawEntry:
    """`body` is of the media type `body_type`; `body_base` is its xml:base; `dates`: published, updated, created."""

    guid: str
    link: str
    title: str
    body: str
    body_type: str
    body_base: str
    language: str
    author: str
    categories: tuple[str, ...]
    dates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RawFeed:
    """`ttl`, `period` and `frequency` are the elements of RSS and its module `sy`; `older` is a link to older entries."""

    title: str
    link: str
    language: str
    ttl: str
    period: str
    frequency: str
    older: str
    generator: str
    entries: tuple[RawEntry, ...]


def finished(raw: RawFeed, url: str, window: Window) -> ParsedFeed:
    """The feed at `url`, made safe."""
    site = (resolve(raw.link, url) if raw.link else "") or url
    language = is_feed_language(raw.language)
    dates = FeedDates([text for one in raw.entries for text in one.dates], window.checked, language)
    return ParsedFeed(
        title=title_text(raw.title),
        language=language,
        site_url=site,
        entries=tuple(_entry(one, site, language, window, dates) for one in raw.entries),
        wait=_wait(raw),
        older=older_page(raw.older, url),
        generator=one_line(raw.generator, cap=200),
    )


def older_page(href: str, url: str) -> str:
    """The URL that `href` on the feed at `url` means; empty when it leads nowhere or to itself."""
    page = resolve(href, url) if href.strip() else ""
    return page if page != url else ""


def _entry(one: RawEntry, base: str, language: str, window: Window, dates: FeedDates) -> ParsedEntry:
    url = resolve(one.link, base) if one.link else ""
    return entry(
        guid=one.guid,
        url=url,
        title=one.title,
        html=_html(one.body, one.body_type),
        base=resolve(one.body_base, url or base) if one.body_base else url or base,
        author=one.author,
        categories=one.categories,
        published_at=_published(one.dates, dates),
        lang=is_feed_language(one.language) or language,
        marks=window.marks,
    )


def _html(value: str, kind: str) -> str:
    """What calls itself HTML, but has no tag, is text with line ends (and perhaps character references)."""
    if has_tags(value):
        return value
    if kind == "text/plain":
        return paragraphs(value)
    return re.sub(r"\n\s*\n", "<p>", value.strip()).replace("\n", "<br>")


def _published(texts: tuple[str, ...], dates: FeedDates) -> datetime | None:
    """The first believable of published, updated and created."""
    return next(filter(None, map(dates.read, texts)), None)


def _wait(raw: RawFeed) -> int:
    """Seconds to be left alone: what `ttl` says (in minutes), else what the module `sy` says (a period, and how often in it)."""
    ttl = raw.ttl.strip()
    if ttl.isascii() and ttl.isdigit():
        return min(int(ttl[:9]) * 60, WAIT_CAP)
    times = raw.frequency.strip()
    often = int(times[:9]) if times.isascii() and times.isdigit() else 1
    return min(_PERIODS.get(raw.period.strip().lower(), 0) // max(often, 1), WAIT_CAP)
