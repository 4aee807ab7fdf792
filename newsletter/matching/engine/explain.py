"""A query and an item in, why it is met or not out: clause by clause, with the places."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from newsletter.matching.engine.document import Hit, Readable
from newsletter.matching.engine.item_matcher import Opened
from newsletter.matching.query.compiled import NO_ALIASES, Aliases, Plan, Sought, compiled
from newsletter.matching.query.nodes import And, Not, Or, Query


@dataclass(frozen=True)
class Explained:
    """A clause of a query and whether the item meets it; for AND, OR and NOT with its parts."""

    clause: Literal["term", "and", "or", "not"]
    met: bool
    #: Of a term: its normal way of writing.
    term: str = field(default="", repr=False)
    #: Of a term: where it stands.
    hits: tuple[Hit, ...] = ()
    #: Of a term that is not met: aliases that are in the item, but not the words that they need beside them.
    without_context: tuple[str, ...] = ()
    parts: tuple["Explained", ...] = ()

    @property
    def decided(self) -> tuple["Explained", ...]:
        """The terms because of which the whole is, or is not, met: the shortest true answer to "why?"."""
        if self.clause == "term":
            return (self,)
        if self.clause == "not":
            return self.parts[0].decided
        return tuple(one for part in self.parts if part.met == self.met for one in part.decided)


def explain(
    query: Query, item: Readable, aliases: Aliases = NO_ALIASES, *, off: Collection[str] = frozenset()
) -> Explained:
    """Which clauses of a query an item meets, and where; `off` as in `compiled`."""
    return _explained(compiled(query, aliases, off=off), Opened(item))


def _explained(plan: Plan, opened: Opened) -> Explained:
    match plan:
        case And(parts):
            each = tuple(_explained(part, opened) for part in parts)
            return Explained("and", all(part.met for part in each), parts=each)
        case Or(parts):
            each = tuple(_explained(part, opened) for part in parts)
            return Explained("or", any(part.met for part in each), parts=each)
        case Not(part):
            one = _explained(part, opened)
            return Explained("not", not one.met, parts=(one,))
        case _:
            return _term(plan, opened)


def _term(sought: Sought, opened: Opened) -> Explained:
    hits = opened.hits(sought)
    lacking = () if hits else opened.out_of_context(sought)
    return Explained("term", bool(hits), sought.written, hits, tuple(alias.spelling for alias in lacking))
