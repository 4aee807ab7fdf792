"""Needles in, those that stand in a haystack out: each a row of words between spaces, with the sign of its terms."""

from collections import defaultdict
from collections.abc import Iterator, Set

import ahocorasick_rs

#: Characters scanned at once: bounds what the automaton can find in a text of one word over and over.
_STRIDE = 32_768


class Automaton:
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


class Table:
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
