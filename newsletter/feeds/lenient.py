"""Any XML feed, well-formed or not, read by feedparser: the judge of what a feed says."""

import io
from typing import Any

import feedparser

from newsletter.feeds.fields import ENTRY_CAP
from newsletter.feeds.raw import RawEntry, RawFeed

#: The relations of a link to older entries (RFC 5005 sections 3 and 4), the better one first.
OLDER = ("prev-archive", "next")


class Unreadable(Exception):
    """feedparser itself broke on it."""


def read(text: str) -> RawFeed | None:
    """`text` as a feed; None: it is none.

    Raises:
        Unreadable: it is broken in a way that feedparser does not foresee.
    """
    try:
        return _read(text)
    except MemoryError:
        raise
    except Exception as error:
        raise Unreadable(type(error).__name__) from error


def _read(text: str) -> RawFeed | None:
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
        return None
    head = result.get("feed") or {}
    return RawFeed(
        title=_text(head, "title"),
        link=_text(head, "link"),
        language=_text(head, "language"),
        ttl=_text(head, "ttl"),
        period=_text(head, "sy_updateperiod"),
        frequency=_text(head, "sy_updatefrequency"),
        older=_older(head.get("links") or []),
        generator=_text(head, "generator"),
        entries=tuple(map(_entry, entries[:ENTRY_CAP])),
    )


def _older(links: list[Any]) -> str:
    return next((_text(link, "href") for rel in OLDER for link in links if link.get("rel") == rel), "")


def _entry(one: Any) -> RawEntry:
    contents = [part for part in one.get("content") or [] if _text(part, "value").strip()]
    if contents:
        body = max(contents, key=lambda part: len(_text(part, "value")))
    else:
        body = one.get("summary_detail") or {"value": _text(one, "summary"), "type": "text/html"}
    return RawEntry(
        guid=_text(one, "id"),
        link=_text(one, "link"),
        title=_text(one, "title"),
        body=_text(body, "value"),
        body_type=_text(body, "type"),
        body_base=_text(body, "base"),
        language=_text(body, "language"),
        author=_text(one, "author"),
        categories=tuple(_text(tag, "term") for tag in one.get("tags") or []),
        # feedparser's own mapping would say that an entry without `updated` was updated when it was published
        dates=tuple(
            _text(one, name) if dict.__contains__(one, name) else "" for name in ("published", "updated", "created")
        ),
    )


def _text(data: Any, name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
