"""The single words that queries look for in, what the words of a text say to them out: each word is thought about once."""

import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from newsletter.matching.engine.tokenized_item import SearchableText
from newsletter.matching.query.compiled import MatchKind
from newsletter.matching.text.scripts import without_accents
from newsletter.matching.text.stemming import Stems

#: What finding a word or a needle says, as numbers whose meaning `inverted_index.py` gives; mostly one, so without a tuple.
Signs = int | tuple[int, ...]
#: Says that a word is nothing to any query.
NO_MATCH = -1

#: As many words of texts are remembered for a language.
_MOST_WORDS = 131_072
_MOST_COMPOUNDS = 16_384
#: As many words are learned in one step.
_AT_ONCE = 1_000


class WordIndex:
    """Words, beginnings of words and words without accents, with their signs. Threads may read while one adds."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._wanted: dict[MatchKind, dict[str, Signs]] = {kind: {} for kind in MatchKind}
        self._beginnings: tuple[int, ...] = ()
        self._by_language: dict[int, _LanguageWords] = {}

    def add(self, wanted: Iterable[tuple[MatchKind, str, int]]) -> None:
        """Words, as they are typed, with what finding them says from now on too."""
        with self._lock:
            wanted = list(wanted)
            for kind, key, sign in wanted:
                add_signs(self._wanted[kind], key, sign)
            self._beginnings = tuple({len(key) for key in self._wanted[MatchKind.START]})
            for vocabulary in self._by_language.values():
                vocabulary.add(wanted)

    def learn(self, other: "WordIndex") -> None:
        """Know the words of texts that another knows. In steps, so that no thread waits long."""
        for language, theirs in list(other._by_language.items()):
            known = _LanguageWords(self._wanted[MatchKind.WORD], self._wanted[MatchKind.NAME], theirs.stems)
            words = list(theirs.known)
            for start in range(0, len(words), _AT_ONCE):
                known.learned(words[start : start + _AT_ONCE], self._other)
            with self._lock:
                self._by_language[language] = known

    def said(self, body: SearchableText) -> set[Signs]:
        """What the words of a text say, all together."""
        known = self._by_language.get(id(body.stems))
        if known is None:
            with self._lock:
                known = self._by_language.get(id(body.stems)) or _LanguageWords(
                    self._wanted[MatchKind.WORD], self._wanted[MatchKind.NAME], body.stems
                )
                self._by_language[id(body.stems)] = known
        said = known.said(body.keys)
        if None in said:
            with self._lock:
                said = known.learned(body.keys, self._other)
        if body.hyphenated:
            said.update(self._said_by_compounds(known, body))
        said.discard(NO_MATCH)
        return said  # type: ignore[return-value]  # None is not in it

    def _said_by_compounds(self, known: "_LanguageWords", body: SearchableText) -> set[Signs | None]:
        """Words with hyphens, when read as one, are met by bare words only."""
        said = known.said_by_compounds(body.compound_keys)
        if None in said:
            with self._lock:
                said = known.learned_compounds(body.compound_keys)
        return said

    def _other(self, word: str) -> Signs:
        """What a word says to whoever does not look for its inflected forms."""
        signs = self._wanted[MatchKind.ROW].get(word, NO_MATCH)
        for length in self._beginnings:
            signs = merge_signs(signs, self._wanted[MatchKind.START].get(word[:length], NO_MATCH))
        if self._wanted[MatchKind.BARE]:
            signs = merge_signs(signs, self._wanted[MatchKind.BARE].get(without_accents(word), NO_MATCH))
        return signs


class _LanguageWords:
    """Words of texts in one language that were met before, and what each says."""

    def __init__(self, inflected: dict[str, Signs], names: dict[str, Signs], stems: Stems) -> None:
        """`inflected`, `names`: words that are looked for in all their forms, or in those of a name, and what that says. The
        second goes on to be read."""
        self.stems = stems
        self._by_stem: dict[str, Signs] = {}
        self._wanted_names = names
        #: Stem → names that have it.
        self._names: dict[str, tuple[str, ...]] = {}
        for word, stem in self._stemmed(inflected):
            add_signs(self._by_stem, word if stem == word else stem, inflected[word])
        for name, stem in self._stemmed(names):
            self._names[stem] = (*self._names.get(stem, ()), name)
        #: Word of a text → what it says.
        self.known: dict[str, Signs] = {}
        #: Stem → words of texts that have it and are not it.
        self._forms: dict[str, list[str]] = {}
        #: Name → words of texts that would be it with an ending.
        self._rooted: dict[str, list[str]] = {}
        self._compounds: dict[str, Signs] = {}

    def said(self, keys: list[str]) -> set[Signs | None]:
        """What these words say; None among it: some are not known."""
        return set(map(self.known.get, keys))

    def said_by_compounds(self, keys: list[str]) -> set[Signs | None]:
        return set(map(self._compounds.get, keys))

    def learned(self, keys: list[str], other: Callable[[str], Signs]) -> set[Signs | None]:
        """The same, once all are known. `other`: what a word says besides its stem. Under the lock."""
        if len(self.known) > _MOST_WORDS:
            self.known.clear()
            self._forms.clear()
            self._rooted.clear()
        new = list(dict.fromkeys(key for key in keys if key not in self.known))
        for word, stem in zip(new, self.stems.each(new), strict=True):
            if stem != word:
                self._forms.setdefault(stem, []).append(word)
            for root in self.stems.roots(word):
                self._rooted.setdefault(root, []).append(word)
            self.known[word] = merge_signs(self._inflected(word, stem), other(word))
        return self.said(keys)

    def _stemmed(self, words: dict[str, Signs]) -> Iterator[tuple[str, str]]:
        some = iter(list(words))
        while keys := list(islice(some, _AT_ONCE)):
            yield from zip(keys, self.stems.each(keys), strict=True)

    def _inflected(self, word: str, stem: str) -> Signs:
        """What a word says as a form of others, and of names."""
        signs = self._by_stem.get(stem, NO_MATCH)
        roots = [root for root in self.stems.roots(word) if root in self._wanted_names] if self._wanted_names else []
        for name in {*self._names.get(stem, ()), *roots}:
            if self.stems.same_name(name, word):
                signs = merge_signs(signs, self._wanted_names[name])
        return signs

    def learned_compounds(self, keys: list[str]) -> set[Signs | None]:
        """The same of compounds. Under the lock."""
        if len(self._compounds) > _MOST_COMPOUNDS:
            self._compounds.clear()
        for key, stem in zip(keys, self.stems.each(keys), strict=True):
            self._compounds[key] = self._inflected(key, stem)
        return self.said_by_compounds(keys)

    def add(self, wanted: list[tuple[MatchKind, str, int]]) -> None:
        """Let known words say what was added to them. Under the lock."""
        begins = tuple(key for kind, key, _ in wanted if kind is MatchKind.START)
        bare = {key for kind, key, _ in wanted if kind is MatchKind.BARE}
        if begins or bare:  # rare: such words are thought about anew
            for word in [one for one in self.known if one.startswith(begins) or without_accents(one) in bare]:
                del self.known[word]
        for kind, key, sign in wanted:
            if kind is MatchKind.ROW:
                self._more(key, sign)
            elif kind in (MatchKind.WORD, MatchKind.NAME):
                self._add_inflected(kind, key, sign)

    def _add_inflected(self, kind: MatchKind, key: str, sign: int) -> None:
        stem = self.stems[key]
        if kind is MatchKind.WORD:
            add_signs(self._by_stem, stem, sign)
        elif key not in self._names.get(stem, ()):
            self._names[stem] = (*self._names.get(stem, ()), key)
        words = {word for word in (stem, *self._forms.get(stem, ())) if word != stem or self.stems[stem] == stem}
        if kind is MatchKind.NAME:
            words = {word for word in words.union(self._rooted.get(key, ())) if self.stems.same_name(key, word)}
        for word in words:
            self._more(word, sign)
        self._compounds.clear()

    def _more(self, word: str, sign: int) -> None:
        known = self.known.get(word)
        if known is not None:
            self.known[word] = merge_signs(known, sign)


def add_signs(to: dict[str, Signs], key: str, more: Signs) -> None:
    """Put signs to those of a key."""
    to[key] = merge_signs(to.get(key, NO_MATCH), more)


def merge_signs(one: Signs, other: Signs) -> Signs:
    """All signs of two, each once."""
    if one in (NO_MATCH, other):
        return other
    if other == NO_MATCH:
        return one
    left = (one,) if isinstance(one, int) else one
    right = (other,) if isinstance(other, int) else other
    return tuple(dict.fromkeys((*left, *right)))
