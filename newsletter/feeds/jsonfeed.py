"""Reads JSON Feed 1.0 and 1.1 (jsonfeed.org)."""

import html
import json
from datetime import datetime
from typing import Any

from newsletter.feeds.chars import title_text
from newsletter.feeds.clean import resolve
from newsletter.feeds.date_order import FeedDates
from newsletter.feeds.fields import ENTRY_CAP, Window, entry, is_feed_language, paragraphs
from newsletter.feeds.parsed import NotAFeed, ParsedEntry, ParsedFeed, ParseFailed
from newsletter.feeds.raw import older_page

_DATES = ("date_published", "date_modified")


def read(text: str, url: str, window: Window) -> ParsedFeed | NotAFeed | ParseFailed:
    """A JSON document at `url` as a feed; dates outside `window` are dropped."""
    try:
        data = json.loads(text)
    except RecursionError:
        return ParseFailed("its JSON is nested too deeply")
    except ValueError:
        return ParseFailed("it begins like JSON, but is broken: ask the site's owner")
    if not isinstance(data, dict) or not _text(data, "version").startswith("https://jsonfeed.org/version/"):
        return NotAFeed("this is JSON, but no JSON Feed: check the URL")
    site = resolve(_text(data, "home_page_url"), url) or url
    language = is_feed_language(_text(data, "language"))
    items = data.get("items")
    items = [one for one in (items if isinstance(items, list) else [])[:ENTRY_CAP] if isinstance(one, dict)]
    dates = FeedDates((_text(one, name) for one in items for name in _DATES), window.checked, language)
    entries = [_entry(one, site, language, window, dates) for one in items]
    return ParsedFeed(
        title=title_text(_escaped(data, "title")),
        language=language,
        site_url=site,
        entries=tuple(entries),
        older=older_page(_text(data, "next_url"), url),
    )


def _entry(one: dict[str, Any], base: str, language: str, window: Window, dates: FeedDates) -> ParsedEntry:
    guid = one.get("id")
    body = _text(one, "content_html") or paragraphs(_text(one, "content_text") or _text(one, "summary"))
    authors = one.get("authors") if isinstance(one.get("authors"), list) else [one.get("author")]
    names = [_text(author, "name") for author in authors or [] if isinstance(author, dict)]
    tags = one.get("tags")
    return entry(
        guid=str(guid) if isinstance(guid, str | int | float) and not isinstance(guid, bool) else "",
        url=resolve(_text(one, "url") or _text(one, "external_url"), base)
        if one.get("url") or one.get("external_url")
        else "",
        title=_escaped(one, "title"),
        html=body,
        base=base,
        author=", ".join(filter(None, names)),
        categories=[tag for tag in (tags if isinstance(tags, list) else []) if isinstance(tag, str)],
        published_at=_published(one, dates),
        lang=is_feed_language(_text(one, "language")) or language,
        marks=window.marks,
    )


def _published(one: dict[str, Any], dates: FeedDates) -> datetime | None:
    return next(filter(None, (dates.read(_text(one, name)) for name in _DATES)), None)


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _escaped(data: dict[str, Any], name: str) -> str:
    """A title of JSON Feed is plain text (version 1.1, items): it holds no tags to strip."""
    return html.escape(_text(data, name), quote=False)
