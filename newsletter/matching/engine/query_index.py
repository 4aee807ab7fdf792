"""All queries in one index: which of them match an item, and where their words stand.

An index never changes. A new version of it with some changes is cheap; now and then the whole is rebuilt.
"""

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from newsletter.matching.engine.document import Document, Hit
from newsletter.matching.engine.item_matcher import MAX_HITS, ItemMatcher
from newsletter.matching.engine.signs import FIRST_LATER_SLOT
from newsletter.matching.engine.term_index import TermIndex
from newsletter.matching.query.compiled import CompiledQuery, TermQuery, compile_query, positive_terms
from newsletter.matching.query.language import parse
from newsletter.matching.query.nodes import evaluate

#: An index of so many queries is kept out of garbage collection.
_LARGE = 2_000


@dataclass(frozen=True)
class QueryMatch:
    """A query that matches an item, and the first `MAX_HITS` places of its words."""

    topic_id: int
    hits: tuple[Hit, ...]


class QueryIndex:
    """The compiled queries of all topics at one moment. Threads may share it.

    All versions of an index share one `TermIndex`, and each sees only the queries of its moment.
    """

    def __init__(self, queries: Mapping[int, CompiledQuery]) -> None:
        self._set_terms(TermIndex(queries.items()))
        if len(queries) >= _LARGE:  # it lives long: without freeze() each garbage collection would traverse all of it
            gc.collect()
            gc.freeze()

    def _set_terms(self, terms: TermIndex) -> None:
        self._terms = terms
        self._stamp = terms.stamp
        self._end = terms.end
        #: How many topics changed since the last rebuild.
        self.changes = len(terms.ended) + terms.end - FIRST_LATER_SLOT

    def updated(self, added: Mapping[int, CompiledQuery], removed: Collection[int] = ()) -> "QueryIndex":
        """A version in which some topics are new, changed or removed. Slow only if this is not the latest version."""
        if not self._terms.change(self._stamp, added, removed):
            return QueryIndex(self.queries).updated(added, removed)
        new = QueryIndex.__new__(QueryIndex)
        new._set_terms(self._terms)
        return new

    def rebuilt(self) -> "QueryIndex":
        """The same queries in a new index, without what was removed. Other threads are not blocked for long meanwhile."""
        new = QueryIndex.__new__(QueryIndex)
        new._set_terms(self._terms.rebuilt(_frozen(self._slots())))
        return new

    def latest_queries(self, topic_ids: Iterable[int]) -> dict[int, CompiledQuery]:
        """The queries that some topics have in the latest version, of those that still have one."""
        latest = {topic_id: self._terms.latest_query(topic_id) for topic_id in topic_ids}
        return {topic_id: query for topic_id, query in latest.items() if query is not None}

    @property
    def queries(self) -> dict[int, CompiledQuery]:
        """Topic id → compiled query."""
        return {self._terms.topic(slot): self._terms.query(slot) for slot in self._slots()}

    def _slots(self) -> set[int]:
        return self._visible(set(self._terms.slots(self._end)))

    def matching_queries(self, item: Document, *, with_hits_for: Collection[int] | None = None) -> list[QueryMatch]:
        """Every query that matches an item, by topic id; with hits for these topics only, None: for all."""
        matcher = ItemMatcher(item)
        slots = self._visible(self._terms.matching_slots(matcher))
        topic = self._terms.topic
        return [
            QueryMatch(
                topic_id,
                _hits(self._terms.query(slot), matcher) if with_hits_for is None or topic_id in with_hits_for else (),
            )
            for topic_id, slot in sorted((topic(slot), slot) for slot in slots)
        ]

    def matching_topics(self, item: Document) -> set[int]:
        """Only the topic ids of the queries that match an item."""
        slots = self._visible(self._terms.matching_slots(ItemMatcher(item)))
        later = [slot for slot in slots if slot >= FIRST_LATER_SLOT]
        slots.difference_update(later)
        slots.update(map(self._terms.topic, later))
        return slots

    def _visible(self, slots: set[int]) -> set[int]:
        """The slots that this version has."""
        ended, stamp, end = self._terms.ended, self._stamp, self._end
        hidden = [slot for slot in slots & ended.keys() if ended[slot] <= stamp]
        if self._terms.end > end:
            hidden += [slot for slot in slots if slot >= end]
        return slots.difference(hidden) if hidden else slots


def _frozen(slots: set[int]) -> Iterator[int]:
    """The same slots. What was built for the last ones is kept out of garbage collection, which would block all threads."""
    for count, slot in enumerate(slots, 1):
        yield slot
        if count % _LARGE == 0:
            gc.freeze()


def _hits(query: CompiledQuery, matcher: ItemMatcher) -> tuple[Hit, ...]:
    if isinstance(query, TermQuery):
        return matcher.hits(query)
    hits: Iterable[Hit] = {hit for term in set(positive_terms(query)) for hit in matcher.hits(term)}
    return tuple(sorted(hits, key=_order)[:MAX_HITS])


def _order(hit: Hit) -> tuple[bool, bool, int, int, str]:
    return hit.field != "title", hit.field != "text", hit.start, -hit.end, hit.term


def spans(query: str, title: str, text: str) -> tuple[Hit, ...]:
    """Where the words of one query stand in a title and a text; empty if it does not match them.

    Raises:
        QueryError: the query cannot be used.
    """
    matcher = ItemMatcher(Document(title, text))
    compiled = compile_query(parse(query))
    return _hits(compiled, matcher) if evaluate(compiled, lambda term: bool(matcher.hits(term))) else ()
