"""Reads one line of a source: which publishers, dates and URLs stand in it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from newsletter.feeds import dates
from newsletter.feeds.blocks import Line, line_text, links
from newsletter.feeds.originals import canonical

_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"“”«»（）【】，。；]+", re.IGNORECASE)
_URL_LIKE = re.compile(r"(?:https?://|www\.)\S*|[\w-]+(?:\.[\w-]+)+/\S*", re.IGNORECASE)
_FILLER = re.compile(
    r"^\W*(?:url|link|here|original(?: article)?|read more|链接|連結|原文链接|原文|ссылка|оригинал)\W*$", re.I
)
_BULLET = re.compile(r"^\s*(?:[-–—•*·▪]|\(?\d{1,2}[.)、])\s+")
_EDGES = " \t\n,，、،؛;；:：|/–—-•*·<>«»"
PUBLISHER_CAP = 200


@dataclass(frozen=True)
class Segment:
    """One source of a line: what is between two semicolons."""

    publisher: str
    published_on: date | None
    dated: bool
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Cited:
    """One source. `publisher` may be empty, `published_on` None and `url` empty, but not all of them."""

    publisher: str
    published_on: date | None
    url: str

    @property
    def canonical(self) -> str:
        """The URL as it is compared; empty without one."""
        return canonical(self.url)


def segments(line: Line, begin: int = 0, end: int | None = None) -> tuple[Segment, ...]:
    """The sources between two offsets of a line's text."""
    text = line_text(line)
    end = len(text) if end is None else end
    spans = [span for span in _urls(line, text) if begin <= span.start and span.end <= end]
    hidden = _blank(text, (span for span in spans if span.is_text))
    stops = [begin, *(m.end() for m in re.finditer(r"[;；]", hidden) if begin < m.end() < end), end]
    found = (_segment(hidden, spans, start, stop) for start, stop in pairwise(stops))
    return tuple(one for one in found if one.publisher or one.dated or one.urls)


def joined(parts: Iterable[Segment]) -> tuple[Cited, ...]:
    """Segments of several lines as sources: a URL or a date alone belongs to the source before it."""
    cited: list[Cited] = []
    for part in parts:
        publisher, day = part.publisher, part.published_on
        last = cited[-1] if cited else None
        urls = list(part.urls)
        if not publisher and last is not None:
            publisher, day = last.publisher, last.published_on or day
            if not last.url or not urls:
                cited[-1] = Cited(publisher, day, last.url or (urls.pop(0) if urls else ""))
                if not urls:
                    continue
        cited += [Cited(publisher, day, url) for url in urls or [""]]
    kept = (one for one in cited if one.publisher or one.url or one.published_on)
    return tuple(dict.fromkeys(kept))


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    url: str
    #: The text is the URL itself, or a word like "link": no part of the publisher's name.
    is_text: bool


def _urls(line: Line, text: str) -> list[_Span]:
    spans = []
    for start, end, href in links(line):
        shown = text[start:end].strip()
        is_text = bool(_URL_LIKE.fullmatch(shown.rstrip("….")) or _FILLER.match(shown)) or not shown
        spans.append(_Span(start, end, href, is_text))
    for hit in _URL.finditer(text):
        url = hit[0].rstrip(".,;:!?)]'")
        end = hit.start() + len(url)
        if all(end <= span.start or hit.start() >= span.end for span in spans):
            spans.append(_Span(hit.start(), end, url if "://" in url else f"http://{url}", is_text=True))
    return sorted(spans, key=lambda span: span.start)


def _blank(text: str, spans: Iterable[_Span]) -> str:
    for span in spans:
        text = text[: span.start] + " " * (span.end - span.start) + text[span.end :]
    return text


def _segment(hidden: str, spans: Iterable[_Span], start: int, stop: int) -> Segment:
    text = hidden[start:stop]
    found = dates.find(text)
    if found is not None and found.day is not None:
        text = f"{text[: found.start]} {text[found.end :]}"
    urls: dict[str, str] = {}
    for span in spans:
        if start <= span.start and span.end <= stop:
            urls.setdefault(canonical(span.url) or span.url, span.url)
    publisher = _publisher(text)
    return Segment(publisher, found.day if found else None, found is not None, tuple(urls.values()))


def _publisher(text: str) -> str:
    text = re.sub(r"[(（\[【]\s*[)）\]】]", " ", _BULLET.sub("", text))
    text = re.sub(r"[,\s]+[.。]$", "", " ".join(text.split())).strip(_EDGES)
    text = "" if _FILLER.match(text) else text
    for opening, closing in ("()", "（）", "[]", "【】"):
        if text.count(closing) > text.count(opening):
            text = text.rstrip(closing + _EDGES)
        if text.count(opening) > text.count(closing):
            text = text.lstrip(opening + _EDGES)
    # the full stop of a sentence, but not that of "Washington, D.C."
    if text.endswith((".", "。")) and "." not in text[:-1]:
        text = text[:-1]
    return text.strip(_EDGES)[:PUBLISHER_CAP]
