"""Bytes of RSS, Atom, RDF or JSON Feed as plain values. Run it in a child (`child.parse`): feedparser can be made to hang."""

import calendar
import io
import re
from datetime import UTC, datetime
from typing import Any

import feedparser

from newsletter.feeds import jsonfeed, webpage, wordpress
from newsletter.feeds.chars import title_text, xml_safe
from newsletter.feeds.clean import resolve
from newsletter.feeds.decoding import decode
from newsletter.feeds.fields import ENTRY_CAP, Window, entry, has_tags, is_feed_language, paragraphs
from newsletter.feeds.parsed import NotAFeed, Parsed, ParsedEntry, ParsedFeed, ParseFailed

_ENTITIES = re.compile(r"<!DOCTYPE\b.*?<!ENTITY\b", re.IGNORECASE | re.DOTALL)


def parse(body: bytes, *, url: str, content_type: str = "", now: datetime) -> Parsed:
    """What `body`, read from `url`, says as a feed. `now` bounds the dates that are believed."""
    text = xml_safe(decode(body, content_type)).lstrip("\ufeff \t\r\n")
    if not text:
        return ParseFailed("it is empty: ask the site's owner")
    if webpage.is_web_page(text):
        return _not_a_feed("this is a web page, not a feed", webpage.feed_links(text, url))
    window = Window(now)
    if text[0] == "[":
        return wordpress.read(text, url, window)
    if text[0] == "{":
        return jsonfeed.read(text, url, window)
    if _ENTITIES.search(text):
        return ParseFailed("it declares XML entities, which can blow up: ask the site's owner for a plain feed")
    return _read_xml(text, url, window)


def _not_a_feed(reason: str, links: tuple[str, ...]) -> NotAFeed:
    hint = f"its feed is {' or '.join(links)}" if links else "look for a link named RSS or Atom on it"
    return NotAFeed(f"{reason}: {hint}", links)


def _read_xml(text: str, url: str, window: Window) -> Parsed:
    # BytesIO only: feedparser takes any str or bytes for a URL or a path, and opens it. No content-location either: it would
    # make guids depend on where the feed lives.
    result = feedparser.parse(
        io.BytesIO(text.encode()),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    entries = result.get("entries") or []
    if not result.get("version") and not entries:
        return _not_a_feed("this is no feed", webpage.feed_links(text, url))
    head = result.get("feed") or {}
    site = resolve(_text(head, "link"), url) if _text(head, "link") else ""
    language = is_feed_language(_text(head, "language"))
    read = tuple(_entry(one, site or url, language, window) for one in entries[:ENTRY_CAP])
    return ParsedFeed(title_text(_text(head, "title")), language, site or url, read)


def _entry(one: Any, base: str, language: str, window: Window) -> ParsedEntry:
    link = _text(one, "link")
    url = resolve(link, base) if link else ""
    body, inner_base, lang = _body(one)
    return entry(
        guid=_text(one, "id"),
        url=url,
        title=_text(one, "title"),
        html=body,
        base=resolve(inner_base, url or base) if inner_base else url or base,
        author=_text(one, "author"),
        categories=[_text(tag, "term") for tag in one.get("tags") or []],
        published_at=_moment(one, window),
        lang=is_feed_language(lang) or language,
    )


def _body(one: Any) -> tuple[str, str, str]:
    """(HTML, its xml:base, its language): the longest content, else the summary."""
    contents = [part for part in one.get("content") or [] if _text(part, "value").strip()]
    if contents:
        part = max(contents, key=lambda part: len(_text(part, "value")))
    else:
        part = one.get("summary_detail") or {"value": _text(one, "summary"), "type": "text/html"}
    value = _text(part, "value")
    # what calls itself HTML, but has no tag, is text with line ends (and perhaps character references)
    if _text(part, "type") == "text/plain" and not has_tags(value):
        value = paragraphs(value)
    elif not has_tags(value):
        value = re.sub(r"\n\s*\n", "<p>", value.strip()).replace("\n", "<br>")
    return value, _text(part, "base"), _text(part, "language")


def _moment(one: Any, window: Window) -> datetime | None:
    """The first believable of published, updated and created."""
    for name in ("published_parsed", "updated_parsed", "created_parsed"):
        parts = one.get(name)
        try:
            found = window.checked(datetime.fromtimestamp(calendar.timegm(parts), UTC)) if parts else None
        except (ValueError, OverflowError, TypeError, OSError):
            continue
        if found is not None:
            return found
    return None


def _text(data: Any, name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
