"""Indexes of sequences of words: phrases, phrases with a prefix or without accents, and the values of fields."""

from collections import defaultdict
from collections.abc import Iterator, Set
from itertools import compress, pairwise

from newsletter.matching.engine.searchable_text import SearchableText, needle
from newsletter.matching.engine.signs import FIRST_PHRASE, NO_MATCH, Signs, lookup, merge_signs, phrase, phrase_index
from newsletter.matching.query.compiled import Alternative, MatchKind


class PhraseIndex:
    """Phrases of two or more whole words, each found by two of its words that are adjacent. Threads may read during an addition.

    The pair has the signs of a phrase of these two words, and a sign for each longer phrase to compare with.
    """

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, ...], Signs] = {}
        #: Longer phrases: the words, how many of them precede the pair, and the signs.
        self._longer: list[tuple[list[str], int, Signs]] = []
        self._indexes: dict[str, int] = {}

    def add(self, keys: tuple[str, ...], sign: int) -> None:
        """Add a phrase, or a sign to one that is there."""
        if len(keys) == 2:
            self._pairs[keys] = merge_signs(self._pairs.get(keys, NO_MATCH), sign)
            return
        index = self._indexes.setdefault(" ".join(keys), len(self._longer))
        if index < len(self._longer):
            words, before, signs = self._longer[index]
            self._longer[index] = words, before, merge_signs(signs, sign)
            return
        before, pair = min(enumerate(pairwise(keys)), key=self._frequency)
        self._longer.append((list(keys), before, sign))
        self._pairs[pair] = merge_signs(self._pairs.get(pair, NO_MATCH), phrase(index))

    def _frequency(self, numbered_pair: tuple[int, tuple[str, str]]) -> tuple[int, int]:
        """How common a pair may be: the fewer phrases have it and the longer it is, the rarer."""
        pair = numbered_pair[1]
        signs = self._pairs.get(pair, NO_MATCH)
        return len(signs) if isinstance(signs, tuple) else signs != NO_MATCH, -sum(map(len, pair))

    def signs(self, keys: list[str]) -> set[Signs | None]:
        """The signs of the phrases among these words; also None, and signs that only this class uses."""
        if not self._pairs:
            return set()
        each = list(map(self._pairs.get, zip(keys, keys[1:], strict=False)))  # noqa: RUF007 - pairwise() is slower
        signs = set(each)
        if self._longer:
            signs.update(self._longer_signs(keys, each))
        return signs

    def _longer_signs(self, keys: list[str], each: list[Signs | None]) -> Iterator[Signs]:
        for index in compress(range(len(each)), each):  # drops slot 0, which is no phrase to compare with
            signs = each[index]
            for sign in (signs,) if isinstance(signs, int) else signs or ():
                if sign <= FIRST_PHRASE:
                    words, before, of_phrase = self._longer[phrase_index(sign)]
                    if before <= index and keys[index - before : index - before + len(words)] == words:
                        yield of_phrase


class LookupIndex:
    """Sequences that end in a prefix, or ignore accents: looked for in items that have one of their words."""

    def __init__(self) -> None:
        #: Sign of a lookup → whether accents are ignored, what to look for, and the signs if it is there.
        self._sequences: dict[int, tuple[bool, str, Signs]] = {}
        self._lookups: dict[tuple[bool, str], int] = {}

    def add(self, alternative: Alternative, sign: int) -> tuple[MatchKind, str, int] | None:
        """Add a sequence. Returns the word, its longest, that must get the sign of the lookup; None if one has it already."""
        sequence = alternative.kind is MatchKind.UNACCENTED, needle(alternative)
        known = self._lookups.get(sequence)
        if known is not None:
            self._sequences[known] = *sequence, merge_signs(self._sequences[known][2], sign)
            return None
        new = self._lookups[sequence] = lookup(len(self._sequences))
        self._sequences[new] = *sequence, sign
        whole_words = alternative.keys[:-1] if alternative.kind is MatchKind.PREFIX else alternative.keys
        return MatchKind.UNACCENTED if sequence[0] else MatchKind.PHRASE, max(whole_words, key=len), new

    def signs(self, from_words: Set[int], text: SearchableText) -> set[Signs]:
        """The signs of the sequences in a text whose words have the signs `from_words`."""
        sequences = [self._sequences[sign] for sign in from_words & self._sequences.keys()] if self._sequences else ()
        return {
            signs
            for unaccented, sought, signs in sequences
            if sought in (text.unaccented_haystack if unaccented else text.haystack)
        }


class FieldIndex:
    """What is sought in a field of few words, by its first word. Threads may read during an addition."""

    def __init__(self) -> None:
        self._by_first_word: dict[str, list[tuple[str, Signs]]] = defaultdict(list)
        self._prefixes: list[tuple[str, Signs]] = []

    def add(self, sought: str, sign: Signs) -> None:
        """Add a `needle`."""
        first, space, _ = sought[1:].partition(" ")
        (self._by_first_word[first] if space else self._prefixes).append((sought, sign))

    def signs(self, haystack: str, words: Set[str]) -> Iterator[Signs]:
        """The signs of what is in a haystack of these words."""
        for first in self._by_first_word.keys() & words:
            yield from (sign for sought, sign in self._by_first_word[first] if sought in haystack)
        yield from (sign for sought, sign in self._prefixes if sought in haystack)
