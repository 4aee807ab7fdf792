"""Split a text into normalized words, each with its position in the text as it is shown."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import regex

from newsletter.matching.text.apostrophes import ENDING, normalize_apostrophes
from newsletter.matching.text.normalize import normalize
from newsletter.matching.text.scripts import INSIDE, LETTER, UNSPACED

#: A key that no word has: the end of a paragraph, which no phrase reaches across.
BREAK = "\x01"
#: Stands for a dot of an acronym or what groups the digits of a number, once found: in a word, and not part of its key.
_DOT = "\x02"
#: Stand for the symbols of `C++` and `C#`, once found: parts of the key.
_PLUS, _SHARP = "\x03", "\x04"
_OURS = str.maketrans(dict.fromkeys((_DOT, _PLUS, _SHARP), " "))
_KEY_SYMBOLS = str.maketrans({_DOT: None, "'": None, _PLUS: "+", _SHARP: "#"})
_BROKEN = "\n\n"
_WORD = regex.compile(
    rf"(?V1){_BROKEN}|{UNSPACED}\p{{M}}*|{LETTER}(?:[{_PLUS}{_SHARP}]+|{INSIDE}*(?:['{_DOT}]+{LETTER}{INSIDE}*)*{_DOT}?)"
)
_ASCII_WORD = re.compile(rf"{_BROKEN}|[a-z0-9](?:[{_PLUS}{_SHARP}]+|[a-z0-9'{_DOT}]*)")
_LETTER = regex.compile(rf"(?V1)(?P<letter>{LETTER})|(?P<unspaced>{UNSPACED})|(?P<mark>\p{{M}})")
_STRAY = regex.compile(rf"(?:^|[\s'{_DOT}-])\p{{M}}")

_BLANK_LINE = re.compile(r"\n([^\S\n]+)\n")
_ANY_DOTTED = re.compile(r"\.[^\W\d_]\.")
_DOTTED = regex.compile(rf"(?V1)(?<![\w.'-])(?:[{LETTER}&&\p{{L}}]\.){{2,}}+(?:[{LETTER}&&\p{{L}}])?+(?!\w)")
#: Two, since looking for one character is many times faster than for one of two.
_COMMA_GROUP, _DOT_GROUP = re.compile(r",[0-9]{3}"), re.compile(r"\.[0-9]{3}")
#: 1,000 and 1.000.000 and 1,00,000; not 0.125, 192.168.1.1 or 1,000,5.
_GROUPED = regex.compile(
    rf"(?V1)(?<!{LETTER}\p{{M}}*|[_.,'{_DOT}])[1-9][0-9]{{0,2}}"
    r"(?:(?:,[0-9]{2,3})*,[0-9]{3}(?![0-9]|,[0-9])|(?:\.[0-9]{3})+(?![0-9]|\.[0-9]))"
)
_LETTER_WITH_SYMBOLS = regex.compile(rf"(?V1)(?<!{LETTER}\p{{M}}*|[_'{_DOT}])[a-z](?:\+\+(?!\+)|#)(?!\p{{M}})")


@dataclass(frozen=True, slots=True)
class Token:
    """A word as queries meet it (`key`), and where it stands in the shown text (code points, `end` excluded)."""

    key: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Compound:
    """Words joined by hyphens, also read as one: its key, and the numbers of its first and last word."""

    key: str
    first: int
    last: int


class TokenizedText:
    """A text cut into words. Keys come at once; places are found when somebody asks for them."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        folded = normalize(shown)
        self._folded, self._places = _protect_symbols(folded.text), folded.places
        cut = self._folded.translate(_ASCII) if self._folded.isascii() else self._folded.translate(_kinds)
        if "\0" in cut or (not cut.isascii() and _STRAY.search(cut)):
            #: The words in order; BREAK where a paragraph ends.
            self.keys = [_key(match[0]) for match in _WORD.finditer(self._folded)]
        else:
            self.keys = _without_symbols(cut.replace("-", " ").replace(_BROKEN, f" {BREAK} ")).split()

    @property
    def hyphenated(self) -> bool:
        """Whether there may be compounds."""
        return "-" in self._folded

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        """Where each word stands in the folded text."""
        pattern = _ASCII_WORD if self._folded.isascii() else _WORD
        return [match.span() for match in pattern.finditer(self._folded)]

    def place(self, number: int) -> tuple[int, int]:
        """Where the word of this number stands in the shown text."""
        start, end = self._spans[number]
        if self._places is not None:
            start, end = self._places[start][0], self._places[end - 1][1]
        return start, end

    def around(self, first: int, last: int) -> list[str]:
        """What stands before, between and after the words of these numbers, as it is compared: before and after, with one letter
        of the next word or a space."""
        folded = f" {self._folded} "
        spans = [(start + 1, end + 1) for start, end in self._spans[max(first - 1, 0) : last + 2]]
        before = spans.pop(0)[1] - 1 if first else 0
        after = spans.pop()[0] + 1 if last + 1 < len(self._spans) else len(folded)
        edges = [before, *(edge for span in spans for edge in span), after]
        return [folded[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]

    @cached_property
    def compounds(self) -> list[Compound]:
        """Words joined by hyphens: `e-mail` is also read as `email`."""
        compounds: list[Compound] = []
        first = 0
        for number in range(1, len(self.keys) + 1):
            if number < len(self.keys) and self._joined(number - 1, number):
                continue
            if number - first > 1:
                compounds.append(Compound("".join(self.keys[first:number]), first, number - 1))
            first = number
        return compounds

    def _joined(self, left: int, right: int) -> bool:
        return self._folded[self._spans[left][1] : self._spans[right][0]] == "-"


def tokenize(text: str) -> list[Token]:
    """The words of a text, in order.

    Case, half and full width, composed and decomposed forms (NFKC), simplified and traditional Chinese, optional vowel points,
    soft hyphens, zero-width characters, the kind of apostrophe, a possessive 's and the dots of an acronym make no
    difference to a key.
    """
    return list(_words(TokenizedText(text)))


def keys(text: str) -> tuple[str, ...]:
    """Only the keys of `tokenize`."""
    return tuple(key for key in TokenizedText(text).keys if key != BREAK)


def _words(text: TokenizedText) -> Iterator[Token]:
    for number, key in enumerate(text.keys):
        if key != BREAK:
            yield Token(key, *text.place(number))


class _Kinds(dict[int, str]):
    """For `str.translate`: letters as they are, letters that are words of their own between spaces, all else a space.

    A mark after such a letter must stay with it: that needs a closer look, which a zero byte asks for.
    """

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kind = _LETTER.match(char)
        if kind is None:
            made = char if char in f"'-\n{_DOT}{_PLUS}{_SHARP}" else " "
        elif kind["unspaced"]:
            made = f" {char} "
        else:
            made = char
        if kind is not None and (kind["mark"] or kind["unspaced"]) and _MARKED_UNSPACED.match(char):
            made = "\0"
        self[code] = made
        return made


#: Scripts without spaces that put marks on their letters.
_MARKED_UNSPACED = regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}\u3099\u309a]")
_kinds = _Kinds()
_ASCII = {code: _kinds[code] for code in range(128)}  # str.translate is fastest when it has them all


def _protect_symbols(folded: str) -> str:
    """As long as it was: acronyms without dots, numbers in one, apostrophes only inside words, a blank line two line feeds."""
    if _DOT in folded or _PLUS in folded or _SHARP in folded:
        folded = folded.translate(_OURS)
    if "\n" in folded:
        folded = _BLANK_LINE.sub(r"\n\n\1", folded)
    folded = _acronyms(folded)
    if "'" in folded or ('"' in folded and not folded.isascii()):
        folded = _acronyms(normalize_apostrophes(folded))  # once more, for l'O.N.U.
    if _COMMA_GROUP.search(folded) or _DOT_GROUP.search(folded):
        folded = _GROUPED.sub(lambda match: match[0].replace(",", _DOT).replace(".", _DOT), folded)
    if "+" in folded or "#" in folded:
        folded = _LETTER_WITH_SYMBOLS.sub(_with_symbols, folded)
    return folded


def _acronyms(folded: str) -> str:
    if _ANY_DOTTED.search(folded):
        return _DOTTED.sub(lambda match: match[0].replace(".", _DOT), folded)
    return folded


def _with_symbols(match: regex.Match[str]) -> str:
    return match[0].replace("+", _PLUS).replace("#", _SHARP)


def _without_symbols(folded: str) -> str:
    if "'" in folded:
        folded = ENDING.sub("", folded).replace("'", "")
    if _PLUS in folded or _SHARP in folded:
        folded = folded.replace(_PLUS * 2, "++ ").replace(_SHARP, "# ")
    return folded.replace(_DOT, "")


def _key(word: str) -> str:
    if word == _BROKEN:
        return BREAK
    if word.isalnum():
        return word
    return (ENDING.sub("", word) if "'" in word else word).translate(_KEY_SYMBOLS)
