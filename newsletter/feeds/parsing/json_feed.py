"""Read JSON Feed 1.0 and 1.1 (jsonfeed.org)."""

import json
import re
from collections import Counter
from datetime import datetime
from typing import Any

from newsletter.feeds.dates.feed_dates import FeedDates
from newsletter.feeds.html.web_url import absolute_url
from newsletter.feeds.parsing.entry_fields import DateBounds, EntryFields, language_tag, make_entry, paragraphs
from newsletter.feeds.parsing.model import NotAFeed, ParsedEntry, ParsedFeed, ParseFailed
from newsletter.feeds.parsing.newest_entries import newest
from newsletter.feeds.parsing.raw_feed import first_usable, older_page
from newsletter.feeds.parsing.text_constructs import Text, as_line, has_words

_VERSION = re.compile(r"\s*(?:(?:https?:)?//)?(?:www\.)?jsonfeed\.org/version/", re.IGNORECASE)
#: Where an item's text is, the better first.
_BODIES = ("content_html", "content_text", "summary")
_DATES = ("date_published", "date_modified")


def read(
    text: str, url: str, bounds: DateBounds, known: frozenset[str] = frozenset()
) -> ParsedFeed | NotAFeed | ParseFailed:
    """A JSON document at `url` as a feed; dates out of `bounds` are dropped. `known` are fingerprints."""
    try:
        data = json.loads(text)
    except RecursionError:
        return ParseFailed("its JSON is nested too deeply")
    except ValueError:
        return ParseFailed("it begins like JSON, but is broken: ask the site's owner")
    if not isinstance(data, dict) or not _is_feed(data):
        return NotAFeed("this is JSON, but no JSON Feed: check the URL")
    site = first_usable([_text(data, "home_page_url")], url) or url
    language = language_tag(_text(data, "language"))
    items = [item for item in _list(data.get("items")) if isinstance(item, dict)]
    reader = FeedDates((_text(item, name) for item in items for name in _DATES), bounds.check, language)
    dates = [_published(item, reader) for item in items]
    kept = newest(dates, [_guid(item) or _text(item, "url") for item in items])
    links = {index: first_usable(_links(items[index]), site) for index in kept}
    shared = Counter((_guid(items[index]), links[index]) for index in kept)
    return ParsedFeed(
        title=as_line(Text(_text(data, "title"), "text")),
        language=language,
        site_url=site,
        entries=tuple(
            _entry(
                items[index],
                links[index],
                site,
                language,
                dates[index],
                known if shared[_guid(items[index]), links[index]] == 1 else frozenset(),
            )
            for index in kept
        ),
        older=older_page(_text(data, "next_url"), url),
        left_out=len(items) - len(kept),
    )


def _is_feed(data: dict[str, Any]) -> bool:
    """By its version, however it is written; item that gives only a number must have items that look like those of a feed."""
    version = data.get("version")
    if isinstance(version, str) and _VERSION.match(version):
        return True
    plain = str(version).strip() in ("1", "1.0", "1.1")
    items = _list(data.get("items"))
    return plain and bool(items) and all(isinstance(item, dict) and item.keys() & {*_BODIES, "url"} for item in items)


def _entry(
    item: dict[str, Any], url: str, base: str, language: str, published_at: datetime | None, known: frozenset[str]
) -> ParsedEntry:
    authors = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    names = [_text(author, "name") for author in authors or [] if isinstance(author, dict)]
    fields = EntryFields(
        guid=_guid(item),
        url=url,
        title=_text(item, "title"),
        html=_body(item),
        base=base,
        author=", ".join(filter(None, names)),
        categories=[tag for tag in _list(item.get("tags")) if isinstance(tag, str)],
        published_at=published_at,
        lang=language_tag(_text(item, "language")) or language,
    )
    return make_entry(fields, known)


def _guid(item: dict[str, Any]) -> str:
    guid = item.get("id")
    return str(guid) if isinstance(guid, str | int | float) and not isinstance(guid, bool) else ""


def _links(item: dict[str, Any]) -> list[str]:
    """What may be its page, the likeliest first; an `id` is often that, too (JSON Feed 1.1, items)."""
    return [_text(item, "url"), _text(item, "external_url"), absolute_url(_guid(item))]


def _body(item: dict[str, Any]) -> str:
    """The first of its texts that has words; `content_html` is HTML, the others are plain text."""
    markup = _text(item, "content_html")
    if has_words(markup):
        return markup
    return next((paragraphs(_text(item, name)) for name in _BODIES[1:] if _text(item, name).strip()), "")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _published(item: dict[str, Any], dates: FeedDates) -> datetime | None:
    return next(filter(None, (dates.read(_text(item, name)) for name in _DATES)), None)


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
