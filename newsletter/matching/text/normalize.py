"""A text in, the text as it is compared out, with the way back: where each of its characters stands in the text shown."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import regex

from newsletter.matching.text.scripts import DROPPED, is_symbol, letter_variants

#: Signs that keep an English text from being ASCII, and what stands for them; one character for one.
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
#: What belongs to the letter before it: marks, what nobody sees, half-width Japanese voicing.
_FOLLOWS = r"[\p{M}\p{Default_Ignorable_Code_Point}\uff9e\uff9f]"
#: A space that groups the digits of a number.
_GROUPING_SPACES = "\xa0\u2009\u202f"
_GROUPING = re.compile(rf"(?<=[0-9])[{_GROUPING_SPACES}](?=[0-9]{{3}}(?![0-9]))")
_CLUSTER = regex.compile(rf"(?V1)[\u1100-\u115f]+[\u1160-\u11ff]*|\P{{M}}{_FOLLOWS}*|{_FOLLOWS}+")
_FOLLOWING = regex.compile(rf"(?V1){_FOLLOWS}|[\u1160-\u11ff]")
_DROPPED = regex.compile(rf"(?V1){DROPPED}")


@dataclass(frozen=True, slots=True)
class Normalized:
    """`text` as it is compared. `places`: for each of its characters, start and end in the shown text; None: its own place."""

    text: str
    places: list[tuple[int, int]] | None = None


def normalize(shown: str) -> Normalized:
    """Undo what makes no difference: case, width, composition, letters under several numbers, what nobody sees."""
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
    return _pieced(plain, odd, changed)


@lru_cache(maxsize=65_536)
def _alone(char: str, normal: bool) -> str | None:
    """What a character becomes, if that is one character, wherever it stands; else None. `normal`: its text is NFKC."""
    if char.isascii():
        return letter_variants().get(ord(char), char.lower())
    category = unicodedata.category(char)
    if _DROPPED.match(char) or "\u0300" <= char <= "\u036f" or "\u1100" <= char <= "\u11ff" or is_symbol(char):
        return None
    if not normal and (category[0] == "M" or char in "\uff9e\uff9f"):
        return None
    folded = _folded(char)
    return folded if len(folded) == 1 else None


def _pieced(plain: str, odd: list[str], changed: dict[int, str]) -> Normalized:
    """Odd characters are folded with the letter they belong to, all between them at once."""
    folded: list[str] = []
    places: list[tuple[int, int]] = []
    done = 0
    for at in _occurrences(plain, odd):
        if at < done:
            continue
        start = at
        while start > done and _FOLLOWING.match(plain, start):
            start -= 1
        folded.append(plain[done:start].translate(changed))
        places += [(place, place + 1) for place in range(done, start)]
        done = start
        while done <= at or (done < len(plain) and _FOLLOWING.match(plain, done)):
            cluster = _CLUSTER.match(plain, done)
            assert cluster is not None  # noqa: S101 - narrows the type: the pattern meets every character
            kept = _folded(cluster[0])
            folded.append(kept)
            places += [(done, _seen_end(plain, done, cluster.end()))] * len(kept)
            done = cluster.end()
    folded.append(plain[done:].translate(changed))
    places += [(place, place + 1) for place in range(done, len(plain))]
    return Normalized("".join(folded), places)


def _occurrences(plain: str, odd: list[str]) -> list[int]:
    found = []
    for char in odd:
        at = plain.find(char)
        while at >= 0:
            found.append(at)
            at = plain.find(char, at + 1)
    return sorted(found)


def _folded(cluster: str) -> str:
    if is_symbol(cluster[0]):
        return " "
    kept = _DROPPED.sub("", unicodedata.normalize("NFC", cluster))
    kept = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", kept).casefold())
    return _DROPPED.sub("", kept).replace("i\u0307", "i").translate(letter_variants())


def _seen_end(plain: str, start: int, end: int) -> int:
    """A cluster's end without what nobody sees after it."""
    while end > start + 1 and _DROPPED.match(plain, end - 1):
        end -= 1
    return end
