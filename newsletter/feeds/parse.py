"""Bytes of RSS, Atom, RDF or JSON Feed as plain values. Run it in a child (`child.parse`): feedparser can be made to hang."""

import re
from datetime import datetime

from newsletter.feeds import jsonfeed, lenient, webpage, wordpress
from newsletter.feeds.chars import xml_safe
from newsletter.feeds.decoding import decode
from newsletter.feeds.fields import Window, unpacked
from newsletter.feeds.mending import mended
from newsletter.feeds.parsed import NotAFeed, Parsed, ParseFailed
from newsletter.feeds.raw import finished

_ENTITIES = re.compile(r"<!DOCTYPE\b.*?<!ENTITY\b", re.IGNORECASE | re.DOTALL)


def parse(body: bytes, *, url: str, content_type: str = "", now: datetime, marks: bytes = b"") -> Parsed:
    """What `body`, read from `url`, says as a feed. `now` bounds the dates that are believed.

    `marks` (see `fields.packed`) are of entries that are stored as they are: their HTML is left out.
    """
    text = xml_safe(decode(body, content_type)).lstrip("\ufeff \t\r\n")
    if not text:
        return ParseFailed("it is empty: ask the site's owner")
    if webpage.is_web_page(text):
        return _not_a_feed("this is a web page, not a feed", text, url)
    window = Window(now, unpacked(marks))
    if text[0] == "[":
        return wordpress.read(text, url, window)
    if text[0] == "{":
        return jsonfeed.read(text, url, window)
    if _ENTITIES.search(text):
        return ParseFailed("it declares XML entities, which can blow up: ask the site's owner for a plain feed")
    try:
        raw = lenient.read(mended(text))
    except lenient.Unreadable as error:
        return ParseFailed(f"it is too broken to be read ({error}): ask the site's owner")
    return finished(raw, url, window) if raw is not None else _not_a_feed("this is no feed", text, url)


def _not_a_feed(reason: str, text: str, url: str) -> NotAFeed:
    links = webpage.feed_links(text, url)
    guess = "" if links else webpage.usual_place(text, url)
    if links:
        hint = f"its feed is {' or '.join(links)}"
    else:
        hint = f"it names none, try {guess}" if guess else "look for a link named RSS or Atom on it"
    return NotAFeed(f"{reason}: {hint}", links)
