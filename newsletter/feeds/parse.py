"""Bytes of RSS, Atom, RDF or JSON Feed as plain values. Run it in a child (`child.parse`): feedparser can be made to hang."""

import re
from datetime import datetime

from newsletter.feeds import jsonfeed, lenient, strict, webpage, wordpress
from newsletter.feeds.chars import xml_safe
from newsletter.feeds.decoding import decode
from newsletter.feeds.fields import Window
from newsletter.feeds.parsed import NotAFeed, Parsed, ParseFailed
from newsletter.feeds.raw import finished

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
    raw = strict.read(text) or lenient.read(text)
    if raw is None:
        return _not_a_feed("this is no feed", webpage.feed_links(text, url))
    return finished(raw, url, window)


def _not_a_feed(reason: str, links: tuple[str, ...]) -> NotAFeed:
    hint = f"its feed is {' or '.join(links)}" if links else "look for a link named RSS or Atom on it"
    return NotAFeed(f"{reason}: {hint}", links)
