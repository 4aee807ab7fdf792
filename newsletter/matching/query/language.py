"""Queries: docs/queries.md in code. A text in; a tree out, or a refusal with a column and a hint."""

from newsletter.matching.query.nodes import (
    And,
    BareWord,
    Near,
    Not,
    Phrase,
    Query,
    depth,
    positive,
    requires_a_term,
    terms,
    to_text,
)
from newsletter.matching.query.parser import read_query
from newsletter.matching.query.query_error import QueryError

LONGEST = 300
MOST_TERMS = 20
DEEPEST = 8


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        QueryError: empty, too long or deep, not of the language, or looking for nothing but what it excludes.
    """
    if not text.strip():
        raise QueryError('it is empty: write a word, or a "phrase"')
    if len(text) > LONGEST:
        raise QueryError(f"it is longer than {LONGEST} characters: make it two topics", LONGEST + 1)
    query = read_query(text)
    _check(query)
    return query


def normalize_query(text: str) -> str:
    """One way of writing for all queries that mean the same words in the same order.

    Raises:
        QueryError: as `parse`.
    """
    return to_text(parse(text))


def parse_keyword(text: str) -> str:
    """A reader's own keyword, trimmed: words, "phrases" and minus only.

    Raises:
        QueryError: as `parse`; or it uses what readers do without.
    """
    query = parse(text)
    parts = query.parts if isinstance(query, And) else (query,)
    bare = [part.part if isinstance(part, Not) else part for part in parts]
    if not all(isinstance(part, BareWord | Phrase) for part in bare):
        raise QueryError('use words, "phrases" and -words only; for "one or the other" follow two keywords')
    return text.strip()


def _check(query: Query) -> None:
    if sum(len(term.parts) if isinstance(term, Near) else 1 for term in terms(query)) > MOST_TERMS:
        raise QueryError(f"it has more than {MOST_TERMS} words and phrases: make it two topics")
    if depth(query) > DEEPEST:
        raise QueryError(f"its parentheses go deeper than {DEEPEST}")
    if requires_a_term(query):
        return
    if any(True for _ in positive(query)):
        raise QueryError(
            "a language or a feed alone would match everything in it: add a word to look for on each side of OR"
        )
    raise QueryError("it only says what to leave out, so nearly everything would match: add a word to look for")
