"""Explain why an item matches a query or does not, clause by clause."""

from dataclasses import dataclass, field
from typing import Literal

from newsletter.matching.engine.document import Document, Hit
from newsletter.matching.engine.item_matcher import ItemMatcher
from newsletter.matching.query.compiled import NO_ALIASES, Aliases, CompiledQuery, TermQuery, compile_query
from newsletter.matching.query.nodes import And, Not, Or, Query


@dataclass(frozen=True)
class ClauseExplanation:
    """A clause of a query and whether the item matches it."""

    clause: Literal["term", "and", "or", "not"]
    met: bool
    #: Of a term: its normal form.
    term: str = field(default="", repr=False)
    #: Of a term: where it stands.
    hits: tuple[Hit, ...] = ()
    #: Of a term that does not match: aliases that are in the item without the words that they need beside them.
    without_context: tuple[str, ...] = ()
    #: Of AND, OR and NOT.
    parts: tuple["ClauseExplanation", ...] = ()

    @property
    def decided(self) -> tuple["ClauseExplanation", ...]:
        """The terms that decide the result."""
        if self.clause == "term":
            return (self,)
        if self.clause == "not":
            return self.parts[0].decided
        return tuple(term for part in self.parts if part.met == self.met for term in part.decided)

    @property
    def misses(self) -> int:
        """How many clauses would have to be otherwise for the item to match; 0 if it does."""
        if self.met:
            return 0
        if self.clause in ("term", "not"):
            return 1
        each = [part.misses for part in self.parts]
        return sum(each) if self.clause == "and" else min(each)

    @property
    def present(self) -> tuple["ClauseExplanation", ...]:
        """The terms that the query asks for and the item has."""
        if self.clause == "term":
            return (self,) if self.met else ()
        return () if self.clause == "not" else tuple(term for part in self.parts for term in part.present)


def explain(query: Query, item: Document, aliases: Aliases = NO_ALIASES) -> ClauseExplanation:
    """Which clauses of a query match an item, and where."""
    return explain_compiled(compile_query(query, aliases), ItemMatcher(item))


def explain_compiled(query: CompiledQuery, item: ItemMatcher) -> ClauseExplanation:
    match query:
        case And(parts):
            each = tuple(explain_compiled(part, item) for part in parts)
            return ClauseExplanation("and", all(part.met for part in each), parts=each)
        case Or(parts):
            each = tuple(explain_compiled(part, item) for part in parts)
            return ClauseExplanation("or", any(part.met for part in each), parts=each)
        case Not(part):
            excluded = explain_compiled(part, item)
            return ClauseExplanation("not", not excluded.met, parts=(excluded,))
        case _:
            return _explain_term(query, item)


def _explain_term(term: TermQuery, item: ItemMatcher) -> ClauseExplanation:
    hits = item.hits(term)
    aliases = () if hits else item.aliases_out_of_context(term)
    return ClauseExplanation("term", bool(hits), term.text, hits, tuple(alias.spelling for alias in aliases))
