"""Recognise a web page in place of a feed, and find the feeds that it names or that sites of its kind usually have."""

import re
from contextlib import suppress
from html.parser import HTMLParser
from urllib.parse import urlsplit

from newsletter.feeds.html.web_url import absolute_url

_HTML = re.compile(r"\A(?:\s|<\?xml[^>]*>|<!--.*?-->)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml", "text/xml"}
)
#: A link in the text of a page that leads to a feed, by its look.
_FEED_LIKE = re.compile(
    r"(?:/(?:feeds?|rss|atom|rdf)/?|/(?:feeds?|rss|atom|index|posts)\.(?:xml|rss|atom|rdf|json)|\.(?:rss|atom)|/feeds/posts/default"
    r"|/\?feed=(?:rss2?|atom|rdf))\Z",
    re.IGNORECASE,
)
#: (a mark in the page or its host, where such a site has its feed)
_USUAL = (
    (re.compile(r"/wp-content/|content=[\"']WordPress", re.IGNORECASE), "/feed/"),
    (re.compile(r"\.blogspot\.|content=[\"']blogger", re.IGNORECASE), "/feeds/posts/default"),
    (re.compile(r"content=[\"']Ghost ", re.IGNORECASE), "/rss/"),
    (re.compile(r"content=[\"'](?:Hugo|Zola) ", re.IGNORECASE), "/index.xml"),
    (re.compile(r"content=[\"']Jekyll ", re.IGNORECASE), "/feed.xml"),
    (re.compile(r"substackcdn\.com|\.substack\.com", re.IGNORECASE), "/feed"),
    (re.compile(r"\.tumblr\.com", re.IGNORECASE), "/rss"),
    (re.compile(r"content=[\"']Drupal ", re.IGNORECASE), "/rss.xml"),
)
_CHANNEL_ID = re.compile(r"youtube\.com/channel/(UC[\w-]{22})|\"channelId\":\"(UC[\w-]{22})\"")
_FORMAT = re.compile(r"rss2?|atom|rdf|json|xml", re.IGNORECASE)
#: Characters of a page that are read, and links that are returned.
LOOKED_AT, MOST = 500_000, 10


def is_web_page(text: str) -> bool:
    """True for HTML."""
    return _HTML.match(text[:20_000]) is not None


def feed_links(text: str, url: str) -> tuple[str, ...]:
    """Absolute URLs of the feeds that a page at `url` names in its head, else of links that look like feeds, in its order.

    Of feeds that differ in their format only the first counts, and feeds of comments only if there is nothing else.
    """
    finder = _LinkFinder(url)
    with suppress(AssertionError):  # of html.parser, at a broken declaration: what was found until then stays
        finder.feed(text[:LOOKED_AT])
        finder.close()
    links = list(dict.fromkeys(finder.named or finder.linked))
    posts = [href for href in links if "comment" not in href.lower()] or links
    by_kind: dict[str, str] = {}
    for href in posts:
        by_kind.setdefault(_FORMAT.sub("", href).rstrip("/"), href)
    return tuple(by_kind.values())[:MOST]


def usual_place(text: str, url: str) -> str:
    """Where the feed of a page that names none might be, by what made the page; empty when nothing tells. Nobody has looked."""
    channel = _CHANNEL_ID.search(text[:LOOKED_AT]) if "youtube." in urlsplit(url).netloc else None
    if channel:
        return f"https://www.youtube.com/feeds/videos.xml?channel_id={channel[1] or channel[2]}"
    head = f"{url}\n{text[:LOOKED_AT]}"
    return next((absolute_url(path, url) for mark, path in _USUAL if mark.search(head)), "")


class _LinkFinder(HTMLParser):
    """`named` are the feeds of the head, `linked` the links in the text that look like feeds."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._base = url
        self.named: list[str] = []
        self.linked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: (value or "").strip() for name, value in attrs}
        href = absolute_url(values.get("href", ""), self._base) if values.get("href") else ""
        if not href:
            return
        if tag == "base":
            self._base = href
        elif tag == "a" and _FEED_LIKE.search(href):
            self.linked.append(href)
        elif (
            tag == "link" and "alternate" in values.get("rel", "").lower().split() and _is_feed(values.get("type", ""))
        ):
            self.named.append(href)


def _is_feed(kind: str) -> bool:
    return kind.lower().partition(";")[0].strip() in _TYPES
