"""A web page in place of a feed: is it one, and which feeds does it name?"""

import re
from html.parser import HTMLParser

from newsletter.feeds.clean import resolve

_HTML = re.compile(r"\A(?:\s|<\?xml[^>]*>|<!--.*?-->)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml", "text/xml"}
)
#: Characters of a page that are looked at, and links that are named.
LOOKED_AT, MOST = 500_000, 10


def is_web_page(text: str) -> bool:
    """True for HTML."""
    return _HTML.match(text[:20_000]) is not None


def feed_links(text: str, url: str) -> tuple[str, ...]:
    """Absolute URLs of the feeds that a page at `url` names in its head, in its order."""
    finder = _Finder(url)
    finder.feed(text[:LOOKED_AT])
    finder.close()
    return tuple(dict.fromkeys(finder.found))[:MOST]


class _Finder(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._base = url
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: (value or "").strip() for name, value in attrs}
        href = resolve(values.get("href", ""), self._base) if values.get("href") else ""
        if tag == "base" and href:
            self._base = href
        rel = values.get("rel", "").lower().split()
        kind = values.get("type", "").lower().partition(";")[0].strip()
        if tag == "link" and href and "alternate" in rel and kind in _TYPES:
            self.found.append(href)
