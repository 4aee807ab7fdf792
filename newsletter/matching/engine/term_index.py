"""One index of the terms of many compiled queries: a single pass over an item finds the queries that may match it.

Every query has a slot, and every distinct term that must be evaluated has a number; see `signs` for how both are written.
"""

import threading
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from newsletter.matching.engine import signs
from newsletter.matching.engine.item_matcher import ItemMatcher
from newsletter.matching.engine.phrase_index import FieldIndex, LookupIndex, PhraseIndex
from newsletter.matching.engine.required_words import rarest_terms
from newsletter.matching.engine.searchable_text import needle
from newsletter.matching.engine.signs import FIRST_LATER_SLOT, NO_MATCH, Signs, flatten, merge_signs
from newsletter.matching.engine.word_index import WordIndex
from newsletter.matching.query.compiled import CompiledQuery, MatchKind, TermQuery, from_compact, to_compact
from newsletter.matching.query.nodes import Or, Tree, evaluate, map_terms


class TermIndex:
    """The queries of many topics, with each term once for all of them. It only grows: threads may read during an addition."""

    def __init__(self, queries: Iterable[tuple[int, CompiledQuery | str]]) -> None:
        self._lock = threading.Lock()
        #: How many times it was changed.
        self.stamp = 0
        #: Slots of the first queries → the query; topics and queries of those that were added later.
        self._first: dict[int, CompiledQuery | str] = {}
        self._later_topics = array("q")
        self._later: list[CompiledQuery | str] = []
        #: Slots of queries that were removed → the stamp of that change.
        self.ended: dict[int, int] = {}
        #: Topics whose query was added later → its slot.
        self._slot_of: dict[int, int] = {}
        #: Slot → what must be evaluated of its query, with signs for its terms.
        self._trees: dict[int, Tree[int]] = {}
        self._term_signs: dict[TermQuery, int] = {}
        self._terms: list[TermQuery] = []
        #: Signs of terms that may be absent though their words are present.
        self._uncertain: set[int] = set()
        #: Sign of a term → slots of the queries that cannot match without it or another of their rarest terms.
        self._slots_by_term: dict[int, Signs] = {}
        self._words = WordIndex()
        self._phrases = PhraseIndex()
        self._lookups = LookupIndex()
        #: Name of a field, and whether its accents are ignored → its index.
        self._fields: dict[tuple[str, bool], FieldIndex] = {}
        #: Words that the term index has added and the word index has not.
        self._new_words: list[tuple[MatchKind, str, int]] = []
        self._add(queries, first=True)

    @property
    def end(self) -> int:
        """The slot that the next query gets: all slots in use are lower."""
        return FIRST_LATER_SLOT + len(self._later_topics)

    def slots(self, end: int) -> Iterator[int]:
        """The slots of the queries that were there when `end` was the next slot."""
        yield from self._first
        yield from range(FIRST_LATER_SLOT, end)

    def topic(self, slot: int) -> int:
        """The topic whose query has this slot."""
        return slot if slot < FIRST_LATER_SLOT else self._later_topics[slot - FIRST_LATER_SLOT]

    def change(self, stamp: int, added: Mapping[int, CompiledQuery], removed: Collection[int]) -> bool:
        """Add topics that are new or changed, and end those that are removed; False if `stamp` is not the latest."""
        with self._lock:
            if stamp != self.stamp:
                return False
            for topic_id in {*added, *removed}:
                slot = self._slot_of.pop(topic_id, topic_id)
                if slot >= FIRST_LATER_SLOT or slot in self._first:
                    self.ended.setdefault(slot, stamp + 1)
            self._add(added.items(), first=False)
            self.stamp = stamp + 1
            return True

    def rebuilt(self, slots: Iterable[int]) -> "TermIndex":
        """A new index of these queries only, which knows the words that this one knows. Other threads continue meanwhile."""
        new = TermIndex((self.topic(slot), self._compact(slot)) for slot in slots)
        new._words.learn(self._words)
        return new

    def query(self, slot: int) -> CompiledQuery:
        """The compiled query in a slot."""
        return from_compact(self._compact(slot))

    def latest_query(self, topic_id: int) -> CompiledQuery | None:
        """The latest query of a topic; None if it may have none any more."""
        slot = self._slot_of.get(topic_id, topic_id)
        ended = slot in self.ended or (slot < FIRST_LATER_SLOT and slot not in self._first)
        return None if ended else self.query(slot)

    def _compact(self, slot: int) -> CompiledQuery | str:
        return self._first[slot] if slot < FIRST_LATER_SLOT else self._later[slot - FIRST_LATER_SLOT]

    def matching_slots(self, item: ItemMatcher) -> set[int]:
        """The slots of all queries that match an item, also of those that were removed."""
        present = self._signs(item)
        terms = {sign for sign in present if sign < 0}
        if not terms:
            return present
        slots = present - terms
        slots_by_term, trees = self._slots_by_term, self._trees
        candidates = flatten(set(map(slots_by_term.__getitem__, terms & slots_by_term.keys()))) - slots
        has_term = self._term_test(terms, item)
        slots.update([slot for slot in candidates if evaluate(trees[slot], has_term)])
        return slots

    def _signs(self, item: ItemMatcher) -> set[int]:
        """The slots of queries that match for certain, and the terms that may be present."""
        text = item.body
        present = flatten(self._words.signs(text) | self._phrases.signs(text.keys))
        present |= flatten(self._lookups.signs(present, text))
        if self._fields:
            present |= flatten(set(self._field_signs(item)))
        return present

    def _term_test(self, present: set[int], item: ItemMatcher) -> Callable[[int], bool]:
        """Returns a function that tells whether the item has a term. Only uncertain terms are looked for."""
        uncertain = present & self._uncertain
        if not uncertain:
            return present.__contains__
        checked: dict[int, bool] = {}

        def has_term(sign: int) -> bool:
            if sign not in uncertain:
                return sign in present
            known = checked.get(sign)
            if known is None:
                known = checked[sign] = bool(item.hits(self._terms[signs.term_index(sign)]))
            return known

        return has_term

    def _field_signs(self, item: ItemMatcher) -> Iterator[Signs]:
        for (name, unaccented), index in list(self._fields.items()):
            if name in item.fields:
                text = item.fields[name]
                if unaccented:
                    yield from index.signs(text.unaccented_haystack, text.unaccented_words)
                else:
                    yield from index.signs(text.haystack, text.words)

    def _add(self, queries: Iterable[tuple[int, CompiledQuery | str]], *, first: bool) -> None:
        """Give queries slots. What makes them match is added last, since other threads read."""
        for topic_id, compact in queries:
            query = from_compact(compact)
            slot = topic_id if first else self.end
            self._keep(slot, topic_id, compact if isinstance(compact, str) else to_compact(query))
            sufficient, rest = _split(query)
            for term in sufficient:
                self._index_term(term, slot)
            if rest is not None:
                self._trees[slot] = map_terms(rest, self._term_sign)
                for term in set(rarest_terms(rest)[1]):
                    sign = self._term_signs[term]
                    self._slots_by_term[sign] = merge_signs(self._slots_by_term.get(sign, NO_MATCH), slot)
        self._words.add(self._new_words)
        self._new_words = []

    def _keep(self, slot: int, topic_id: int, compact: CompiledQuery | str) -> None:
        if slot < FIRST_LATER_SLOT:
            self._first[slot] = compact
        else:
            self._slot_of[topic_id] = slot
            self._later.append(compact)
            self._later_topics.append(topic_id)

    def _term_sign(self, term: TermQuery) -> int:
        """The sign of a term, which is added if it is new."""
        known = self._term_signs.get(term)
        if known is None:
            known = self._term_signs[term] = signs.term(len(self._terms))
            self._terms.append(term)
            if not term.sufficient:
                self._uncertain.add(known)
            self._index_term(term, known)
        return known

    def _index_term(self, term: TermQuery, sign: int) -> None:
        """Give the words of a term this sign."""
        for alternative in term.alternatives:
            if term.field not in ("", "title"):
                field = term.field, alternative.kind is MatchKind.UNACCENTED
                self._fields.setdefault(field, FieldIndex()).add(needle(alternative), sign)
            elif len(alternative.keys) == 1:
                self._new_words.append((alternative.kind, alternative.keys[0], sign))
            elif alternative.kind is MatchKind.PHRASE:
                self._phrases.add(alternative.keys, sign)
            elif word := self._lookups.add(alternative, sign):
                self._new_words.append(word)


def _split(query: CompiledQuery) -> tuple[list[TermQuery], CompiledQuery | None]:
    """Terms whose words are sufficient for the query to match, and what else must be evaluated of it."""
    match query:
        case TermQuery():
            return ([query], None) if query.sufficient else ([], query)
        case Or(parts):
            sufficient = [part for part in parts if isinstance(part, TermQuery) and part.sufficient]
            rest = tuple(part for part in parts if not (isinstance(part, TermQuery) and part.sufficient))
            return sufficient, Or(rest) if len(rest) > 1 else next(iter(rest), None)
        case _:
            return [], query
