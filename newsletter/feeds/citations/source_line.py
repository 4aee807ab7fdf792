"""Read one line of a source: its publishers, dates and URLs."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from newsletter.feeds.citations import dates_in_text
from newsletter.feeds.citations.canonical_url import canonical
from newsletter.feeds.html.blocks import Line, line_text, links

# a domain alone is a publisher's name; with a path it is a URL
_URL = re.compile(
    r"(?:https?://|www\.|(?<![\w@.-])(?:[a-z0-9-]+\.)+[a-z]{2,12}/)[^\s<>\"“”«»（）【】，。；]+", re.IGNORECASE
)
_URL_LIKE = re.compile(r"(?:https?://|www\.)\S*|[\w-]+(?:\.[\w-]+)+/\S*", re.IGNORECASE)
_FILLER = re.compile(
    r"^\W*(?:url|link|here|original(?: article)?|read (?:more|on)|full (?:story|text|article)|链接|連結|原文链接|原文"
    r"|阅读(?:全文|原文)|ссылка|оригинал|читать|lien|hier|aquí|ici)\W*$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-–—•*·▪]|\(?\d{1,2}[.)、])\s+")
_EDGES = " \t\n,，、،؛;；:：|/–—-•*·<>«»"
_AND = r"(?:and|und|et|y|e|и|та|en|ve|oraz|&|و)"
#: Parts the names of several publishers; 、 does so in any line, because nothing else is written with it.
_NAMES = re.compile(rf"\s*[,،，、]\s*(?:{_AND}\s+)?|\s+{_AND}\s+", re.IGNORECASE)
#: A name with commas of its own.
_ONE_NAME = re.compile(
    r"\b(?:ministr|department|office|committee|commission|institut|academy|bureau|council|cent(?:er|re)|agency|association"
    r"|federation|university|faculty|bundes)\w*\s+(?:of|for|on|für|des?)\b|[\"“”«»„]|\b(?:Inc|Ltd|LLC|Co|Corp)\b|D\.C\.",
    re.IGNORECASE,
)
PUBLISHER_CAP = 200


@dataclass(frozen=True)
class Segment:
    """One source of a line."""

    publisher: str
    published_on: date | None
    has_date: bool
    urls: tuple[str, ...]


@dataclass(frozen=True)
class CitedSource:
    """One source. `publisher` may be empty, `published_on` None and `url` empty, but not all of them."""

    publisher: str
    published_on: date | None
    url: str

    @property
    def canonical(self) -> str:
        """The URL as it is compared; empty without one."""
        return canonical(self.url)


def segments(line: Line, begin: int = 0, end: int | None = None, *, plural: bool = False) -> tuple[Segment, ...]:
    """The sources between two offsets of a line's text.

    They are separated by semicolons, by a date or a link of each source's own and, under a plural label (`plural`), by commas
    and `and`.
    """
    text = line_text(line)
    end = len(text) if end is None else end
    spans = [replace(span, start=max(begin, span.start)) for span in _urls(line, text) if begin < span.end <= end]
    hidden = _blank(text, ((span.start, span.end) for span in spans if span.is_text))
    hidden = _blank(hidden, ((hit.start, hit.end) for hit in dates_in_text.find_all(hidden) if hit.accessed))
    stops = [begin, *(m.end() for m in re.finditer(r"[;；]", hidden) if begin < m.end() < end), end]
    named = [
        segment
        for start, stop in pairwise(stops)
        for part_start, part_stop in pairwise(_boundaries(hidden, spans, start, stop))
        for segment in _split_names(
            _segment(hidden, spans, part_start, part_stop, first=part_start == begin), plural=plural
        )
    ]
    return tuple(segment for segment in named if segment.publisher or segment.has_date or segment.urls)


def join_segments(parts: Iterable[Segment]) -> tuple[CitedSource, ...]:
    """The sources of several lines. A URL or a date alone belongs to the source before it."""
    cited: list[CitedSource] = []
    for part in parts:
        publisher, day = part.publisher, part.published_on
        last = cited[-1] if cited else None
        urls = list(part.urls)
        if not publisher and last is not None:
            publisher, day = last.publisher, last.published_on or day
            if not last.url or not urls:
                cited[-1] = CitedSource(publisher, day, last.url or (urls.pop(0) if urls else ""))
                if not urls:
                    continue
        cited += [CitedSource(publisher, day, url) for url in urls or [""]]
    kept = (source for source in cited if source.publisher or source.url or source.published_on)
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


def _blank(text: str, places: Iterable[tuple[int, int]]) -> str:
    for start, end in places:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _boundaries(hidden: str, spans: Sequence[_Span], start: int, stop: int) -> list[int]:
    """`start`, the offsets in between where another source begins, and `stop`."""
    dated = dates_in_text.find_all(hidden[start:stop])
    if len(dated) > 1:
        if not hidden[start : start + dated[0].start].strip(_EDGES):
            return [start, *(start + hit.start for hit in dated[1:]), stop]
        return [start, *(_end_of_url(start + hit.end, spans) for hit in dated[:-1]), stop]
    named = [span for span in spans if start <= span.start and span.end <= stop and not span.is_text]
    gaps = (hidden[before.end : after.start].strip(_EDGES) for before, after in pairwise(named))
    if all(not gap or re.fullmatch(_AND, gap, re.IGNORECASE) for gap in gaps):
        return [start, *(span.end for span in named[:-1]), stop]
    return [start, stop]


def _end_of_url(offset: int, spans: Sequence[_Span]) -> int:
    """`offset`, or the end of the URL that follows at once."""
    return next((span.end for span in spans if span.is_text and offset <= span.start <= offset + 3), offset)


def _segment(hidden: str, spans: Iterable[_Span], start: int, stop: int, *, first: bool) -> Segment:
    text = hidden[start:stop]
    last_date = next(reversed(dates_in_text.find_all(text)), None)
    if last_date is not None and last_date.day is not None:
        text = f"{text[: last_date.start]} {text[last_date.end :]}"
    if not first:
        text = re.sub(rf"^[{re.escape(_EDGES)}]*{_AND}\s+", "", text, flags=re.IGNORECASE)
    urls: dict[str, str] = {}
    for span in spans:
        if start <= span.start and span.end <= stop:
            urls.setdefault(canonical(span.url) or span.url, span.url)
    return Segment(_publisher(text), last_date.day if last_date else None, last_date is not None, tuple(urls.values()))


def _split_names(segment: Segment, *, plural: bool) -> list[Segment]:
    """One source for each name in a segment; a date behind the last belongs to all of them."""
    if segment.urls or not (plural or "、" in segment.publisher) or _ONE_NAME.search(segment.publisher):
        return [segment]
    names = [name.strip(_EDGES) for name in _NAMES.split(segment.publisher)]
    if any(len(name) < 2 or name[0].islower() for name in names):
        return [segment]
    return [replace(segment, publisher=name) for name in names]


def _publisher(text: str) -> str:
    text = re.sub(r"[(（\[【]\s*[,;，；]?\s*[)）\]】]", " ", _BULLET.sub("", text))
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
