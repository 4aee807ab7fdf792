"""All queries in one index: which topics an item meets, and where. A change is cheap; the whole is rebuilt now and then."""

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from newsletter.matching.engine.document import Document, Hit
from newsletter.matching.engine.item_matcher import MAX_HITS, ItemMatcher
from newsletter.matching.engine.term_index import FIRST_LATER_SLOT, TermIndex
from newsletter.matching.query.compiled import CompiledQuery, TermQuery, compile_query, positive_terms
from newsletter.matching.query.language import parse
from newsletter.matching.query.nodes import evaluate

_LARGE = 2_000


@dataclass(frozen=True)
class QueryMatch:
    """A query that an item meets, and where its words stand: the first `MOST_PLACES` places."""

    topic_id: int
    hits: tuple[Hit, ...]


class QueryIndex:
    """The compiled queries of all topics as they were at one moment. Threads may share it; a change makes another.

    All that come from one another share what they are made of, and each sees only what was there at its moment.
    """

    def __init__(self, plans: Mapping[int, CompiledQuery]) -> None:
        self._see(TermIndex(plans.items()))
        if len(plans) >= _LARGE:  # it stays for long: the search for cyclic garbage need not go through it ever again
            gc.collect()
            gc.freeze()

    def _see(self, core: TermIndex) -> None:
        self._core = core
        self._stamp = core.stamp
        self._end = core.end
        #: How many topics changed since the whole was made: says when to make it anew.
        self.changes = len(core.ended) + core.end - FIRST_LATER_SLOT

    def with_(self, added: Mapping[int, CompiledQuery], removed: Collection[int] = ()) -> "QueryIndex":
        """The same with some topics new, changed or gone. Takes time by their number; longer if the newest is another."""
        if not self._core.change(self._stamp, added, removed):
            return QueryIndex(self.plans).with_(added, removed)
        made = QueryIndex.__new__(QueryIndex)
        made._see(self._core)
        return made

    def rebuilt(self) -> "QueryIndex":
        """The same made anew, without what is no more. Other threads go on meanwhile: none waits long for this one."""
        made = QueryIndex.__new__(QueryIndex)
        made._see(self._core.renewed(_set_aside(self._slots())))
        return made

    def newest(self, topic_ids: Iterable[int]) -> dict[int, CompiledQuery]:
        """The compiled queries that some topics have by now, of those that still have one."""
        found = {topic_id: self._core.newest(topic_id) for topic_id in topic_ids}
        return {topic_id: plan for topic_id, plan in found.items() if plan is not None}

    @property
    def plans(self) -> dict[int, CompiledQuery]:
        """Topic id → compiled query."""
        return {self._core.topic(slot): self._core.plan(slot) for slot in self._slots()}

    def _slots(self) -> set[int]:
        return self._live(set(self._core.slots(self._end)))

    def meet(self, item: Document, *, told: Collection[int] | None = None) -> list[QueryMatch]:
        """Every query that an item meets, by topic id. `told`: topics whose places are wanted, the others come without."""
        opened = ItemMatcher(item)
        slots = self._live(self._core.meet(opened))
        topic = self._core.topic
        return [
            QueryMatch(topic_id, _hits(self._core.plan(slot), opened) if told is None or topic_id in told else ())
            for topic_id, slot in sorted((topic(slot), slot) for slot in slots)
        ]

    def topics(self, item: Document) -> set[int]:
        """Only the ids of the queries that an item meets."""
        slots = self._live(self._core.meet(ItemMatcher(item)))
        later = [slot for slot in slots if slot >= FIRST_LATER_SLOT]
        slots.difference_update(later)
        slots.update(map(self._core.topic, later))
        return slots

    def _live(self, slots: set[int]) -> set[int]:
        """Those that were there at this moment."""
        ended, stamp, end = self._core.ended, self._stamp, self._end
        gone = [slot for slot in slots & ended.keys() if ended[slot] <= stamp]
        if self._core.end > end:
            gone += [slot for slot in slots if slot >= end]
        return slots.difference(gone) if gone else slots


def _set_aside(slots: set[int]) -> Iterator[int]:
    """The same, one by one. What was made of the last ones is kept from the search for garbage, which would stop all threads."""
    for number, slot in enumerate(slots, 1):
        yield slot
        if number % _LARGE == 0:
            gc.freeze()


def _hits(plan: CompiledQuery, opened: ItemMatcher) -> tuple[Hit, ...]:
    if isinstance(plan, TermQuery):
        return opened.hits(plan)
    found: Iterable[Hit] = {hit for sought in set(positive_terms(plan)) for hit in opened.hits(sought)}
    return tuple(sorted(found, key=_order)[:MAX_HITS])


def _order(hit: Hit) -> tuple[bool, bool, int, int, str]:
    return hit.field != "title", hit.field != "text", hit.start, -hit.end, hit.term


def spans(query: str, title: str, text: str) -> tuple[Hit, ...]:
    """Where the words of one query stand in a title and a text; empty when they do not meet it.

    Raises:
        QueryError: the query cannot be used.
    """
    opened = ItemMatcher(Document(title, text))
    plan = compile_query(parse(query))
    return _hits(plan, opened) if evaluate(plan, lambda sought: bool(opened.hits(sought))) else ()
