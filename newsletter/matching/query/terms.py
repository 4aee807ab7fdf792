"""Make the terms of a query from words and quotations as they are typed.

All of them raise a `QueryError` for what cannot be looked for; `column` is where the text begins in the query, from 1.
"""

import re
from collections.abc import Sequence

from newsletter.matching.query.nodes import (
    AccentInsensitive,
    BareWord,
    Exact,
    Near,
    Phrase,
    Plain,
    Prefix,
    capitalised,
)
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.text.scripts import is_unspaced, spelling, without_accents
from newsletter.matching.text.symbols import significant_symbols
from newsletter.matching.text.tokenize import BREAK, TokenizedText, tokenize

#: Fewest letters before a `*`.
SHORTEST_PREFIX = 3
#: The widest `"…"~N`.
LONGEST_DISTANCE = 100
#: A term of so many capitals is an acronym: `US` is not `us`.
LONGEST_ACRONYM = 4
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)


def bare_word(text: str, column: int) -> BareWord:
    """Return the term for a word, or for parts joined by hyphens or symbols, that stands in `column` (from 1)."""
    tokenized = TokenizedText(text)
    keys = tuple(key for key in tokenized.keys if key != BREAK) or _keys(text, column)
    if symbols := _symbols(tokenized):
        return BareWord(keys, symbols=symbols)
    compounds = tokenized.compounds if tokenized.hyphenated else []
    whole = len(compounds) == 1 and (compounds[0].first, compounds[0].last) == (0, len(keys) - 1)
    hyphenated = whole and not any(map(is_unspaced, keys))
    acronym = is_acronym(text, keys)
    return BareWord(
        keys, hyphenated, acronym, not acronym and (hyphenated or len(keys) == 1) and _is_capitalised(text, keys[0])
    )


def phrase(text: str, column: int) -> Phrase:
    """Return the term for what stands between quotation marks."""
    keys = _keys(text, column)
    if text.replace(" ", "").isalnum():
        return Phrase(keys, is_acronym(text, keys))
    symbols = _symbols(TokenizedText(text))
    return Phrase(keys, not symbols and is_acronym(text, keys), symbols)


def _symbols(text: TokenizedText) -> tuple[str, ...]:
    """The symbols that must stand with words, if all stand in one paragraph."""
    last = len(text.keys) - 1
    return () if last < 0 or BREAK in text.keys else significant_symbols(text.around(0, last))


def _is_capitalised(text: str, key: str) -> bool:
    """Whether a word is typed with a capital, and can be written so."""
    return capitalised(key) != key and capitalised(key)[0].lower() == key[0] and any(map(str.isupper, text))


def prefix(text: str, column: int) -> Prefix:
    """Return the term for the letters before a `*`."""
    keys = _keys_without_symbols(text, column)
    if is_unspaced(keys[-1]):
        raise QueryError("words of this script are found inside others anyway: leave out the *", column)
    if len(keys[-1]) < SHORTEST_PREFIX:
        raise QueryError(f"a * needs at least {SHORTEST_PREFIX} letters before it", column)
    return Prefix(keys)


def modified(sign: str, text: str, column: int) -> Plain:
    """Return the term for a word or a quotation after `=` (exact) or `~` (accents make no difference)."""
    if text.endswith("*"):
        raise QueryError(f"{sign} and * do not go together: leave one of them out", column)
    if sign == "~":
        keys = _keys_without_symbols(text, column + 1)
        return AccentInsensitive(tuple(without_accents(key) for key in keys))
    keys = _keys(text, column + 1)
    return Exact(
        keys, tuple(spelling(text[word.start : word.end]) for word in tokenize(text)), _symbols(TokenizedText(text))
    )


def near(text: str, distance: str, column: int) -> Near:
    """Return the term for `"…"~N`: words with at most `distance`, as typed, other words among them."""
    parts = tuple(dict.fromkeys(_keys_without_symbols(part, column) for part in text.split() if _keys_in(part)))
    if not (
        distance.isascii()
        and distance.isdigit()
        and len(distance) < LONGEST_DISTANCE
        and int(distance) <= LONGEST_DISTANCE
    ):
        raise QueryError(f"after ~ stands how many words may lie between, 0 to {LONGEST_DISTANCE}", column)
    if len(parts) < 2:
        raise QueryError("a distance needs at least two different words between the quotation marks", column)
    return Near(parts, int(distance))


def _keys(text: str, column: int) -> tuple[str, ...]:
    keys = _keys_in(text)
    if not keys:
        raise QueryError("there is no letter or digit here: write a word", column)
    return keys


def _keys_without_symbols(text: str, column: int) -> tuple[str, ...]:
    keys = _keys(text, column)
    if _symbols(TokenizedText(text)):
        raise QueryError(
            "signs inside or beside a word cannot be looked for together with * or ~: leave one of them out", column
        )
    return keys


def _keys_in(text: str) -> tuple[str, ...]:
    return tuple(word.key for word in tokenize(text))


def is_acronym(text: str, keys: Sequence[str]) -> bool:
    """Whether a term is up to four letters, all of them capitals."""
    if len(keys) != 1 or len(keys[0]) > LONGEST_ACRONYM or not keys[0].isalpha():
        return False
    (word,) = tokenize(text)
    shown = spelling(text[word.start : word.end])
    return len(shown) == len(keys[0]) and all(letter.isupper() for letter in shown)


def ends_in_star(text: str) -> bool:
    """Whether a word ends in a `*` that no backslash escapes."""
    body = text[:-1]
    return text.endswith("*") and (len(body) - len(body.rstrip("\\"))) % 2 == 0


def unescaped(text: str) -> str:
    """The text without the backslashes that escape the character after them."""
    return _ESCAPE.sub(r"\1", text)
