"""A query in, why nothing can ever meet it out: it asks for what it excludes."""

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

#: Terms that must be met, and terms that must not.
_World = tuple[frozenset[Term], frozenset[Term]]


def contradiction(query: Query) -> str | None:
    """Why no item can meet the query, in words; None when one could.

    Every way of meeting it is gone through: of 20 terms there are at most 3^7.
    """
    said = None
    for wanted, excluded in _worlds(query, met=True):
        said = _clash(wanted, excluded)
        if said is None:
            return None
    return said


def _worlds(query: Query, *, met: bool) -> Iterator[_World]:
    """The combinations of terms with which the query is (not) met."""
    match query:
        case Not(part):
            yield from _worlds(part, met=not met)
        case And(parts) | Or(parts) if isinstance(query, And) == met:
            for chosen in product(*(list(_worlds(part, met=met)) for part in parts)):
                yield frozenset().union(*(one for one, _ in chosen)), frozenset().union(*(one for _, one in chosen))
        case And(parts) | Or(parts):
            for part in parts:
                yield from _worlds(part, met=met)
        case _:
            yield (frozenset({query}), frozenset()) if met else (frozenset(), frozenset({query}))


def _clash(wanted: frozenset[Term], excluded: frozenset[Term]) -> str | None:
    for one in sorted(wanted, key=to_text):
        for other in sorted(excluded, key=to_text):
            if _implies(one, other):
                return f"what has {to_text(one)} is excluded by -{to_text(other)}"
        for other in wanted:
            if _other_language(one, other):
                return f"no item is both {to_text(one)} and {to_text(other)}"
    return None


def _implies(one: Term, other: Term) -> bool:
    """Whether an item that has `one` has `other` for certain. Inflected forms and aliases make a bare word uncertain."""
    if one == other:
        return True
    match one, other:
        case FieldTerm(name, inner), FieldTerm(field, outer):
            return name == field and _implies(inner, outer)
        case FieldTerm("title", inner), _:
            return _implies(inner, other)
        case ((Phrase(keys) | Exact(keys)), (BareWord(sought, _, False, _, ()) | Phrase(sought, False, ()))):
            return any(keys[at : at + len(sought)] == sought for at in range(len(keys)))
        case ((Phrase(keys) | Exact(keys)), Prefix((beginning,))):
            return any(key.startswith(beginning) for key in keys)
    return False


def _other_language(one: Term, other: Term) -> bool:
    match one, other:
        case FieldTerm("lang", BareWord(tag) | Phrase(tag)), FieldTerm("lang", BareWord(same) | Phrase(same)):
            shorter = min(len(tag), len(same))
            return tag[:shorter] != same[:shorter]
    return False
