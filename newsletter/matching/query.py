"""Queries: words, "phrases", AND, OR, NOT or -, and parentheses; read into a tree, or refused with a column and a hint."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from newsletter.matching.text import keys

LONGEST = 300
MOST_TERMS = 20
DEEPEST = 8


@dataclass(frozen=True)
class Term:
    """One word, or several that stand side by side."""

    keys: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class And:
    """All parts."""

    parts: tuple["Query", ...]


@dataclass(frozen=True)
class Or:
    """At least one part."""

    parts: tuple["Query", ...]


@dataclass(frozen=True)
class Not:
    """Not this part. Never alone: a query says what it looks for."""

    part: "Query"


Query = Term | And | Or | Not


class QueryError(ValueError):
    """A query that cannot be used. `column` (from 1) is where, `hint` what to do; neither repeats what was typed."""

    def __init__(self, hint: str, column: int = 1) -> None:
        super().__init__(f"column {column}: {hint}")
        self.hint = hint
        self.column = column


_GRAMMAR = r"""
?start: or_
?or_: and_ (_OR and_)*
?and_: not_ (_AND? not_)*
?not_: (_NOT | _MINUS) not_ -> without
     | atom
?atom: "(" or_ ")"
     | PHRASE -> term
     | WORD -> term
_OR.3: /OR(?=[\s()"“”]|$)/
_AND.3: /AND(?=[\s()"“”]|$)/
_NOT.3: /NOT(?=[\s()"“”]|$)/
_MINUS.2: /-(?=\S)/
PHRASE.2: /["“”][^"“”]*["“”]/
WORD.1: /[^\s()"“”]+/
%ignore /\s+/
"""
_PARSER = Lark(_GRAMMAR, parser="lalr", start="start", maybe_placeholders=False)


class _Builder(Transformer[Token, Query]):
    def term(self, found: list[Token]) -> Query:
        (token,) = found
        term = keys(str(token))
        if not term:
            raise QueryError("there is no letter or digit here: write a word", token.column or 1)
        return Term(term)

    def or_(self, parts: list[Query]) -> Query:
        return Or(tuple(parts))

    def and_(self, parts: list[Query]) -> Query:
        return And(tuple(parts))

    def without(self, parts: list[Query]) -> Query:
        return Not(parts[0])


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        QueryError: empty, too long or deep, not of the language, or looking for nothing but what it excludes.
    """
    if not text.strip():
        raise QueryError('it is empty: write a word, or a "phrase"')
    if len(text) > LONGEST:
        raise QueryError(f"it is longer than {LONGEST} characters: make it two topics", LONGEST + 1)
    try:
        query: Query = _Builder().transform(_PARSER.parse(text))
    except VisitError as error:
        if isinstance(error.orig_exc, QueryError):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise QueryError(*_explained(error, text)) from None
    _check(query)
    return query


def normal(text: str) -> str:
    """One way of writing for all queries that mean the same words in the same order.

    Raises:
        QueryError: as `parse`.
    """
    return _written(parse(text))


def keyword(text: str) -> str:
    """A reader's own keyword, trimmed: words, "phrases" and minus only.

    Raises:
        QueryError: as `parse`; or it uses OR or parentheses, which readers do without.
    """
    query = parse(text)
    parts = query.parts if isinstance(query, And) else (query,)
    plain = all(isinstance(part, Term) or (isinstance(part, Not) and isinstance(part.part, Term)) for part in parts)
    if not plain:
        raise QueryError('use words, "phrases" and -words only; for "one or the other" follow two keywords')
    return text.strip()


def positive(query: Query) -> Iterator[Term]:
    """The terms whose presence a query asks for."""
    match query:
        case Term():
            yield query
        case And(parts) | Or(parts):
            for part in parts:
                yield from positive(part)


def terms(query: Query) -> Iterator[Term]:
    """All terms, also those under NOT."""
    match query:
        case Term():
            yield query
        case Not(part):
            yield from terms(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from terms(part)


def meets(query: Query, found: frozenset[Term] | set[Term]) -> bool:
    """Whether a text that holds exactly the terms `found` meets the query."""
    match query:
        case Term():
            return query in found
        case Not(part):
            return not meets(part, found)
        case And(parts):
            return all(meets(part, found) for part in parts)
        case Or(parts):
            return any(meets(part, found) for part in parts)


def _check(query: Query) -> None:
    if sum(1 for _ in terms(query)) > MOST_TERMS:
        raise QueryError(f"it has more than {MOST_TERMS} words and phrases: make it two topics")
    if _depth(query) > DEEPEST:
        raise QueryError(f"its parentheses go deeper than {DEEPEST}")
    if not _asks(query):
        raise QueryError("it only says what to leave out, so nearly everything would match: add a word to look for")


def _asks(query: Query) -> bool:
    """Whether nothing can meet the query without one of its positive terms."""
    match query:
        case Term():
            return True
        case Not():
            return False
        case And(parts):
            return any(_asks(part) for part in parts)
        case Or(parts):
            return all(_asks(part) for part in parts)


def _depth(query: Query) -> int:
    match query:
        case Term():
            return 0
        case Not(part):
            return 1 + _depth(part)
        case And(parts) | Or(parts):
            return 1 + max(_depth(part) for part in parts)


def _written(query: Query) -> str:
    match query:
        case Term(term):
            return '"' + " ".join(term) + '"'
        case Not(part):
            return f"-{_written(part)}"
        case And(parts):
            return "(" + " ".join(_written(part) for part in parts) + ")"
        case Or(parts):
            return "(" + " OR ".join(_written(part) for part in parts) + ")"


def _explained(error: UnexpectedInput, text: str) -> tuple[str, int]:
    column = error.column if isinstance(error.column, int) and error.column > 0 else len(text.rstrip()) + 1
    ended = isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END")
    quotes = sum(text.count(mark) for mark in '"“”')
    if quotes % 2:
        return 'a quotation mark is missing: write "the phrase"', column
    if text.count("(") > text.count(")"):
        return "a closing parenthesis is missing", len(text.rstrip()) + 1 if ended else column
    if ended:
        return "it ends too early: AND, OR and NOT need a word after them", len(text.rstrip()) + 1
    if isinstance(error, UnexpectedCharacters):
        return "this sign has no meaning here: put it between quotation marks", column
    if text.count(")") > text.count("("):
        return "a closing parenthesis has no partner", column
    return "AND, OR and NOT stand between words; to look for such a word itself, put it between quotation marks", column
