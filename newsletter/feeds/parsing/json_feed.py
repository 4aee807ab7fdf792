"""Reads JSON Feed 1.0 and 1.1 (jsonfeed.org)."""

import json
import re
from collections import Counter
from datetime import datetime
from typing import Any

from newsletter.feeds.dates.feed_dates import FeedDates
from newsletter.feeds.html.web_url import absolute_url
from newsletter.feeds.parsing.entry_fields import Window, entry, is_feed_language, paragraphs
from newsletter.feeds.parsing.model import NotAFeed, ParsedEntry, ParsedFeed, ParseFailed
from newsletter.feeds.parsing.newest_entries import newest
from newsletter.feeds.parsing.raw_feed import first_usable, older_page
from newsletter.feeds.parsing.text_constructs import Text, as_line, has_words

_VERSION = re.compile(r"\s*(?:(?:https?:)?//)?(?:www\.)?jsonfeed\.org/version/", re.IGNORECASE)
#: Where an item's text is, the better first.
_BODIES = ("content_html", "content_text", "summary")
_DATES = ("date_published", "date_modified")


def read(text: str, url: str, window: Window) -> ParsedFeed | NotAFeed | ParseFailed:
    """A JSON document at `url` as a feed; dates outside `window` are dropped."""
    try:
        data = json.loads(text)
    except RecursionError:
        return ParseFailed("its JSON is nested too deeply")
    except ValueError:
        return ParseFailed("it begins like JSON, but is broken: ask the site's owner")
    if not isinstance(data, dict) or not _is_feed(data):
        return NotAFeed("this is JSON, but no JSON Feed: check the URL")
    site = first_usable([_text(data, "home_page_url")], url) or url
    language = is_feed_language(_text(data, "language"))
    items = [one for one in _list(data.get("items")) if isinstance(one, dict)]
    reader = FeedDates((_text(one, name) for one in items for name in _DATES), window.checked, language)
    dates = [_published(one, reader) for one in items]
    kept = newest(dates, [_guid(one) or _text(one, "url") for one in items])
    links = {at: first_usable(_links(items[at]), site) for at in kept}
    alike = Counter((_guid(items[at]), links[at]) for at in kept)
    return ParsedFeed(
        title=as_line(Text(_text(data, "title"), "text")),
        language=language,
        site_url=site,
        entries=tuple(
            _entry(
                items[at],
                links[at],
                site,
                language,
                dates[at],
                window.marks if alike[_guid(items[at]), links[at]] == 1 else frozenset(),
            )
            for at in kept
        ),
        older=older_page(_text(data, "next_url"), url),
        left_out=len(items) - len(kept),
    )


def _is_feed(data: dict[str, Any]) -> bool:
    """By its version, however it is written; one that gives only a number must have items that look like those of a feed."""
    version = data.get("version")
    if isinstance(version, str) and _VERSION.match(version):
        return True
    plain = str(version).strip() in ("1", "1.0", "1.1")
    items = _list(data.get("items"))
    return plain and bool(items) and all(isinstance(one, dict) and one.keys() & {*_BODIES, "url"} for one in items)


def _entry(
    one: dict[str, Any], url: str, base: str, language: str, published_at: datetime | None, marks: frozenset[str]
) -> ParsedEntry:
    authors = one.get("authors") if isinstance(one.get("authors"), list) else [one.get("author")]
    names = [_text(author, "name") for author in authors or [] if isinstance(author, dict)]
    return entry(
        guid=_guid(one),
        url=url,
        title=_text(one, "title"),
        html=_body(one),
        base=base,
        author=", ".join(filter(None, names)),
        categories=[tag for tag in _list(one.get("tags")) if isinstance(tag, str)],
        published_at=published_at,
        lang=is_feed_language(_text(one, "language")) or language,
        marks=marks,
    )


def _guid(one: dict[str, Any]) -> str:
    guid = one.get("id")
    return str(guid) if isinstance(guid, str | int | float) and not isinstance(guid, bool) else ""


def _links(one: dict[str, Any]) -> list[str]:
    """What may be its page, the likeliest first; an `id` is often that, too (JSON Feed 1.1, items)."""
    return [_text(one, "url"), _text(one, "external_url"), absolute_url(_guid(one))]


def _body(one: dict[str, Any]) -> str:
    """The first of its texts that has words; `content_html` is HTML, the others are plain text."""
    markup = _text(one, "content_html")
    if has_words(markup):
        return markup
    return next((paragraphs(_text(one, name)) for name in _BODIES[1:] if _text(one, name).strip()), "")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _published(one: dict[str, Any], dates: FeedDates) -> datetime | None:
    return next(filter(None, (dates.read(_text(one, name)) for name in _DATES)), None)


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
