"""Read a page of posts of WordPress's REST API as if it were a page of the same site's feed."""

import html
import json
from typing import Any
from urllib.parse import urlsplit

from newsletter.feeds.dates.feed_dates import FeedDates
from newsletter.feeds.html.sanitize_text import title_to_text
from newsletter.feeds.html.web_url import absolute_url
from newsletter.feeds.parsing.entry_fields import DateBounds, EntryFields, make_entry
from newsletter.feeds.parsing.model import ENTRY_CAP, NotAFeed, ParsedEntry, ParsedFeed, ParseFailed


def read(
    text: str, url: str, bounds: DateBounds, known: frozenset[str] = frozenset()
) -> ParsedFeed | NotAFeed | ParseFailed:
    """A JSON list of posts (`/wp/v2/posts`) at `url`; dates out of `bounds` are dropped. `known` are fingerprints.

    A post has the guid that the site's feeds give it. Author and categories are known where the list was asked for with
    `_embed`.
    """
    try:
        posts = json.loads(text)
    except RecursionError:
        return ParseFailed("its JSON is nested too deeply")
    except ValueError:
        return ParseFailed("it begins like JSON, but is broken: ask the site's owner")
    if not isinstance(posts, list) or not all(_is_post(post) for post in posts) or not (posts or "/wp/v2/" in url):
        return NotAFeed("this is JSON, but no JSON Feed: check the URL")
    parts = urlsplit(url)
    site = f"{parts.scheme}://{parts.netloc}/"
    return ParsedFeed(
        parts.hostname or "", "", site, tuple(_entry(post, site, bounds, known) for post in posts[:ENTRY_CAP])
    )


def _is_post(post: Any) -> bool:
    return isinstance(post, dict) and bool(_rendered(post, "guid")) and isinstance(post.get("content"), dict)


def _entry(post: dict[str, Any], site: str, bounds: DateBounds, known: frozenset[str]) -> ParsedEntry:
    link = absolute_url(_text(post, "link"), site) if _text(post, "link") else ""
    inside = post.get("_embedded")
    inside = inside if isinstance(inside, dict) else {}
    fields = EntryFields(
        # stored with character references in it, which the feed's XML undoes
        guid=html.unescape(_rendered(post, "guid")),
        url=link,
        title=title_to_text(_rendered(post, "title")),
        html=_rendered(post, "content") or _rendered(post, "excerpt"),
        base=link or site,
        author=title_to_text(", ".join(_names(inside.get("author")))),
        categories=[name for terms in _list(inside.get("wp:term")) for name in map(title_to_text, _names(terms))],
        published_at=FeedDates((), bounds.check).read(_text(post, "date_gmt")),
        lang="",
    )
    return make_entry(fields, known)


def _names(things: Any) -> list[str]:
    return [_text(thing, "name") for thing in _list(things) if isinstance(thing, dict) and _text(thing, "name")]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _rendered(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return _text(value, "rendered") if isinstance(value, dict) else ""


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
