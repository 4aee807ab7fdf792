"""What holds for every body of bytes that is parsed, whatever it holds."""

import html
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from newsletter.feeds.html import sanitize_html
from newsletter.feeds.html.blocks import INLINE, OPAQUE_PARTS, to_html
from newsletter.feeds.parsing.model import NotAFeed, Parsed, ParsedFeed, ParseFailed

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
URL = "https://feed.example/feed"
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)([^<>]*)>")
_ALLOWED = INLINE | OPAQUE_PARTS | {"p", "h1", "h2", "h3", "h4", "h5", "h6", "br", "hr"}
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


def is_harmless(parsed: Parsed) -> None:
    """Check that what was read can be stored, shown and put in a header."""
    assert isinstance(parsed, ParsedFeed | NotAFeed | ParseFailed)
    if not isinstance(parsed, ParsedFeed):
        assert parsed.reason
        assert "broke our parser" not in parsed.reason, parsed.reason
        return
    assert 0 <= parsed.wait <= 31 * 86_400
    assert all(is_link(url) for url in (parsed.site_url, parsed.older) if url)
    for one in (parsed.title, *(entry.title for entry in parsed.entries), *(entry.author for entry in parsed.entries)):
        assert not _UNSEEN.search(one)
        assert "\n" not in one
        assert "=?" not in one
    for entry in parsed.entries:
        assert not entry.url or is_link(entry.url)
        assert entry.published_at is None or entry.published_at <= NOW + timedelta(hours=48)
        assert entry.published_at is None or entry.published_at.year >= 1995
        is_clean(to_html(sanitize_html.parse_blocks(entry.html, entry.base)))


def is_clean(shown: str) -> None:
    """Check that `shown` has only allowed tags and attributes, and that each link is absolute."""
    assert not _UNSEEN.search(shown)
    rest = _TAG.sub("", shown)
    assert "<" not in rest, rest[:200]
    for closing, name, attributes in _TAG.findall(shown):
        assert name in _ALLOWED, name
        given = re.findall(r'\s([a-z-]+)="([^"]*)"', attributes)
        assert re.sub(r'\s[a-z-]+="[^"]*"', "", attributes) == "", attributes
        assert not (closing and given)
        for attribute, value in given:
            assert attribute in ("href", "lang", "dir", "start"), attribute
            assert attribute != "href" or is_link(html.unescape(value)), value


def is_link(url: str) -> bool:
    """True for an absolute http(s) URL without credentials or characters that are none of a URL."""
    parts = urlsplit(url)
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and url.isprintable()
        and " " not in url
    )
