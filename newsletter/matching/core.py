"""Many compiled queries in, one structure out that finds in one pass over an item which of them it may meet."""

import threading
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

import ahocorasick_rs

from newsletter.matching.readable import Opened, needle
from newsletter.matching.sought import Kind, Plan, Sought, Way
from newsletter.matching.stems import Stems
from newsletter.matching.tree import And, Not, Or, Tree, mapped, meets

#: Characters scanned at once: bounds what the automaton can find in a text of one word over and over.
_STRIDE = 32_768

#: Numbers of terms or ids of topics: mostly one, so without a tuple.
Numbers = int | tuple[int, ...]
K = TypeVar("K")


class Core:
    """The queries of many topics; each term once for all that share it. Read-only, so threads may share it."""

    def __init__(self, plans: Mapping[int, Plan], *, automaton: bool) -> None:
        """`automaton`: with one, rows of words are found in one pass (for many queries); without, by their first word,
        which takes no time to build (for few)."""
        numbers: dict[Sought, int] = {}
        self._anchored: dict[int, Numbers] = {}
        #: Topic id → its query, with the numbers of its terms.
        self._queries: dict[int, Tree[int]] = {}
        for topic_id, plan in plans.items():
            self._queries[topic_id] = mapped(plan, lambda sought: numbers.setdefault(sought, len(numbers)))
            for sought in set(_anchor(plan)[1]):
                _add(self._anchored, numbers[sought], topic_id)
        self._sought = list(numbers)
        self._unsure = frozenset(number for number, sought in enumerate(self._sought) if not sought.sure)
        self._stemmed: dict[int, dict[str, Numbers]] = {}
        self._lock = threading.Lock()
        self._words: dict[str, Numbers] = {}
        rows: dict[str, Numbers] = {}
        bare: dict[str, Numbers] = {}
        fields: dict[str, dict[str, Numbers]] = defaultdict(dict)
        for number, sought in enumerate(self._sought):
            inside = sought.within in ("", "title")
            for way in sought.ways:
                match way.kind:
                    case Kind.WORD:
                        _add(self._words, way.keys[0], number)
                    case Kind.BARE:
                        _add(bare if inside else fields["bare " + sought.within], needle(way), number)
                    case _:
                        _add(rows if inside else fields[sought.within], needle(way), number)
        self._rows = _Automaton(rows) if automaton and rows else _Table(rows)
        self._bare = _Table(bare)
        self._fields = {name: _Table(needles) for name, needles in fields.items()}

    def __len__(self) -> int:
        return len(self._queries)

    def plans(self, hidden: Collection[int] = ()) -> dict[int, Plan]:
        """Topic id → compiled query, without the hidden ones."""
        return {topic_id: self.plan(topic_id) for topic_id in self._queries if topic_id not in hidden}

    def plan(self, topic_id: int) -> Plan:
        """A compiled query."""
        return mapped(self._queries[topic_id], self._sought.__getitem__)

    def knows(self, topic_ids: Collection[int]) -> frozenset[int]:
        """Those of the topics that are in here."""
        return frozenset(one for one in topic_ids if one in self._queries)

    def meet(self, opened: Opened) -> Iterator[int]:
        """The topics that an item meets."""
        found = self._find(opened)

        def met(number: int) -> bool:
            return number in found and (number not in self._unsure or bool(opened.hits(self._sought[number])))

        candidates: set[int] = set()
        for number in found:
            if number in self._anchored:
                _unfold(candidates, self._anchored[number])
        return (topic_id for topic_id in candidates if meets(self._queries[topic_id], met))

    def _find(self, opened: Opened) -> set[int]:
        """The numbers of all terms that may be met."""
        found: set[int] = set()
        body = opened.body
        if self._words:
            stemmed = self._by_stem(body.stems)
            for stem in body.stem_set & stemmed.keys():
                _unfold(found, stemmed[stem])
        for numbers in self._rows(body.haystack):
            _unfold(found, numbers)
        if self._bare:
            for numbers in self._bare(body.bare_haystack):
                _unfold(found, numbers)
        for name, table in self._fields.items():
            bare, _, field = name.rpartition(" ")
            if field in opened.fields:
                words = opened.fields[field]
                for numbers in table(words.bare_haystack if bare else words.haystack):
                    _unfold(found, numbers)
        return found

    def _by_stem(self, stems: Stems) -> dict[str, Numbers]:
        """The bare words by their stems in one language, made when the first text in it comes."""
        known = self._stemmed.get(id(stems))
        if known is None:
            with self._lock:
                known = self._stemmed.get(id(stems))
                if known is None:
                    known = {}
                    for word, numbers in self._words.items():
                        stem = stems.once(word)
                        known[stem] = _both(known[stem], numbers) if stem in known else numbers
                    self._stemmed[id(stems)] = known
        return known


def _anchor(plan: Plan) -> tuple[int, list[Sought]]:
    """Terms of which one is in every item that meets the query, and how rare they are: the longer, the rarer. -1: none."""
    match plan:
        case And(parts):
            return max((_anchor(part) for part in parts), key=lambda one: one[0])
        case Or(parts):
            each = [_anchor(part) for part in parts]
            rarity = min(one[0] for one in each)
            return (-1, []) if rarity < 0 else (rarity, [sought for one in each for sought in one[1]])
        case Not():
            return -1, []
        case Sought(_, ways, within):
            return 0 if within in ("lang", "feed") else min(map(_length, ways)), [plan]


def _length(way: Way) -> int:
    return sum(map(len, way.keys)) + 4 * len(way.keys)


class _Automaton:
    """All needles found in one pass, whatever their number (Aho-Corasick)."""

    def __init__(self, needles: dict[str, Numbers]) -> None:
        self._numbers = list(needles.values())
        self._overlap = max(map(len, needles), default=0)
        self._automaton = ahocorasick_rs.AhoCorasick(
            list(needles), implementation=ahocorasick_rs.Implementation.ContiguousNFA, store_patterns=False
        )

    def __call__(self, haystack: str) -> Iterator[Numbers]:
        met: set[int] = set()
        for start in range(0, len(haystack), _STRIDE):
            piece = haystack if len(haystack) <= _STRIDE else haystack[start : start + _STRIDE + self._overlap]
            met.update([one for one, _, _ in self._automaton.find_matches_as_indexes(piece, overlapping=True)])
        return (self._numbers[one] for one in met)


class _Table:
    """Needles by their first word."""

    def __init__(self, needles: dict[str, Numbers]) -> None:
        self._by_first: dict[str, list[tuple[str, Numbers]]] = defaultdict(list)
        self._starts: list[tuple[str, Numbers]] = []
        for one, numbers in needles.items():
            first, space, _ = one[1:].partition(" ")
            (self._by_first[first] if space else self._starts).append((one, numbers))

    def __bool__(self) -> bool:
        return bool(self._by_first or self._starts)

    def __call__(self, haystack: str) -> Iterator[Numbers]:
        for first in self._by_first.keys() & set(haystack.split(" ")):
            yield from (numbers for one, numbers in self._by_first[first] if one in haystack)
        yield from (numbers for one, numbers in self._starts if one in haystack)


def _add(to: dict[K, Numbers], key: K, number: int) -> None:
    known = to.get(key)
    to[key] = number if known is None else _both(known, number)


def _both(one: Numbers, other: Numbers) -> Numbers:
    left = (one,) if isinstance(one, int) else one
    right = (other,) if isinstance(other, int) else other
    both = tuple(dict.fromkeys((*left, *right)))
    return both if len(both) > 1 else both[0]


def _unfold(to: set[int], numbers: Numbers) -> None:
    if isinstance(numbers, int):
        to.add(numbers)
    else:
        to.update(numbers)
