"""Needles in, those that stand in a haystack out: each a row of words between spaces, with what finding it says."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set

import ahocorasick_rs

from newsletter.matching.vocabulary import Signs

#: Characters scanned at once: bounds what the automaton can find in a text of one word over and over.
_STRIDE = 32_768


class Automaton:
    """All needles found in one pass, whatever their number (Aho-Corasick)."""

    def __init__(self, needles: Mapping[str, Signs]) -> None:
        self._signs = list(needles.values())
        self._overlap = max(map(len, needles), default=0)
        self._automaton = ahocorasick_rs.AhoCorasick(
            list(needles), implementation=ahocorasick_rs.Implementation.ContiguousNFA, store_patterns=False
        )

    def __call__(self, haystack: str) -> set[Signs]:
        """What the needles say that are in a haystack."""
        met: set[int] = set()
        for start in range(0, len(haystack), _STRIDE):
            piece = haystack if len(haystack) <= _STRIDE else haystack[start : start + _STRIDE + self._overlap]
            met.update([one for one, _, _ in self._automaton.find_matches_as_indexes(piece, overlapping=True)])
        return set(map(self._signs.__getitem__, met))


class Table:
    """Needles by their first word: for fields of few words. Threads may look while one adds."""

    def __init__(self) -> None:
        self._by_first: dict[str, list[tuple[str, Signs]]] = defaultdict(list)
        self._starts: list[tuple[str, Signs]] = []

    def add(self, needle: str, sign: Signs) -> None:
        """One more."""
        first, space, _ = needle[1:].partition(" ")
        (self._by_first[first] if space else self._starts).append((needle, sign))

    def __call__(self, haystack: str, words: Set[str]) -> Iterator[Signs]:
        for first in self._by_first.keys() & words:
            yield from (sign for one, sign in self._by_first[first] if one in haystack)
        yield from (sign for one, sign in self._starts if one in haystack)
