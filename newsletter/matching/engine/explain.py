"""A query and an item in, why it is met or not out: clause by clause, with the places."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from newsletter.matching.engine.document import Document, Hit
from newsletter.matching.engine.item_matcher import ItemMatcher
from newsletter.matching.query.compiled import NO_ALIASES, Aliases, CompiledQuery, TermQuery, compile_query
from newsletter.matching.query.nodes import And, Not, Or, Query


@dataclass(frozen=True)
class ClauseExplanation:
    """A clause of a query and whether the item meets it; for AND, OR and NOT with its parts."""

    clause: Literal["term", "and", "or", "not"]
    met: bool
    #: Of a term: its normal way of writing.
    term: str = field(default="", repr=False)
    #: Of a term: where it stands.
    hits: tuple[Hit, ...] = ()
    #: Of a term that is not met: aliases that are in the item, but not the words that they need beside them.
    without_context: tuple[str, ...] = ()
    parts: tuple["ClauseExplanation", ...] = ()

    @property
    def decided(self) -> tuple["ClauseExplanation", ...]:
        """The terms because of which the whole is, or is not, met: the shortest true answer to "why?"."""
        if self.clause == "term":
            return (self,)
        if self.clause == "not":
            return self.parts[0].decided
        return tuple(one for part in self.parts if part.met == self.met for one in part.decided)


def explain(
    query: Query, item: Document, aliases: Aliases = NO_ALIASES, *, off: Collection[str] = frozenset()
) -> ClauseExplanation:
    """Which clauses of a query an item meets, and where; `off` as in `compiled`."""
    return _explained(compile_query(query, aliases, off=off), ItemMatcher(item))


def _explained(plan: CompiledQuery, opened: ItemMatcher) -> ClauseExplanation:
    match plan:
        case And(parts):
            each = tuple(_explained(part, opened) for part in parts)
            return ClauseExplanation("and", all(part.met for part in each), parts=each)
        case Or(parts):
            each = tuple(_explained(part, opened) for part in parts)
            return ClauseExplanation("or", any(part.met for part in each), parts=each)
        case Not(part):
            one = _explained(part, opened)
            return ClauseExplanation("not", not one.met, parts=(one,))
        case _:
            return _term(plan, opened)


def _term(sought: TermQuery, opened: ItemMatcher) -> ClauseExplanation:
    hits = opened.hits(sought)
    lacking = () if hits else opened.out_of_context(sought)
    return ClauseExplanation("term", bool(hits), sought.written, hits, tuple(alias.spelling for alias in lacking))
