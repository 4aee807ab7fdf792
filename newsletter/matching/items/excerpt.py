"""An excerpt of a text around the words that were found in it, with these words marked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from newsletter.lib.shorten import ELLIPSIS

#: Characters of an excerpt, and of those before the first word that was found.
LENGTH, BEFORE = 220, 60


@dataclass(frozen=True)
class TextRun:
    """A part of a line; `found`: the words that were looked for."""

    text: str
    found: bool = False


Line = tuple[TextRun, ...]


class Place(Protocol):
    """Where words stand: offsets in code points."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def marked(text: str, places: Iterable[Place]) -> Line:
    """The whole text as a line, with these places marked; those that overlap are one."""
    return tuple(_runs(text, _joined(places), 0, len(text)))


def excerpt(text: str, places: Iterable[Place]) -> Line:
    """At most about `LENGTH` characters of the text, around the first of these places, else its beginning."""
    found = _joined(places)
    first = found[0][0] if found else 0
    start = 0 if first <= BEFORE + 20 else _word_start(text, first - BEFORE)
    end = len(text) if len(text) - start <= LENGTH else _word_end(text, start + LENGTH)
    runs = [TextRun(ELLIPSIS)] * (start > 0)
    runs += _runs(text, found, start, end)
    return (*runs, *([TextRun(ELLIPSIS)] * (end < len(text.rstrip()))))


def _runs(text: str, found: list[tuple[int, int]], start: int, end: int) -> Iterator[TextRun]:
    place = start
    for begin, stop in found:
        begin, stop = max(begin, start), min(stop, end)
        if begin >= stop:
            continue
        if place < begin:
            yield TextRun(_one_line(text[place:begin]))
        yield TextRun(_one_line(text[begin:stop]), found=True)
        place = stop
    if place < end:
        yield TextRun(_one_line(text[place:end]))


def _one_line(text: str) -> str:
    """White space collapsed, but for one space at either end: runs stand side by side."""
    words = " ".join(text.split())
    if not words:
        return " " if text else ""
    return " " * text[0].isspace() + words + " " * text[-1].isspace()


def _joined(places: Iterable[Place]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted((place.start, place.end) for place in places):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _word_start(text: str, place: int) -> int:
    space = text.find(" ", place)
    return space + 1 if 0 <= space < place + 30 else place


def _word_end(text: str, place: int) -> int:
    space = text.rfind(" ", 0, place)
    return space if space > place - 30 else place
