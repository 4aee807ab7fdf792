"""Rows of words in, what those say that a text has out: each is found by two of its words that stand side by side."""

from collections import defaultdict
from collections.abc import Iterator, Set
from itertools import compress, pairwise

from newsletter.matching.engine.tokenized_item import SearchableText, needle
from newsletter.matching.engine.word_index import NO_MATCH, Signs, merge_signs
from newsletter.matching.query.compiled import Alternative, MatchKind

#: Signs that say to look for a row: with a pair of words, and with a single one; others are nearer to 0.
_AROUND = -(1 << 50)
_LOOK = -(1 << 40)


class PhraseIndex:
    """Rows of two whole words and more. Threads may look while one adds.

    A pair of words says at once what a row of just these says, and of a longer one to look around.
    """

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, ...], Signs] = {}
        #: Longer rows, how many of their words stand before the pair, and what they say.
        self._longer: list[tuple[list[str], int, Signs]] = []
        self._numbers: dict[str, int] = {}

    def add(self, keys: tuple[str, ...], sign: int) -> None:
        """One more, with what finding it says."""
        if len(keys) == 2:
            self._pairs[keys] = merge_signs(self._pairs.get(keys, NO_MATCH), sign)
            return
        number = self._numbers.setdefault(" ".join(keys), len(self._longer))
        if number < len(self._longer):
            row, before, signs = self._longer[number]
            self._longer[number] = row, before, merge_signs(signs, sign)
            return
        before, pair = min(enumerate(pairwise(keys)), key=self._weight)
        self._longer.append((list(keys), before, sign))
        self._pairs[pair] = merge_signs(self._pairs.get(pair, NO_MATCH), _AROUND - number)

    def _weight(self, pair: tuple[int, tuple[str, str]]) -> tuple[int, int]:
        """How common a pair may be: the fewer rows have it and the longer it is, the rarer."""
        signs = self._pairs.get(pair[1], NO_MATCH)
        return len(signs) if isinstance(signs, tuple) else signs != NO_MATCH, -sum(map(len, pair[1]))

    def said(self, keys: list[str]) -> set[Signs | None]:
        """What the rows say that are among these words; also None, and what is for this class only."""
        if not self._pairs:
            return set()
        each = list(map(self._pairs.get, zip(keys, keys[1:], strict=False)))  # noqa: RUF007 - pairwise() is slower
        said = set(each)
        if self._longer:
            said.update(self._around(keys, each))
        return said

    def _around(self, keys: list[str], each: list[Signs | None]) -> Iterator[Signs]:
        for at in compress(range(len(each)), each):  # a slot 0 that is lost here is no row to look for
            signs = each[at]
            for sign in (signs,) if isinstance(signs, int) else signs or ():
                if sign <= _AROUND:
                    row, before, says = self._longer[_AROUND - sign]
                    if before <= at and keys[at - before : at - before + len(row)] == row:
                        yield says


class LookupIndex:
    """Rows that end with a beginning of a word, or whose accents make no difference: looked for where one word is found."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[bool, str, Signs]] = {}
        self._signs: dict[tuple[bool, str], int] = {}

    def add(self, way: Alternative, sign: int) -> tuple[MatchKind, str, int] | None:
        """One more. Given back is the word that must say to look for it from now on: the longest; None if one does."""
        row = way.kind is MatchKind.BARE, needle(way)
        known = self._signs.get(row)
        if known is not None:
            self._rows[known] = *row, merge_signs(self._rows[known][2], sign)
            return None
        look = self._signs[row] = _LOOK - len(self._rows)
        self._rows[look] = *row, sign
        whole = way.keys[:-1] if way.kind is MatchKind.START else way.keys
        return MatchKind.BARE if row[0] else MatchKind.ROW, max(whole, key=len), look

    def said(self, signs: Set[int], body: SearchableText) -> set[Signs]:
        """What the rows say that are in a text, if its words say these signs."""
        rows = [self._rows[look] for look in signs & self._rows.keys()] if self._rows else ()
        return {says for bare, row, says in rows if row in (body.bare_haystack if bare else body.haystack)}


class FieldIndex:
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
