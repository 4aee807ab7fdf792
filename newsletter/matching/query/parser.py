"""The grammar of the query language, and the parser that turns a query into a tree of terms."""

import difflib
import re
from dataclasses import replace

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from newsletter.matching.query import terms
from newsletter.matching.query.nodes import (
    FIELDS,
    OPERATORS,
    And,
    BareWord,
    FieldTerm,
    Not,
    Or,
    Query,
)
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.query.refused_forms import refuse_double_minus, refuse_foreign, refuse_in_quotes
from newsletter.matching.text.apostrophes import protect_gershayim

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
#: The symbols of other keyboards and typographers, one character for one, so that columns stay true.
_OTHER_SYMBOLS = str.maketrans(
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
    text = _EXCLUDED.sub("-", protect_gershayim(text.translate(_OTHER_SYMBOLS)))
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
    for match in _PART.finditer(text):
        minus, inside, column = match["minus"], match["inside"], match.start() + 1 + len(match["minus"])
        if inside is None:
            part: Query = terms.bare_word(match["word"], column)
        else:
            part = terms.phrase(inside, column)
        parts.append(Not(part) if minus else part)
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

    def bare(self, tokens: list[Token]) -> Query:
        (token,) = tokens
        text, column = str(token), token.column or 1
        refuse_foreign(self._text, text, column)
        if text[0] in "=~":
            return terms.modified(text[0], terms.unescaped(text[1:]), column)
        if terms.ends_in_star(text):
            return terms.prefix(terms.unescaped(text[:-1]), column)
        if "*" in text.replace("\\*", ""):
            raise QueryError(r"a * stands at the end of a word; to look for the sign itself, write \*", column)
        return terms.bare_word(terms.unescaped(text), column)

    def quoted(self, tokens: list[Token]) -> Query:
        (token,) = tokens
        column = token.column or 1
        sign, _, rest = str(token).partition('"')
        inside, _, distance = rest.rpartition('"')
        refuse_in_quotes(inside, column)
        inside = terms.unescaped(inside)
        if sign and distance:
            raise QueryError("a distance goes with plain quotation marks only: leave out the sign before them", column)
        if sign:
            return terms.modified(sign, inside, column)
        if distance:
            return terms.near(inside, distance[1:], column)
        return terms.phrase(inside, column)

    def within(self, parts: list[Token | Query]) -> Query:
        token, part = parts
        assert isinstance(token, Token)  # noqa: S101 - narrows the type: the grammar says so
        assert not isinstance(part, Token)  # noqa: S101
        name = str(token).strip()[:-1].lower()
        if name not in FIELDS:
            close = difflib.get_close_matches(name, FIELDS, 1)
            meant = f"did you mean {close[0]}:?" if close else f"there are {', '.join(f'{field}:' for field in FIELDS)}"
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


def _narrowed(name: str, part: Query, column: int) -> Query:
    """A field before a group belongs to each term in it."""
    match part:
        case And(parts):
            return And(tuple(_narrowed(name, part, column) for part in parts))
        case Or(parts):
            return Or(tuple(_narrowed(name, part, column) for part in parts))
        case Not(excluded):
            return Not(_narrowed(name, excluded, column))
        case FieldTerm():
            raise QueryError(_TWO_FIELDS, column)
        case _:
            return FieldTerm(name, part)


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
