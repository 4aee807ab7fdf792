"""Text in, the words that queries meet out: folded, whole, each with its place in the text as it is shown."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import regex

#: Written without spaces: every character is a word of its own, so a query in these scripts is found anywhere (UAX 29).
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
# regex, not re: a combining mark belongs to its word, or Hindi falls to pieces; an underscore does not, so that the parts of
# an identifier are words
_LETTER = rf"[[\p{{L}}\p{{N}}]--[{_UNSPACED}]]"
_INSIDE = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]"
_WORD = regex.compile(rf"(?V1)[{_UNSPACED}]\p{{M}}*|{_LETTER}{_INSIDE}*(?:'{_LETTER}{_INSIDE}*)*")
_CLUSTER = regex.compile(r"(?V1)\P{M}\p{M}*|\p{M}+")
_APOSTROPHES = dict.fromkeys(map(ord, "’‘ʼʻ′´`＇ʹ"), "'")


@dataclass(frozen=True, slots=True)
class Word:
    """A word as queries meet it (`key`), and where it stands in the shown text (code points, `end` excluded)."""

    key: str
    start: int
    end: int


def words(text: str) -> list[Word]:
    """The words of a text, in order.

    Case, half and full width, composed and decomposed forms (NFKC), soft hyphens, zero-width characters, the kind of
    apostrophe and a possessive 's make no difference to a key.
    """
    return list(_words(text))


def keys(text: str) -> tuple[str, ...]:
    """Only the keys of `words`."""
    return tuple(word.key for word in _words(text))


def _words(text: str) -> Iterator[Word]:
    folded, places = fold(text)
    for found in _WORD.finditer(folded):
        key = found[0]
        if "'" in key:
            key = key.removesuffix("'s").replace("'", "")
        if key:
            yield Word(key, places[found.start()], places[found.end() - 1] + _width(text, places[found.end() - 1]))


def fold(text: str) -> tuple[str, list[int]]:
    """The text as it is compared, and for each of its characters the place in `text` that it came from."""
    if text.isascii():
        return text.lower().replace("`", "'"), list(range(len(text)))
    folded: list[str] = []
    places: list[int] = []
    for cluster in _CLUSTER.finditer(text):
        for char in _fold_cluster(cluster[0]):
            folded.append(char)
            places.append(cluster.start())
    return "".join(folded), places


def _fold_cluster(cluster: str) -> str:
    if len(cluster) == 1 and cluster.isascii():
        return "'" if cluster == "`" else cluster.lower()
    plain = "".join(char for char in cluster if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain).casefold()).translate(_APOSTROPHES)


def _width(text: str, place: int) -> int:
    """How many code points of the shown text belong to the character at `place`: it and its marks."""
    end = place + 1
    while end < len(text) and unicodedata.category(text[end]) in ("Mn", "Mc", "Me"):
        end += 1
    return end - place
