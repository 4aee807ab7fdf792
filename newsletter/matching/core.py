"""Many compiled queries in, one structure out that finds in one pass over an item which of them it may meet."""

import threading
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Set
from functools import cached_property
from typing import TypeVar

import ahocorasick_rs

from newsletter.matching.readable import Opened, Words, needle
from newsletter.matching.sought import Kind, Plan, Sought, Way
from newsletter.matching.stems import Stems
from newsletter.matching.tree import And, Not, Or, Tree, mapped, meets, terms

#: Characters scanned at once: bounds what the automaton can find in a text of one word over and over.
_STRIDE = 32_768

#: As many words of texts are remembered for a language.
_MOST_WORDS = 131_072

#: Above all numbers of terms.
_FIRST_GROUP = 1 << 40

#: Signs of terms (`_signs`), numbers of terms, or ids of topics: mostly one, so without a tuple.
Numbers = int | tuple[int, ...]
K = TypeVar("K")


class Core:
    """The queries of many topics; each term once for all that share it. Read-only, so threads may share it."""

    def __init__(self, plans: Mapping[int, Plan], *, automaton: bool, remember: bool = False) -> None:
        """`automaton`: with one, rows of words are found in one pass (for many queries); without, by their first word,
        which takes no time to build (for few). `remember` what each word of a text came to: for most of the queries."""
        numbers: dict[Sought, int] = {}
        #: Topic id → its query, with the numbers of its terms.
        self._queries: dict[int, Tree[int]] = {
            topic_id: mapped(plan, lambda sought: numbers.setdefault(sought, len(numbers)))
            for topic_id, plan in plans.items()
        }
        self._sought = list(numbers)
        self._unsure = frozenset(number for number, sought in enumerate(self._sought) if not sought.sure)
        signs = self._signs(plans, numbers)
        rows: dict[str, Numbers] = {}
        bare: dict[str, Numbers] = {}
        fields: dict[str, dict[str, Numbers]] = defaultdict(dict)
        for number, sought in enumerate(self._sought):
            inside = sought.within in ("", "title")
            for way in sought.ways:
                match way.kind:
                    case Kind.WORD:
                        pass  # by their stems, which depend on the text's language
                    case Kind.BARE:
                        _add(bare if inside else fields["bare " + sought.within], needle(way), signs[number])
                    case _:
                        _add(rows if inside else fields[sought.within], needle(way), signs[number])
        self._groups = _Groups()
        self._words = _Words(_word_signs(self._sought, signs), self._groups, remember=remember)
        packed = self._groups.packed(rows)
        self._rows = _Automaton(packed) if automaton and rows else _Table(packed)
        self._bare = _Table(self._groups.packed(bare))
        self._fields = {name: _Table(self._groups.packed(needles)) for name, needles in fields.items()}

    def _signs(self, plans: Mapping[int, Plan], numbers: Mapping[Sought, int]) -> list[Numbers]:
        """What finding a term says: ~topic for each topic that looks for nothing else, and its own number if others do."""
        signs: list[Numbers] = [()] * len(numbers)
        #: By the number of a term: topics of which it is the rarest.
        self._anchored: dict[int, Numbers] = {}
        for topic_id, plan in plans.items():
            if isinstance(plan, Sought) and plan.sure:
                signs[numbers[plan]] = _both(signs[numbers[plan]], ~topic_id)
                continue
            for sought in terms(plan):
                signs[numbers[sought]] = _both(signs[numbers[sought]], numbers[sought])
            for sought in set(_anchor(plan)[1]):
                _add(self._anchored, numbers[sought], topic_id)
        return signs

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

    def meet(self, opened: Opened) -> list[int]:
        """The topics that an item meets."""
        found = self._find(opened)
        doubtful = found & self._unsure
        looked_at: dict[int, bool] = {}

        def looked_closer(number: int) -> bool:
            if number not in doubtful:
                return number in found
            known = looked_at.get(number)
            if known is None:
                known = looked_at[number] = bool(opened.hits(self._sought[number]))
            return known

        met = looked_closer if doubtful else found.__contains__
        candidates: set[int] = set()
        for number in self._anchored.keys() & found:
            topic_ids = self._anchored[number]
            candidates.update((topic_ids,) if isinstance(topic_ids, int) else topic_ids)
        queries = self._queries
        at_once = [~sign for sign in found if sign < 0]
        return at_once + [topic_id for topic_id in candidates if meets(queries[topic_id], met)]

    def _find(self, opened: Opened) -> set[int]:
        """The signs of all terms that may be met."""
        body = opened.body
        found = self._words.found(body)
        found.update(self._rows(body.haystack, body.words))
        if self._bare:
            found.update(self._bare(body.bare_haystack, body.bare_words))
        for name, table in self._fields.items():
            bare, _, field = name.rpartition(" ")
            if field in opened.fields:
                words = opened.fields[field]
                if bare:
                    found.update(table(words.bare_haystack, words.bare_words))
                else:
                    found.update(table(words.haystack, words.words))
        self._groups.unfold(found)
        return found


class _Groups:
    """Numbers that stand for several signs, so that every word and needle has one."""

    def __init__(self) -> None:
        self._signs: dict[int, tuple[int, ...]] = {}

    def packed(self, needles: Mapping[str, Numbers]) -> dict[str, int]:
        """The same with one number for each."""
        return {one: signs if isinstance(signs, int) else self.number(signs) for one, signs in needles.items()}

    def number(self, signs: tuple[int, ...]) -> int:
        """A new one for these signs."""
        number = _FIRST_GROUP + len(self._signs)
        self._signs[number] = signs
        return number

    def unfold(self, found: set[int]) -> None:
        """Put what groups stand for in their place."""
        groups = [one for one in found if one >= _FIRST_GROUP]
        found.difference_update(groups)
        found.update(*map(self._signs.__getitem__, groups))


class _Words:
    """Bare words, found by their stems; the stems in a language are made when the first text in it comes."""

    def __init__(self, words: list[tuple[str, Numbers]], groups: _Groups, *, remember: bool) -> None:
        self._words = words
        self._groups = groups
        self._remember = remember
        self._by_language: dict[int, _Vocabulary] = {}
        self._lock = threading.Lock()

    def found(self, body: Words) -> set[int]:
        """The signs, or groups of signs, of the words that are in a text."""
        if not self._words:
            return set()
        known = self._vocabulary(body.stems)
        if not self._remember:
            return set(map(known.by_stem.__getitem__, known.by_stem.keys() & body.stem_set))
        came_to = set(known.look_up(body.all_keys))
        found = {sign for sign in came_to if type(sign) is int}  # not isinstance: that is slow where it is not one
        body.known_stems = lambda: {one if isinstance(one, str) else known.stem_of[one] for one in came_to}
        return found

    def _vocabulary(self, stems: Stems) -> "_Vocabulary":
        known = self._by_language.get(id(stems))
        if known is None:
            with self._lock:
                known = self._by_language.get(id(stems)) or _Vocabulary(self._words, stems, self._groups)
                self._by_language[id(stems)] = known
        return known


class _Vocabulary:
    """Words of texts in one language, and what they came to: the signs of terms, or their stem when there is none."""

    def __init__(self, words: list[tuple[str, Numbers]], stems: Stems, groups: _Groups) -> None:
        self._stems = stems
        by_stem: dict[str, Numbers] = {}
        for (word, signs), stem in zip(words, stems.each([word for word, _ in words]), strict=True):
            _add(by_stem, word if stem == word else stem, signs)
        self.by_stem = groups.packed(by_stem)
        seen: set[int] = set()
        for stem, sign in self.by_stem.items():
            if sign in seen:  # a term with several such words: the way back to the stem needs a sign for each
                self.by_stem[stem] = groups.number((sign,))
            seen.add(sign)
        self._known: dict[str, int | str] = {}

    @cached_property
    def stem_of(self) -> dict[int, str]:
        """The way back from a sign to the stem."""
        return {sign: stem for stem, sign in self.by_stem.items()}

    def look_up(self, keys: list[str]) -> list[int | str]:
        """For each word: the sign of the terms that it meets, or else its stem."""
        found = list(map(self._known.get, keys))
        new = [key for key, sign in zip(keys, found, strict=True) if sign is None]
        if not new:
            return found  # type: ignore[return-value]  # None is not in it
        learned = {
            key: self.by_stem.get(stem, key if stem == key else stem)
            for key, stem in zip(new, self._stems.each(new), strict=True)
        }
        if len(self._known) > _MOST_WORDS:
            self._known.clear()
        self._known.update(learned)
        return [learned[key] if sign is None else sign for key, sign in zip(keys, found, strict=True)]


def _word_signs(all_sought: list[Sought], signs: list[Numbers]) -> list[tuple[str, Numbers]]:
    return [
        (way.keys[0], signs[number])
        for number, sought in enumerate(all_sought)
        if sought.within in ("", "title")
        for way in sought.ways
        if way.kind is Kind.WORD
    ]


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

    def __init__(self, needles: dict[str, int]) -> None:
        self._numbers = list(needles.values())
        self._overlap = max(map(len, needles), default=0)
        self._automaton = ahocorasick_rs.AhoCorasick(
            list(needles), implementation=ahocorasick_rs.Implementation.ContiguousNFA, store_patterns=False
        )

    def __call__(self, haystack: str, _: Set[str]) -> Iterator[int]:
        met: set[int] = set()
        for start in range(0, len(haystack), _STRIDE):
            piece = haystack if len(haystack) <= _STRIDE else haystack[start : start + _STRIDE + self._overlap]
            met.update([one for one, _, _ in self._automaton.find_matches_as_indexes(piece, overlapping=True)])
        return map(self._numbers.__getitem__, met)


class _Table:
    """Needles by their first word."""

    def __init__(self, needles: dict[str, int]) -> None:
        self._by_first: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self._starts: list[tuple[str, int]] = []
        for one, sign in needles.items():
            first, space, _ = one[1:].partition(" ")
            (self._by_first[first] if space else self._starts).append((one, sign))

    def __bool__(self) -> bool:
        return bool(self._by_first or self._starts)

    def __call__(self, haystack: str, words: Set[str]) -> Iterator[int]:
        for first in self._by_first.keys() & words:
            yield from (sign for one, sign in self._by_first[first] if one in haystack)
        yield from (sign for one, sign in self._starts if one in haystack)


def _add(to: dict[K, Numbers], key: K, more: Numbers) -> None:
    known = to.get(key)
    to[key] = more if known is None else _both(known, more)


def _both(one: Numbers, other: Numbers) -> Numbers:
    left = (one,) if isinstance(one, int) else one
    right = (other,) if isinstance(other, int) else other
    both = tuple(dict.fromkeys((*left, *right)))
    return both[0] if len(both) == 1 else both
