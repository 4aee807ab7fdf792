"""Read any XML feed, well-formed or not, with feedparser."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from newsletter.feeds.html.redirectors import hides_target
from newsletter.feeds.html.web_url import absolute_url
from newsletter.feeds.parsing.feed_handler import SourceElements, TextElement, run_feedparser
from newsletter.feeds.parsing.raw_feed import RawEntry, RawFeed
from newsletter.feeds.parsing.text_constructs import Kind, Text, has_words

#: The relations of a link to older entries (RFC 5005 sections 3 and 4), the better one first.
OLDER = ("prev-archive", "next")
#: The elements of an entry's text, and of its title: the first of these that is not empty counts.
BODIES = (
    ("content",),
    ("description", "summary"),
    ("dc_description",),
    ("itunes_summary",),
    ("media_description",),
    ("itunes_subtitle",),
)
TITLES = (("title",), ("dc_title",), ("media_title",), ("itunes_title",))
#: Where a feed names the page behind the counting proxy that its links lead through.
ORIGINALS = ("feedburner_origlink", "pheedo_origlink")
_NOT_TEXT = ("image/", "audio/", "video/", "font/", "application/pdf", "application/zip")


class Unreadable(Exception):
    """feedparser itself broke on it."""


def read_with_feedparser(text: str) -> RawFeed | None:
    """`text` as a feed. Returns None if it is no feed.

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
    handler = run_feedparser(text)
    if not handler.version and not handler.entries:
        return None
    head = handler.feeddata
    titles = _best(handler.head.texts, TITLES, bool)
    return RawFeed(
        title=Text(titles.value, _kind(titles, is_atom=handler.is_atom)) if titles else Text(),
        links=(*handler.head.links, _guid_link(handler.head)),
        language=_text(head, "language"),
        ttl=_text(head, "ttl"),
        period=_text(head, "sy_updateperiod"),
        frequency=_text(head, "sy_updatefrequency"),
        older=_older(head.get("links") or []),
        generator=_text(head, "generator"),
        entries=tuple(
            _entry(entry, parts, is_atom=handler.is_atom)
            for entry, parts in zip(handler.entries, handler.parts, strict=True)
        ),
    )


def _older(links: list[Any]) -> str:
    return next((_text(link, "href") for rel in OLDER for link in links if link.get("rel") == rel), "")


def _entry(entry: Any, parts: SourceElements, *, is_atom: bool) -> RawEntry:
    title = _best(parts.texts, TITLES, bool)
    body = _best(parts.texts, BODIES, has_words)
    tags: Iterable[Any] = entry.get("tags") or []
    return RawEntry(
        guid=_text(entry, "id"),
        links=tuple(_links(entry, parts)),
        title=Text(title.value, _kind(title, is_atom=is_atom)) if title else Text(_text(entry, "itunes_title")),
        body=Text(body.value, _kind(body, is_atom=is_atom)) if body else Text(),
        body_base=body.base if body else "",
        language=next((part.language for part in (body, title) if part and part.language), ""),
        author=_text(entry, "author"),
        categories=tuple(Text(_text(tag, "term"), "text" if is_atom else "unsaid") for tag in tags),
        # feedparser's own mapping would say that an entry without `updated` was updated when it was published
        dates=tuple(
            _text(entry, name) if dict.__contains__(entry, name) else "" for name in ("published", "updated", "created")
        ),
    )


def _links(entry: Any, parts: SourceElements) -> Iterable[str]:
    """What may be the entry's page, the likeliest first."""
    yield from filter(None, (_text(entry, name) for name in ORIGINALS))
    guid = _guid_link(parts)
    yield from (link for link in parts.links if not (guid and hides_target(link)))
    yield guid


def _guid_link(parts: SourceElements) -> str:
    """A guid that is an address; RSS takes a number for one, too."""
    return parts.guid_link if absolute_url(parts.guid_link) else ""


def _best(
    parts: Sequence[TextElement], ranks: Iterable[tuple[str, ...]], has_content: Callable[[str], bool]
) -> TextElement | None:
    """Of the first rank of elements that `has_content`: the outermost one, of several the longest."""
    for rank in ranks:
        candidates = [part for part in parts if part.element in rank and _is_text(part) and has_content(part.value)]
        if candidates:
            return min(candidates, key=lambda part: (part.depth, -len(part.value) if rank in BODIES else 0))
    return None


def _is_text(part: TextElement) -> bool:
    return not part.media_type.startswith(_NOT_TEXT)


def _kind(part: TextElement, *, is_atom: bool) -> Kind:
    if part.media_type.endswith(("html", "xml")) and (part.typed or part.media_type != "text/html"):
        return "html"
    if part.element.startswith(("media_", "itunes_", "dc_")):
        return "text" if part.typed else "unsaid"
    if part.media_type != "text/plain":
        return "unsaid"
    return "text" if part.typed else "atom" if is_atom else "unsaid"


def _text(data: Any, name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
