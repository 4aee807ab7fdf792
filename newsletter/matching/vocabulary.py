"""Signs of terms by words in, the signs of those that are in a text out."""

import threading
from collections.abc import Mapping
from functools import cached_property
from typing import TypeVar

from newsletter.matching.stems import Stems
from newsletter.matching.words import Words

#: As many words of texts are remembered for a language.
_MOST_WORDS = 131_072

#: Above all numbers of terms.
_FIRST_GROUP = 1 << 40

#: Signs of terms (`_signs`), numbers of terms, or ids of topics: mostly one, so without a tuple.
Numbers = int | tuple[int, ...]
K = TypeVar("K")


class Groups:
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


class BareWords:
    """Bare words, found by their stems; the stems in a language are made when the first text in it comes."""

    def __init__(self, words: list[tuple[str, Numbers]], groups: Groups, *, remember: bool) -> None:
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

    def __init__(self, words: list[tuple[str, Numbers]], stems: Stems, groups: Groups) -> None:
        self._stems = stems
        by_stem: dict[str, Numbers] = {}
        for (word, signs), stem in zip(words, stems.each([word for word, _ in words]), strict=True):
            add(by_stem, word if stem == word else stem, signs)
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


def add(to: dict[K, Numbers], key: K, more: Numbers) -> None:
    known = to.get(key)
    to[key] = more if known is None else both(known, more)


def both(one: Numbers, other: Numbers) -> Numbers:
    left = (one,) if isinstance(one, int) else one
    right = (other,) if isinstance(other, int) else other
    all_signs = tuple(dict.fromkeys((*left, *right)))
    return all_signs[0] if len(all_signs) == 1 else all_signs
