"""Parse RSS, Atom, RDF or JSON Feed into plain values. Run it in a child (`sandboxed_parse`): feedparser can be made to hang."""

import re
from datetime import datetime

from newsletter.feeds.html.sanitize_text import strip_invalid_xml
from newsletter.feeds.parsing import feed_discovery, feedparser_xml, json_feed, wordpress_rest
from newsletter.feeds.parsing.encoding import decode
from newsletter.feeds.parsing.entry_fields import DateBounds
from newsletter.feeds.parsing.fingerprints import unpack
from newsletter.feeds.parsing.model import NotAFeed, Parsed, ParsedFeed, ParseFailed
from newsletter.feeds.parsing.newest_entries import keep_newest
from newsletter.feeds.parsing.raw_feed import normalize
from newsletter.feeds.parsing.repair_xml import embedded_feed, repair

#: A byte order mark, also one that was read as something else.
_JUNK = re.compile(r"\A(?:\ufeff|ï»¿|[ \t\r\n])+")
_ENTITIES = re.compile(r"<!DOCTYPE\b.*?<!ENTITY\b", re.IGNORECASE | re.DOTALL)


def parse(body: bytes, *, url: str, content_type: str = "", now: datetime, fingerprints: bytes = b"") -> Parsed:
    """Parse `body`, read from `url`. `now` bounds the dates that are believed.

    `fingerprints` (see `fingerprints.pack`) are of entries that are stored as they are: their HTML is left out.
    """
    text = _JUNK.sub("", strip_invalid_xml(decode(body, content_type)), count=1)
    if not text:
        return ParseFailed("it is empty: ask the site's owner")
    bounds, known = DateBounds(now), unpack(fingerprints)
    if feed_discovery.is_web_page(text):
        inside = _xml(embedded_feed(text), url, bounds, known)
        has_entries = isinstance(inside, ParsedFeed) and inside.entries
        return inside if inside and has_entries else _not_a_feed("this is a web page, not a feed", text, url)
    if text[0] == "[":
        return wordpress_rest.read(text, url, bounds, known)
    if text[0] == "{":
        return json_feed.read(text, url, bounds, known)
    return _xml(text, url, bounds, known) or _not_a_feed("this is no feed", text, url)


def _xml(text: str, url: str, bounds: DateBounds, known: frozenset[str]) -> ParsedFeed | ParseFailed | None:
    """`text` as a feed in XML. Returns None if it is no feed."""
    if _ENTITIES.search(text):
        return ParseFailed("it declares XML entities, which can blow up: ask the site's owner for a plain feed")
    try:
        text, left_out = keep_newest(repair(text), bounds)
        raw = feedparser_xml.read_with_feedparser(text)
    except feedparser_xml.Unreadable as error:
        return ParseFailed(f"it is too broken to be read ({error}): ask the site's owner")
    return normalize(raw, url, bounds, known, left_out) if raw is not None else None


def _not_a_feed(reason: str, text: str, url: str) -> NotAFeed:
    links = feed_discovery.feed_links(text, url)
    guess = "" if links else feed_discovery.usual_place(text, url)
    if links:
        hint = f"its feed is {' or '.join(links)}"
    else:
        hint = f"it names none, try {guess}" if guess else "look for a link named RSS or Atom on it"
    return NotAFeed(f"{reason}: {hint}", links)
