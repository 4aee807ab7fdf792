"""An inverted index over a small block of items: tells which of them a query matches, without reading them again.

A posting is a 64-bit hash of a word's stem and the slot of an item that has it. The order of an item's words is kept as 32-bit
hashes, so that phrases are exact too. Both are Python's own keyed hashes (SipHash), which nobody outside can make collide.
A term that the index cannot decide (a prefix, a field, an exact spelling) leaves its items in doubt, for the matcher to read.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, reduce
from itertools import chain, starmap
from typing import NamedTuple

from newsletter.matching.engine.document import Document
from newsletter.matching.engine.item_matcher import ItemMatcher
from newsletter.matching.engine.required_words import name_key, word_key, word_keys
from newsletter.matching.engine.searchable_text import SearchableText
from newsletter.matching.query.compiled import Alternative, CompiledQuery, MatchKind, TermQuery
from newsletter.matching.query.nodes import And, Not, Or
from newsletter.matching.query.terms import LONGEST_ACRONYM
from newsletter.matching.text.stemming import Stems

#: Items of a block.
BLOCK_SIZE = 128
_KEY_BYTES = 4
_NONE: frozenset[int] = frozenset()


class Decision(NamedTuple):
    """Slots of items that match for certain, and of those that may match, which include the first."""

    certain: frozenset[int]
    possible: frozenset[int]


class IndexedItem(NamedTuple):
    """What the index stores of an item."""

    postings: frozenset[int]
    sequence: bytes
    stems: Stems


def index_item(item: Document) -> IndexedItem:
    """Prepare an item for the index: this is what takes time."""
    body = ItemMatcher(item).body
    return IndexedItem(_postings(body), _sequence(body.keys), body.stems)


class ItemBlock:
    """Up to `BLOCK_SIZE` items by their slot (0 to BLOCK_SIZE - 1). Immutable: `updated` returns a new one."""

    def __init__(self) -> None:
        self._hashes = array("Q")
        self._slots = b""
        self._sequences: dict[int, bytes] = {}
        self._stems: frozenset[Stems] = frozenset()

    @property
    def slots(self) -> frozenset[int]:
        """The slots that hold an item."""
        return frozenset(self._sequences)

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return len(self._slots) * 9 + sum(map(len, self._sequences.values()))

    def updated(self, items: Mapping[int, IndexedItem], removed: Iterable[int] = ()) -> "ItemBlock":
        """The same block with these items in their slots, and without those in the slots `removed`."""
        kept = self.slots - items.keys() - set(removed)
        postings = [pair for pair in zip(self._hashes, self._slots, strict=True) if pair[1] in kept]
        postings += [(posting, slot) for slot, item in items.items() for posting in item.postings]
        postings.sort()
        new = ItemBlock()
        new._hashes = array("Q", [posting for posting, _ in postings])
        new._slots = bytes([slot for _, slot in postings])
        new._sequences = {slot: self._sequences[slot] for slot in kept}
        new._sequences |= {slot: item.sequence for slot, item in items.items()}
        new._stems = self._stems.union(item.stems for item in items.values())
        return new

    def decide(self, query: CompiledQuery, among: frozenset[int]) -> Decision:
        """Which of the items in these slots match a compiled query."""
        match query:
            case And(parts):
                certain = possible = among
                for part in parts:
                    if not possible:
                        break
                    of_part = self.decide(part, possible)
                    certain, possible = certain & of_part.certain, of_part.possible
                return Decision(certain, possible)
            case Or(parts):
                return _union([self.decide(part, among) for part in parts])
            case Not(part):
                excluded = self.decide(part, among)
                return Decision(among - excluded.possible, among - excluded.certain)
            case TermQuery():
                return self._decide_term(query, among)

    def _decide_term(self, term: TermQuery, among: frozenset[int]) -> Decision:
        if term.field not in ("", "title"):
            return Decision(_NONE, among)
        each = [self._decide_alternative(alternative, among) for alternative in term.alternatives]
        if term.distance is not None:
            return Decision(_NONE, reduce(frozenset.intersection, (part.possible for part in each), among))
        certain, possible = _union(each)
        return Decision(_NONE if term.field else certain, possible)

    def _decide_alternative(self, alternative: Alternative, among: frozenset[int]) -> Decision:
        keys = alternative.keys
        match alternative.kind:
            case MatchKind.WORD:
                slots = self._with_word(keys[0]) & among
            case MatchKind.NAME:
                slots = (self._with_word(keys[0]) | self._with_name(keys[0])) & among
                uninflected = self._with_phrase(keys, slots)
                return Decision(uninflected if alternative.sufficient else _NONE, slots)
            case MatchKind.PHRASE if (
                alternative.capitals and len(keys) == 1 and alternative.capitals <= LONGEST_ACRONYM
            ):
                slots = self._with(_acronym_hash(keys[0], alternative.capitals)) & among
                return Decision(_NONE if alternative.spelling or alternative.context else slots, slots)
            case MatchKind.PHRASE:
                slots = self._with_phrase(keys, reduce(frozenset.intersection, map(self._with_word, keys), among))
            case _:
                return Decision(_NONE, among)
        return Decision(slots if alternative.sufficient else _NONE, slots)

    def _with_word(self, key: str) -> frozenset[int]:
        """Slots of items with the word or an inflected form of it, each by the language that the item is in."""
        return _NONE.union(*map(self._with, {_word_hash(key, stems) for stems in self._stems}))

    def _with_name(self, name: str) -> frozenset[int]:
        """Slots of items with a word that may be the name with an ending."""
        return _NONE.union(*map(self._with, {hash(name_key(name, stems)) & _UNSIGNED for stems in self._stems}))

    def _with_phrase(self, keys: Iterable[str], among: frozenset[int]) -> frozenset[int]:
        """Slots of items in which these words are adjacent."""
        phrase = _sequence(keys)
        return frozenset(slot for slot in among if _contains(self._sequences[slot], phrase))

    def _with(self, posting: int) -> frozenset[int]:
        first = bisect_left(self._hashes, posting)
        return frozenset(self._slots[first : bisect_right(self._hashes, posting, first)])


def _union(decisions: Sequence[Decision]) -> Decision:
    certain = _NONE.union(*(decision.certain for decision in decisions))
    return Decision(certain, _NONE.union(*(decision.possible for decision in decisions)))


_UNSIGNED = (1 << 64) - 1


def _postings(body: SearchableText) -> frozenset[int]:
    """What an item is found by: its words by their stems, and short ones that stand in capitals, also with a plural s."""
    acronyms = starmap(_acronym_hash, body.capitals(LONGEST_ACRONYM + 1))
    return frozenset(chain((hash(key) & _UNSIGNED for key in word_keys(body)), acronyms))


@lru_cache(maxsize=512)
def _word_hash(key: str, stems: Stems) -> int:
    """Cached, since it is the same for every block of a search."""
    return hash(word_key(key, stems)) & _UNSIGNED


def _acronym_hash(key: str, letters: int) -> int:
    return hash((key, letters)) & _UNSIGNED


def _sequence(keys: Iterable[str]) -> bytes:
    """Words in their order, `_KEY_BYTES` each."""
    return array("I", [hash(key) & 0xFFFFFFFF for key in keys]).tobytes()


def _contains(sequence: bytes, phrase: bytes) -> bool:
    offset = sequence.find(phrase)
    while offset >= 0 and offset % _KEY_BYTES:
        offset = sequence.find(phrase, offset + 1)
    return offset >= 0
