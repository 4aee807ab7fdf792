"""The grammar of queries: a text in, a tree of terms out, or where and why it cannot be read."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from newsletter.matching.query.nodes import (
    FIELDS,
    OPERATORS,
    AccentInsensitive,
    And,
    BareWord,
    Exact,
    FieldTerm,
    Near,
    Not,
    Or,
    Phrase,
    Plain,
    Prefix,
    Query,
    capitalised,
)
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.query.refused_forms import refuse_double_minus, refuse_foreign, refuse_in_quotes
from newsletter.matching.text.apostrophes import protect_gershayim
from newsletter.matching.text.scripts import is_unspaced, spelling, without_accents
from newsletter.matching.text.signs import significant_signs
from newsletter.matching.text.tokenize import BREAK, TokenizedText, tokenize

#: Fewest letters before a `*`.
SHORTEST_PREFIX = 3
#: The widest `"…"~N`.
LONGEST_DISTANCE = 100
#: A term of so many capitals is an acronym: `US` is not `us`.
LONGEST_ACRONYM = 4


#: In a query that is all in capitals, words of so many are acronyms nevertheless, but for these.
_ALWAYS_ACRONYM = 2
_PARTICLES = frozenset(
    ["a", "al", "at", "by", "da", "de", "di", "do", "du", "el", "et", "in", "la", "le", "of", "on", "to", "y"]
)


_GRAMMAR = r"""
?start: or_
?or_: and_ (_OR and_)*
?and_: not_ (_AND? not_)*
?not_: (_NOT | _MINUS) not_ -> without
     | atom
?atom: FIELD group -> within
     | FIELD term -> within
     | group
     | term
?group: "(" or_ ")"
?term: QUOTED -> quoted
     | BARE -> bare
_OR.4: /OR(?=[\s()"]|$)|\|\|?/
_AND.4: /AND(?=[\s()"]|$)|&&/
_NOT.4: /NOT(?=[\s()"]|$)/
_MINUS.3: /-(?=\S)/
FIELD.3: /(?:title|source|author|category|lang|feed):\s*(?=\S)|[a-z][\w.]*:(?=[^\s:\/])/i
QUOTED.2: /[=~]?"(?:\\.|[^"\\])*"(?:~[^\s()"]*)?/
BARE.1: /(?:\\.|&(?!&)|[^\s()"\\|&])+/
%ignore /\s+/
"""
_PARSER = Lark(_GRAMMAR, parser="lalr", lexer="basic", maybe_placeholders=False)
_LETTERS = r"[^\W_]+"
_PART = re.compile(rf'(?P<minus>-?)(?:(?P<word>{_LETTERS})|"(?P<inside>{_LETTERS}(?: {_LETTERS})*)")')
_PLAIN = re.compile(
    rf'-?(?:{_LETTERS}|"{_LETTERS}(?: {_LETTERS})*")(?: -?(?:{_LETTERS}|"{_LETTERS}(?: {_LETTERS})*"))*'
)
_OPERATOR = re.compile(rf"(?<![^ -])(?:{'|'.join(OPERATORS)}|(?:NEAR|ADJ|[NW])\d+)(?![^ ])")
_TWO_FIELDS = "a field inside another field: write them side by side"
#: The signs of other keyboards and typographers, one character for one, so that columns stay true.
_SIGNS = str.maketrans(
    dict.fromkeys("＂“”„«»「」『』", '"')
    | dict.fromkeys("‐‑‒–—―−﹘﹣－¬", "-")
    | dict(zip("（）：＊＝～｜＆！？＋＃＾…", "():*=~|&!?+#^,", strict=True))
)
#: An exclamation mark before a word means what a minus means.
_EXCLUDED = re.compile(r"(?<![^\s(])!(?=[^\s!)])")


def read_query(text: str) -> Query:
    """The tree of a query.

    Raises:
        QueryError: it is not of the language.
    """
    if _PLAIN.fullmatch(text) and not _OPERATOR.search(text):
        return _in_capitals(_plain(text), text)  # most queries are such, and the parser takes its time
    text = _EXCLUDED.sub("-", protect_gershayim(text.translate(_SIGNS)))
    refuse_double_minus(text)
    try:
        return _in_capitals(_Builder(text).transform(_PARSER.parse(text)), text)
    except VisitError as error:
        if isinstance(error.orig_exc, QueryError):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise QueryError(*_explained(error, text)) from None


def _plain(text: str) -> Query:
    """Words, phrases and minus, between single spaces."""
    parts: list[Query] = []
    for found in _PART.finditer(text):
        sign, inside, column = found["minus"], found["inside"], found.start() + 1 + len(found["minus"])
        if inside is None:
            part: Query = _word(found["word"], column)
        else:
            keys = _keys(inside, column)
            part = Phrase(keys, _acronym(inside, keys))
        parts.append(Not(part) if sign else part)
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _in_capitals(query: Query, text: str) -> Query:
    """Words that are all typed in capitals are no acronyms for that, but for those of two letters: `GRAND PRIX`, not `US UK`."""
    if (
        not isinstance(query, And)
        or not all(isinstance(part, BareWord) for part in query.parts)
        or any(map(str.islower, text))
    ):
        return query
    return And(tuple(_no_acronym(part) for part in query.parts if isinstance(part, BareWord)))


def _no_acronym(word: BareWord) -> BareWord:
    key = word.keys[0]
    if not word.capitals or (len(key) <= _ALWAYS_ACRONYM and key not in _PARTICLES):
        return word
    return replace(word, capitals=False, name=len(key) > 1)  # one capital alone is an acronym


class _Builder(Transformer[Token, Query]):
    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def bare(self, found: list[Token]) -> Query:
        (token,) = found
        text, column = str(token), token.column or 1
        refuse_foreign(self._text, text, column)
        if text[0] in "=~":
            return _modified(text[0], _unescaped(text[1:]), column)
        if _ends_in_star(text):
            return _prefix(_unescaped(text[:-1]), column)
        if "*" in text.replace("\\*", ""):
            raise QueryError(r"a * stands at the end of a word; to look for the sign itself, write \*", column)
        return _word(_unescaped(text), column)

    def quoted(self, found: list[Token]) -> Query:
        (token,) = found
        column = token.column or 1
        sign, _, rest = str(token).partition('"')
        inside, _, distance = rest.rpartition('"')
        refuse_in_quotes(inside, column)
        inside = _unescaped(inside)
        if sign and distance:
            raise QueryError("a distance goes with plain quotation marks only: leave out the sign before them", column)
        if sign:
            return _modified(sign, inside, column)
        if distance:
            return _near(inside, distance[1:], column)
        return _phrase(inside, column)

    def within(self, found: list[Token | Query]) -> Query:
        token, part = found
        assert isinstance(token, Token)  # noqa: S101 - narrows the type: the grammar says so
        assert not isinstance(part, Token)  # noqa: S101
        name = str(token).strip()[:-1].lower()
        if name not in FIELDS:
            close = difflib.get_close_matches(name, FIELDS, 1)
            meant = f"did you mean {close[0]}:?" if close else f"there are {', '.join(f'{one}:' for one in FIELDS)}"
            raise QueryError(
                f"there is no such field: {meant} (to look for the words, use quotation marks)", token.column or 1
            )
        return _narrowed(name, part, token.column or 1)

    def or_(self, parts: list[Query]) -> Query:
        return Or(tuple(parts))

    def and_(self, parts: list[Query]) -> Query:
        return And(tuple(parts))

    def without(self, parts: list[Query]) -> Query:
        return Not(parts[0])


def _word(text: str, column: int) -> BareWord:
    reading = TokenizedText(text)
    keys = tuple(key for key in reading.keys if key != BREAK) or _keys(text, column)
    if signs := _signs(reading):
        return BareWord(keys, signs=signs)
    compounds = reading.compounds if reading.hyphenated else []
    whole = len(compounds) == 1 and (compounds[0].first, compounds[0].last) == (0, len(keys) - 1)
    hyphenated = whole and not any(map(is_unspaced, keys))
    acronym = _acronym(text, keys)
    return BareWord(
        keys, hyphenated, acronym, not acronym and (hyphenated or len(keys) == 1) and _capital(text, keys[0])
    )


def _phrase(text: str, column: int) -> Phrase:
    keys = _keys(text, column)
    if text.replace(" ", "").isalnum():
        return Phrase(keys, _acronym(text, keys))
    signs = _signs(TokenizedText(text))
    return Phrase(keys, not signs and _acronym(text, keys), signs)


def _signs(reading: TokenizedText) -> tuple[str, ...]:
    """The signs that must stand with words, if all stand in one paragraph."""
    last = len(reading.keys) - 1
    return () if last < 0 or BREAK in reading.keys else significant_signs(reading.around(0, last))


def _capital(text: str, key: str) -> bool:
    """Whether a word is typed with a capital, and can be written so."""
    return capitalised(key) != key and capitalised(key)[0].lower() == key[0] and any(map(str.isupper, text))


def _prefix(text: str, column: int) -> Prefix:
    keys = _unsigned(text, column)
    if is_unspaced(keys[-1]):
        raise QueryError("words of this script are found inside others anyway: leave out the *", column)
    if len(keys[-1]) < SHORTEST_PREFIX:
        raise QueryError(f"a * needs at least {SHORTEST_PREFIX} letters before it", column)
    return Prefix(keys)


def _modified(sign: str, text: str, column: int) -> Plain:
    if text.endswith("*"):
        raise QueryError(f"{sign} and * do not go together: leave one of them out", column)
    if sign == "~":
        keys = _unsigned(text, column + 1)
        return AccentInsensitive(tuple(without_accents(key) for key in keys))
    keys = _keys(text, column + 1)
    return Exact(
        keys, tuple(spelling(text[word.start : word.end]) for word in tokenize(text)), _signs(TokenizedText(text))
    )


def _near(text: str, distance: str, column: int) -> Near:
    parts = tuple(dict.fromkeys(_unsigned(one, column) for one in text.split() if _found(one)))
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


def _narrowed(name: str, part: Query, column: int) -> Query:
    """A field before a group belongs to each term in it."""
    match part:
        case And(parts):
            return And(tuple(_narrowed(name, one, column) for one in parts))
        case Or(parts):
            return Or(tuple(_narrowed(name, one, column) for one in parts))
        case Not(one):
            return Not(_narrowed(name, one, column))
        case FieldTerm():
            raise QueryError(_TWO_FIELDS, column)
        case _:
            return FieldTerm(name, part)


def _keys(text: str, column: int) -> tuple[str, ...]:
    keys = _found(text)
    if not keys:
        raise QueryError("there is no letter or digit here: write a word", column)
    return keys


def _unsigned(text: str, column: int) -> tuple[str, ...]:
    keys = _keys(text, column)
    if _signs(TokenizedText(text)):
        raise QueryError(
            "signs inside or beside a word cannot be looked for together with * or ~: leave one of them out", column
        )
    return keys


def _found(text: str) -> tuple[str, ...]:
    return tuple(word.key for word in tokenize(text))


def _acronym(text: str, keys: Sequence[str]) -> bool:
    """Whether a term is up to four letters, all of them capitals."""
    if len(keys) != 1 or len(keys[0]) > LONGEST_ACRONYM or not keys[0].isalpha():
        return False
    (word,) = tokenize(text)
    shown = spelling(text[word.start : word.end])
    return len(shown) == len(keys[0]) and all(letter.isupper() for letter in shown)


def _ends_in_star(text: str) -> bool:
    body = text[:-1]
    return text.endswith("*") and (len(body) - len(body.rstrip("\\"))) % 2 == 0


def _unescaped(text: str) -> str:
    """Without the backslashes that take the meaning from the sign after them."""
    made, at = [], 0
    while at < len(text):
        at += text[at] == "\\"
        made.append(text[at : at + 1])
        at += 1
    return "".join(made)


def _explained(error: UnexpectedInput, text: str) -> tuple[str, int]:
    column = error.column if isinstance(error.column, int) and error.column > 0 else len(text.rstrip()) + 1
    ended = isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END")
    plain = text.replace("\\\\", "").replace('\\"', "")
    if plain.count('"') % 2:
        return 'a quotation mark is missing: write "the phrase"', column
    if text.count("(") > text.count(")"):
        return "a closing parenthesis is missing", len(text.rstrip()) + 1 if ended else column
    if ended:
        return "it ends too early: AND, OR, NOT and fields need a word after them", len(text.rstrip()) + 1
    if isinstance(error, UnexpectedCharacters):
        return r"a backslash stands before the sign that it hides; for one itself, write \\", column
    if isinstance(error, UnexpectedToken) and error.token.type == "FIELD":
        return _TWO_FIELDS, column
    if text.count(")") > text.count("("):
        return "a closing parenthesis has no partner", column
    return "AND, OR and NOT stand between words; to look for such a word itself, put it between quotation marks", column
