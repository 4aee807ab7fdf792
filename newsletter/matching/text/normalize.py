"""Normalize a text for comparison, and map each character of the result to its place in the text as shown."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import regex

from newsletter.matching.text.scripts import DROPPED, is_symbol, letter_variants

#: The signs that keep most English texts from being ASCII, and their replacements, one character for one.
_TYPOGRAPHY = (
    ("’", "'"),
    ("‘", "'"),
    ("“", '"'),
    ("”", '"'),
    ("–", ":"),
    ("—", ":"),
    ("…", "."),
    ("\xa0", " "),
    ("•", ":"),
)
#: What belongs to the letter before it: marks, invisible characters, half-width Japanese voicing.
_FOLLOWS = r"[\p{M}\p{Default_Ignorable_Code_Point}\uff9e\uff9f]"
#: A space that groups the digits of a number.
_GROUPING_SPACES = "\xa0\u2009\u202f"
_GROUPING = re.compile(rf"(?<=[0-9])[{_GROUPING_SPACES}](?=[0-9]{{3}}(?![0-9]))")
_CLUSTER = regex.compile(rf"(?V1)[\u1100-\u115f]+[\u1160-\u11ff]*|\P{{M}}{_FOLLOWS}*|{_FOLLOWS}+")
_FOLLOWING = regex.compile(rf"(?V1){_FOLLOWS}|[\u1160-\u11ff]")
_DROPPED = regex.compile(rf"(?V1){DROPPED}")


@dataclass(frozen=True, slots=True)
class Normalized:
    """A text in the form in which texts are compared."""

    text: str
    #: For each character of it, start and end in the text as shown; None if all places are the same.
    places: list[tuple[int, int]] | None = None


def normalize(shown: str) -> Normalized:
    """Remove differences of case, width and composition, variants of letters, and invisible characters."""
    plain = shown
    if not plain.isascii():
        if any(space in plain for space in _GROUPING_SPACES):
            plain = _GROUPING.sub(",", plain)
        for sign, ascii_sign in _TYPOGRAPHY:
            plain = plain.replace(sign, ascii_sign)
    if plain.isascii():
        return Normalized(plain.lower())
    lower = plain.lower()
    plain = lower if len(lower) == len(plain) else plain
    normal = unicodedata.is_normalized("NFKC", plain)
    kinds = {char: _alone(char, normal) for char in set(plain)}
    odd = [char for char, alone in kinds.items() if alone is None]
    changed = {ord(char): alone for char, alone in kinds.items() if alone is not None and alone != char}
    if not odd:
        return Normalized(plain.translate(changed) if changed else plain)
    return _piecewise(plain, odd, changed)


@lru_cache(maxsize=65_536)
def _alone(char: str, normal: bool) -> str | None:
    """The character to compare instead of this one, wherever it stands; None if it depends on its neighbours, or is not one.

    `normal`: the text is in NFKC.
    """
    if char.isascii():
        return letter_variants().get(ord(char), char.lower())
    category = unicodedata.category(char)
    if _DROPPED.match(char) or "\u0300" <= char <= "\u036f" or "\u1100" <= char <= "\u11ff" or is_symbol(char):
        return None
    if not normal and (category[0] == "M" or char in "\uff9e\uff9f"):
        return None
    compared = _compared(char)
    return compared if len(compared) == 1 else None


def _piecewise(plain: str, odd: list[str], changed: dict[int, str]) -> Normalized:
    """Compare odd characters together with the letter they belong to, and all text between them character by character."""
    text: list[str] = []
    places: list[tuple[int, int]] = []
    end = 0
    for cluster_start, cluster_end in _clusters(plain, odd):
        text.append(plain[end:cluster_start].translate(changed))
        places += [(place, place + 1) for place in range(end, cluster_start)]
        compared = _compared(plain[cluster_start:cluster_end])
        text.append(compared)
        places += [(cluster_start, _visible_end(plain, cluster_start, cluster_end))] * len(compared)
        end = cluster_end
    text.append(plain[end:].translate(changed))
    places += [(place, place + 1) for place in range(end, len(plain))]
    return Normalized("".join(text), places)


def _clusters(plain: str, odd: list[str]) -> Iterator[tuple[int, int]]:
    """Start and end of each letter with its marks in which an odd character stands, and of those that follow it without a gap."""
    end = 0
    for offset in _occurrences(plain, odd):
        if offset < end:
            continue
        start = offset
        while start > end and _FOLLOWING.match(plain, start):
            start -= 1
        while start <= offset or (start < len(plain) and _FOLLOWING.match(plain, start)):
            cluster = _CLUSTER.match(plain, start)
            assert cluster is not None  # noqa: S101 - narrows the type: the pattern matches every character
            yield cluster.span()
            start = end = cluster.end()


def _occurrences(plain: str, odd: list[str]) -> list[int]:
    """Where these characters stand, in order."""
    offsets = []
    for char in odd:
        offset = plain.find(char)
        while offset >= 0:
            offsets.append(offset)
            offset = plain.find(char, offset + 1)
    return sorted(offsets)


def _compared(cluster: str) -> str:
    if is_symbol(cluster[0]):
        return " "
    kept = _DROPPED.sub("", unicodedata.normalize("NFC", cluster))
    kept = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", kept).casefold())
    return _DROPPED.sub("", kept).replace("i\u0307", "i").translate(letter_variants())


def _visible_end(plain: str, start: int, end: int) -> int:
    """A cluster's end without invisible characters at its end."""
    while end > start + 1 and _DROPPED.match(plain, end - 1):
        end -= 1
    return end
