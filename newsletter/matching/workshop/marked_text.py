"""Texts in which the words that matched are marked: whole, or the part around the first of them."""

from collections.abc import Iterable
from dataclasses import dataclass

#: Characters of a text that are shown before the first marked word, and in all.
_BEFORE, _LONGEST = 60, 240

#: Start and end of a marked word, in characters.
Place = tuple[int, int]


@dataclass(frozen=True)
class TextPiece:
    """A part of a text: words that matched, or what stands between them."""

    text: str
    marked: bool = False


def marked(text: str, places: Iterable[Place]) -> tuple[TextPiece, ...]:
    """The whole text in pieces. Places that overlap are marked as one; those outside the text are left out."""
    pieces, at = [], 0
    for start, end in sorted(places):
        first, last = max(start, at), min(end, len(text))
        if first >= last:
            continue
        if first > at:
            pieces.append(TextPiece(text[at:first]))
        pieces.append(TextPiece(text[first:last], marked=True))
        at = last
    if at < len(text):
        pieces.append(TextPiece(text[at:]))
    return tuple(pieces)


def excerpt(text: str, places: Iterable[Place]) -> tuple[TextPiece, ...]:
    """About two lines of a text around its first marked word; its beginning if none is marked."""
    sorted_places = sorted(places)
    begin = _begin(text, sorted_places[0][0] if sorted_places else 0)
    end = _end(text, begin + _LONGEST)
    pieces = marked(text[begin:end], [(start - begin, stop - begin) for start, stop in sorted_places if start >= begin])
    before, after = ("…" if begin else ""), ("…" if end < len(text) else "")
    return (
        *((TextPiece(before),) if before else ()),
        *(TextPiece(" ".join(piece.text.split("\n")), piece.marked) for piece in pieces),
        *((TextPiece(after),) if after else ()),
    )


def _begin(text: str, first: int) -> int:
    """Where an excerpt begins: at a word a little before the first marked one."""
    if first <= _BEFORE:
        return 0
    space = text.find(" ", first - _BEFORE, first)
    return first - _BEFORE if space < 0 else space + 1


def _end(text: str, longest: int) -> int:
    """Where an excerpt ends: after a word."""
    if longest >= len(text):
        return len(text)
    space = text.rfind(" ", longest - 40, longest)
    return longest if space < 0 else space
