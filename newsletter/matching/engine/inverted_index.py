"""Items in, which of them a query matches out, without reading them again: an inverted index over a small block of items.

A posting is a 64-bit hash of a word's stem and the slot of an item that has it. The order of an item's words is kept as 32-bit
hashes, so that phrases are exact too. Both are Python's own keyed hashes (SipHash), which nobody outside can make collide.
A term that the index cannot decide (a prefix, a field, an exact spelling) leaves its items in doubt, for the matcher to read.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from functools import lru_cache, reduce
from itertools import chain, starmap
from typing import NamedTuple

from newsletter.matching.engine.document import Document
from newsletter.matching.engine.item_matcher import ItemMatcher
from newsletter.matching.engine.required_words import name_key, word_key, word_keys
from newsletter.matching.engine.tokenized_item import SearchableText
from newsletter.matching.query.compiled import Alternative, CompiledQuery, MatchKind, TermQuery
from newsletter.matching.query.nodes import And, Not, Or
from newsletter.matching.query.parser import LONGEST_ACRONYM
from newsletter.matching.text.stemming import Stems

#: Items of a block.
BLOCK_SIZE = 128
_KEY_BYTES = 4
_NONE: frozenset[int] = frozenset()


class Decision(NamedTuple):
    """Slots of items that match for certain, and of those that may: the first are among the second."""

    sure: frozenset[int]
    possible: frozenset[int]


class IndexedItem(NamedTuple):
    """What the index keeps of an item."""

    postings: frozenset[int]
    sequence: bytes
    stems: Stems


def index_item(item: Document) -> IndexedItem:
    """Read an item: the part of indexing that takes time."""
    body = ItemMatcher(item).body
    return IndexedItem(_postings(body), _sequence(body.keys), body.stems)


class ItemBlock:
    """Up to `SIZE` items by their slot (0 to SIZE - 1). Never changed: `updated` makes another."""

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
        """Bytes that it takes."""
        return len(self._slots) * 9 + sum(map(len, self._sequences.values()))

    def updated(self, items: Mapping[int, IndexedItem], gone: Iterable[int] = ()) -> "ItemBlock":
        """The same block with these items in their slots, and without those that are `gone`."""
        left = self.slots - items.keys() - set(gone)
        postings = [pair for pair in zip(self._hashes, self._slots, strict=True) if pair[1] in left]
        postings += [(posting, slot) for slot, item in items.items() for posting in item.postings]
        postings.sort()
        made = ItemBlock()
        made._hashes = array("Q", [posting for posting, _ in postings])
        made._slots = bytes([slot for _, slot in postings])
        made._sequences = {slot: self._sequences[slot] for slot in left}
        made._sequences |= {slot: item.sequence for slot, item in items.items()}
        made._stems = self._stems.union(item.stems for item in items.values())
        return made

    def decide(self, plan: CompiledQuery, among: frozenset[int]) -> Decision:
        """Which of the items in these slots match a compiled query."""
        match plan:
            case And(parts):
                sure = possible = among
                for part in parts:
                    if not possible:
                        break
                    found = self.decide(part, possible)
                    sure, possible = sure & found.sure, found.possible
                return Decision(sure, possible)
            case Or(parts):
                each = [self.decide(part, among) for part in parts]
                return Decision(_NONE.union(*(one.sure for one in each)), _NONE.union(*(one.possible for one in each)))
            case Not(part):
                found = self.decide(part, among)
                return Decision(among - found.possible, among - found.sure)
            case TermQuery():
                return self._term(plan, among)

    def _term(self, sought: TermQuery, among: frozenset[int]) -> Decision:
        if sought.within not in ("", "title"):
            return Decision(_NONE, among)
        ways = [self._way(way, among) for way in sought.ways]
        if sought.distance is not None:
            return Decision(_NONE, reduce(frozenset.intersection, (one.possible for one in ways), among))
        sure = _NONE if sought.within else _NONE.union(*(one.sure for one in ways))
        return Decision(sure, _NONE.union(*(one.possible for one in ways)))

    def _way(self, way: Alternative, among: frozenset[int]) -> Decision:
        match way.kind:
            case MatchKind.WORD:
                found = self._with_word(way.keys[0]) & among
            case MatchKind.NAME:
                found = (self._with_word(way.keys[0]) | self._with_name(way.keys[0])) & among
                row = _sequence(way.keys)
                itself = frozenset(slot for slot in found if _has_row(self._sequences[slot], row))
                return Decision(itself if way.sure else _NONE, found)
            case MatchKind.ROW if way.capitals and len(way.keys) == 1 and way.capitals <= LONGEST_ACRONYM:
                found = self._with(_in_capitals(way.keys[0], way.capitals)) & among
                return Decision(_NONE if way.spelled or way.context else found, found)
            case MatchKind.ROW:
                found = reduce(frozenset.intersection, map(self._with_word, way.keys), among)
                row = _sequence(way.keys)
                found = frozenset(slot for slot in found if _has_row(self._sequences[slot], row))
            case _:
                return Decision(_NONE, among)
        return Decision(found if way.sure else _NONE, found)

    def _with_word(self, key: str) -> frozenset[int]:
        """Slots of items with the word or an inflected form of it, each by the language that the item is in."""
        return _NONE.union(*map(self._with, {_word(key, stems) for stems in self._stems}))

    def _with_name(self, name: str) -> frozenset[int]:
        """Slots of items with a word that may be the name with an ending."""
        return _NONE.union(*map(self._with, {hash(name_key(name, stems)) & _UNSIGNED for stems in self._stems}))

    def _with(self, posting: int) -> frozenset[int]:
        first = bisect_left(self._hashes, posting)
        return frozenset(self._slots[first : bisect_right(self._hashes, posting, first)])


_UNSIGNED = (1 << 64) - 1


def _postings(body: SearchableText) -> frozenset[int]:
    """What an item is found by: its words by their stems, and short ones that stand in capitals, also with a plural s."""
    capitals = starmap(_in_capitals, body.capitals(LONGEST_ACRONYM + 1))
    return frozenset(chain((hash(sign) & _UNSIGNED for sign in word_keys(body)), capitals))


@lru_cache(maxsize=512)
def _word(key: str, stems: Stems) -> int:
    """The same for every block of a search."""
    return hash(word_key(key, stems)) & _UNSIGNED


def _in_capitals(key: str, letters: int) -> int:
    return hash((key, letters)) & _UNSIGNED


def _sequence(keys: Iterable[str]) -> bytes:
    """Words in their order, four bytes each."""
    return array("I", [hash(key) & 0xFFFFFFFF for key in keys]).tobytes()


def _has_row(sequence: bytes, row: bytes) -> bool:
    at = sequence.find(row)
    while at >= 0 and at % _KEY_BYTES:
        at = sequence.find(row, at + 1)
    return at >= 0
