"""Many compiled queries in, one structure out that finds in one pass over an item which of them it may meet.

Every query has a slot: one of the first ones the number of its topic, those that came later are counted up. Every term of those
that must be evaluated has a number. What finding a word or a row of words says is a sign: a slot (that query is met), a term (-2
and below), or, far below, a row of words that must be looked for.
"""

import threading
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from newsletter.matching.engine.item_matcher import ItemMatcher
from newsletter.matching.engine.phrase_index import FieldIndex, LookupIndex, PhraseIndex
from newsletter.matching.engine.required_words import rarest_terms
from newsletter.matching.engine.tokenized_item import needle
from newsletter.matching.engine.word_index import NO_MATCH, Signs, WordIndex, merge_signs
from newsletter.matching.query.compiled import CompiledQuery, MatchKind, TermQuery, from_compact, to_compact
from newsletter.matching.query.nodes import Or, Tree, evaluate, map_terms

_FIRST_TERM = -2
#: Slots of queries that came after the first ones.
FIRST_LATER_SLOT = 1 << 61


class TermIndex:
    """The queries of many topics; each term once for all that share it. Only ever added to: threads may read while one does."""

    def __init__(self, plans: Iterable[tuple[int, CompiledQuery | str]]) -> None:
        self._lock = threading.Lock()
        #: How often it changed.
        self.stamp = 0
        #: Slots of the first queries → the query; topics and queries of those that came later.
        self._first: dict[int, CompiledQuery | str] = {}
        self._later = array("q")
        self._plans: list[CompiledQuery | str] = []
        #: Slots that are no more → the stamp from which on.
        self.ended: dict[int, int] = {}
        #: Topics whose query came later → its slot.
        self._slot_of: dict[int, int] = {}
        #: Slot → what must be evaluated of its query, with the signs of its terms.
        self._trees: dict[int, Tree[int]] = {}
        self._terms: dict[TermQuery, int] = {}
        self._sought: list[TermQuery] = []
        self._unsure: set[int] = set()
        #: Sign of a term → slots of which it is the rarest.
        self._anchored: dict[int, Signs] = {}
        self._lexicon = WordIndex()
        self._rows = PhraseIndex()
        self._looks = LookupIndex()
        self._fields: dict[str, FieldIndex] = {}
        self._wanted: list[tuple[MatchKind, str, int]] = []
        self._take(plans, first=True)

    @property
    def end(self) -> int:
        """The slot of the next query: all that are there have lower ones."""
        return FIRST_LATER_SLOT + len(self._later)

    def slots(self, end: int) -> Iterator[int]:
        """The slots of all queries that were there when the next had this slot."""
        yield from self._first
        yield from range(FIRST_LATER_SLOT, end)

    def topic(self, slot: int) -> int:
        """Whose query has a slot."""
        return slot if slot < FIRST_LATER_SLOT else self._later[slot - FIRST_LATER_SLOT]

    def change(self, stamp: int, added: Mapping[int, CompiledQuery], removed: Collection[int]) -> bool:
        """Take topics in that are new or changed, and out what is gone; False if that was not the last stamp."""
        with self._lock:
            if stamp != self.stamp:
                return False
            for topic_id in {*added, *removed}:
                slot = self._slot_of.pop(topic_id, topic_id)
                if slot >= FIRST_LATER_SLOT or slot in self._first:
                    self.ended.setdefault(slot, stamp + 1)
            self._take(added.items(), first=False)
            self.stamp = stamp + 1
            return True

    def renewed(self, slots: Iterable[int]) -> "TermIndex":
        """Only these queries in another, which knows the words that this one knows. Other threads go on meanwhile."""
        made = TermIndex((self.topic(slot), self._kept(slot)) for slot in slots)
        made._lexicon.learn(self._lexicon)
        return made

    def plan(self, slot: int) -> CompiledQuery:
        """A compiled query."""
        return from_compact(self._kept(slot))

    def newest(self, topic_id: int) -> CompiledQuery | None:
        """The compiled query that a topic has by now; None if it may have none any more."""
        slot = self._slot_of.get(topic_id, topic_id)
        return None if slot in self.ended or (slot < FIRST_LATER_SLOT and slot not in self._first) else self.plan(slot)

    def _kept(self, slot: int) -> CompiledQuery | str:
        return self._first[slot] if slot < FIRST_LATER_SLOT else self._plans[slot - FIRST_LATER_SLOT]

    def meet(self, opened: ItemMatcher) -> set[int]:
        """The slots of all queries that an item meets."""
        said = self._said(opened)
        terms = {sign for sign in said if sign < 0}
        if not terms:
            return said
        slots = said - terms
        anchored, trees = self._anchored, self._trees
        candidates = _singly(set(map(anchored.__getitem__, terms & anchored.keys()))) - slots
        met = self._closer(terms, opened)
        slots.update([slot for slot in candidates if evaluate(trees[slot], met)])
        return slots

    def _said(self, opened: ItemMatcher) -> set[int]:
        """The slots of queries that are met for certain, and the terms that may be."""
        body = opened.body
        said = _singly(self._lexicon.said(body) | self._rows.said(body.keys))
        said |= _singly(self._looks.said(said, body))
        if self._fields:
            said |= _singly(set(self._in_fields(opened)))
        return said

    def _closer(self, said: set[int], opened: ItemMatcher) -> Callable[[int], bool]:
        """What tells of a term whether it is met: those of which finding the words is not enough are looked at."""
        doubtful = said & self._unsure
        if not doubtful:
            return said.__contains__
        looked_at: dict[int, bool] = {}

        def met(sign: int) -> bool:
            if sign not in doubtful:
                return sign in said
            known = looked_at.get(sign)
            if known is None:
                known = looked_at[sign] = bool(opened.hits(self._sought[_FIRST_TERM - sign]))
            return known

        return met

    def _in_fields(self, opened: ItemMatcher) -> Iterator[Signs]:
        for name, table in list(self._fields.items()):
            bare, _, field = name.rpartition(" ")
            if field in opened.fields:
                words = opened.fields[field]
                if bare:
                    yield from table(words.bare_haystack, words.bare_words)
                else:
                    yield from table(words.haystack, words.words)

    def _take(self, plans: Iterable[tuple[int, CompiledQuery | str]], *, first: bool) -> None:
        """Give queries slots. What makes them be found comes last."""
        for topic_id, kept in plans:
            plan = from_compact(kept)
            slot = topic_id if first else self.end
            self._keep(slot, topic_id, kept if isinstance(kept, str) else to_compact(kept))
            at_once, rest = _split(plan)
            for sought in at_once:
                self._want(sought, slot)
            if rest is not None:
                self._trees[slot] = map_terms(rest, self._term)
                for sought in set(rarest_terms(rest)[1]):
                    sign = self._terms[sought]
                    self._anchored[sign] = merge_signs(self._anchored.get(sign, NO_MATCH), slot)
        self._lexicon.add(self._wanted)
        self._wanted = []

    def _keep(self, slot: int, topic_id: int, kept: CompiledQuery | str) -> None:
        if slot < FIRST_LATER_SLOT:
            self._first[slot] = kept
        else:
            self._slot_of[topic_id] = slot
            self._plans.append(kept)
            self._later.append(topic_id)

    def _term(self, sought: TermQuery) -> int:
        """The sign of a term."""
        known = self._terms.get(sought)
        if known is None:
            known = self._terms[sought] = _FIRST_TERM - len(self._sought)
            self._sought.append(sought)
            if not sought.sure:
                self._unsure.add(known)
            self._want(sought, known)
        return known

    def _want(self, sought: TermQuery, sign: int) -> None:
        """Let a term say something from now on."""
        for way in sought.ways:
            if sought.within not in ("", "title"):
                name = f"bare {sought.within}" if way.kind is MatchKind.BARE else sought.within
                self._fields.setdefault(name, FieldIndex()).add(needle(way), sign)
            elif len(way.keys) == 1:
                self._wanted.append((way.kind, way.keys[0], sign))
            elif way.kind is MatchKind.ROW:
                self._rows.add(way.keys, sign)
            elif watched := self._looks.add(way, sign):
                self._wanted.append(watched)


def _singly(said: set[Signs] | set[Signs | None]) -> set[int]:
    """The same set, with the signs themselves in place of those that come in several, and without None."""
    said.discard(None)
    several = [one for one in said if one.__class__ is tuple]  # isinstance() would take longer where it is not one
    said.difference_update(several)
    said.update(*several)
    return said  # type: ignore[return-value]


def _split(plan: CompiledQuery) -> tuple[list[TermQuery], CompiledQuery | None]:
    """Terms of which each is enough for the query, and what else must be evaluated of it."""
    match plan:
        case TermQuery():
            return ([plan], None) if plan.sure else ([], plan)
        case Or(parts):
            enough = [part for part in parts if isinstance(part, TermQuery) and part.sure]
            rest = tuple(part for part in parts if not (isinstance(part, TermQuery) and part.sure))
            return enough, Or(rest) if len(rest) > 1 else next(iter(rest), None)
        case _:
            return [], plan
