"""Find queries that can never match because they require a term that they also exclude."""

from collections.abc import Iterator
from itertools import product

from newsletter.matching.query.nodes import (
    And,
    BareWord,
    Exact,
    FieldTerm,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Term,
    to_text,
)

#: Terms that must match, and terms that must not.
_Combination = tuple[frozenset[Term], frozenset[Term]]


def contradiction(query: Query) -> str | None:
    """Why no item can match the query, in words. Returns None if one could.

    It tries every combination of terms that would match: with 20 terms there are at most 3^7.
    """
    reason = None
    for required, excluded in _combinations(query, matches=True):
        reason = _clash(required, excluded)
        if reason is None:
            return None
    return reason


def _combinations(query: Query, *, matches: bool) -> Iterator[_Combination]:
    """The combinations of terms with which the query matches, or does not."""
    match query:
        case Not(part):
            yield from _combinations(part, matches=not matches)
        case And(parts) | Or(parts) if isinstance(query, And) == matches:
            for chosen in product(*(list(_combinations(part, matches=matches)) for part in parts)):
                yield (
                    frozenset().union(*(required for required, _ in chosen)),
                    frozenset().union(*(out for _, out in chosen)),
                )
        case And(parts) | Or(parts):
            for part in parts:
                yield from _combinations(part, matches=matches)
        case _:
            yield (frozenset({query}), frozenset()) if matches else (frozenset(), frozenset({query}))


def _clash(required: frozenset[Term], excluded: frozenset[Term]) -> str | None:
    for term in sorted(required, key=to_text):
        for other in sorted(excluded, key=to_text):
            if _implies(term, other):
                return f"what has {to_text(term)} is excluded by -{to_text(other)}"
        for other in required:
            if _other_language(term, other):
                return f"no item is both {to_text(term)} and {to_text(other)}"
    return None


def _implies(term: Term, other: Term) -> bool:
    """Whether an item that has `term` certainly has `other`. A bare word implies nothing: it has inflected forms and aliases."""
    if term == other:
        return True
    match term, other:
        case FieldTerm(name, inner), FieldTerm(field, outer):
            return name == field and _implies(inner, outer)
        case FieldTerm("title", inner), _:
            return _implies(inner, other)
        case ((Phrase(keys) | Exact(keys)), (BareWord(sought, _, False, _, ()) | Phrase(sought, False, ()))):
            return any(keys[index : index + len(sought)] == sought for index in range(len(keys)))
        case ((Phrase(keys) | Exact(keys)), Prefix((beginning,))):
            return any(key.startswith(beginning) for key in keys)
    return False


def _other_language(term: Term, other: Term) -> bool:
    match term, other:
        case FieldTerm("lang", BareWord(tag) | Phrase(tag)), FieldTerm("lang", BareWord(same) | Phrase(same)):
            shorter = min(len(tag), len(same))
            return tag[:shorter] != same[:shorter]
    return False
