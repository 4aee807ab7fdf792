"""The single words that queries look for, and the signs of the words of a text: each distinct word is analysed once."""

import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from newsletter.matching.engine.searchable_text import SearchableText
from newsletter.matching.engine.signs import NO_MATCH, Signs, add_signs, merge_signs
from newsletter.matching.query.compiled import MatchKind
from newsletter.matching.text.scripts import without_accents
from newsletter.matching.text.stemming import Stems

#: Words of texts that are remembered for a language.
_MOST_WORDS = 131_072
_MOST_COMPOUNDS = 16_384
#: Words that are learned in one step.
_AT_ONCE = 1_000


class WordIndex:
    """Words, prefixes and words without accents, with their signs. Threads may read during an addition."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._signs: dict[MatchKind, dict[str, Signs]] = {kind: {} for kind in MatchKind}
        self._prefix_lengths: tuple[int, ...] = ()
        self._by_language: dict[int, _LanguageWords] = {}

    def add(self, words: Iterable[tuple[MatchKind, str, int]]) -> None:
        """Add words as they are typed, each with a sign."""
        with self._lock:
            words = list(words)
            for kind, key, sign in words:
                add_signs(self._signs[kind], key, sign)
            self._prefix_lengths = tuple({len(key) for key in self._signs[MatchKind.PREFIX]})
            for language_words in self._by_language.values():
                language_words.add(words)

    def learn(self, other: "WordIndex") -> None:
        """Learn the words of texts that another index knows. In steps, so that no thread waits long."""
        for language, theirs in list(other._by_language.items()):
            ours = self._new_language(theirs.stems)
            words = list(theirs.known)
            for start in range(0, len(words), _AT_ONCE):
                ours.learn(words[start : start + _AT_ONCE], self._uninflected_signs)
            with self._lock:
                self._by_language[language] = ours

    def signs(self, text: SearchableText) -> set[Signs]:
        """The signs of the words of a text."""
        words = self._by_language.get(id(text.stems))
        if words is None:
            with self._lock:
                words = self._by_language.get(id(text.stems)) or self._new_language(text.stems)
                self._by_language[id(text.stems)] = words
        signs = words.signs(text.keys)
        if None in signs:
            with self._lock:
                signs = words.learn(text.keys, self._uninflected_signs)
        if text.hyphenated:
            signs.update(self._compound_signs(words, text))
        signs.discard(NO_MATCH)
        return signs  # type: ignore[return-value]  # None is not in it

    def _new_language(self, stems: Stems) -> "_LanguageWords":
        return _LanguageWords(self._signs[MatchKind.WORD], self._signs[MatchKind.NAME], stems)

    def _compound_signs(self, words: "_LanguageWords", text: SearchableText) -> set[Signs | None]:
        """Only bare words match a hyphenated word that is read as one."""
        signs = words.compound_signs(text.compound_keys)
        if None in signs:
            with self._lock:
                signs = words.learn_compounds(text.compound_keys)
        return signs

    def _uninflected_signs(self, word: str) -> Signs:
        """The signs of a word of a text for queries that do not look for inflected forms."""
        signs = self._signs[MatchKind.PHRASE].get(word, NO_MATCH)
        for length in self._prefix_lengths:
            signs = merge_signs(signs, self._signs[MatchKind.PREFIX].get(word[:length], NO_MATCH))
        if self._signs[MatchKind.UNACCENTED]:
            signs = merge_signs(signs, self._signs[MatchKind.UNACCENTED].get(without_accents(word), NO_MATCH))
        return signs


class _LanguageWords:
    """Words of texts in one language that were seen before, with their signs."""

    def __init__(self, inflected: dict[str, Signs], names: dict[str, Signs], stems: Stems) -> None:
        """`inflected`, `names`: words that are looked for in all their forms, or in those of a name. `names` is kept and read
        again later.
        """
        self.stems = stems
        self._by_stem: dict[str, Signs] = {}
        self._name_signs = names
        #: Stem → names that have it.
        self._names: dict[str, tuple[str, ...]] = {}
        for word, stem in self._stemmed(inflected):
            add_signs(
                self._by_stem, word if stem == word else stem, inflected[word]
            )  # of two equal strings one is kept
        for name, stem in self._stemmed(names):
            self._names[stem] = (*self._names.get(stem, ()), name)
        #: Word of a text → its signs.
        self.known: dict[str, Signs] = {}
        #: Stem → words of texts that have it and are not it.
        self._forms: dict[str, list[str]] = {}
        #: Name → words of texts that would be it with an ending.
        self._rooted: dict[str, list[str]] = {}
        self._compounds: dict[str, Signs] = {}

    def signs(self, keys: list[str]) -> set[Signs | None]:
        """The signs of these words; None among them if some are not known."""
        return set(map(self.known.get, keys))

    def compound_signs(self, keys: list[str]) -> set[Signs | None]:
        """The same for compounds."""
        return set(map(self._compounds.get, keys))

    def learn(self, keys: list[str], uninflected: Callable[[str], Signs]) -> set[Signs | None]:
        """`signs`, after learning what is not known. `uninflected`: a word's signs besides those of its stem. Under the lock."""
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
            self.known[word] = merge_signs(self._inflected_signs(word, stem), uninflected(word))
        return self.signs(keys)

    def learn_compounds(self, keys: list[str]) -> set[Signs | None]:
        """`compound_signs`, after learning what is not known. Under the lock."""
        if len(self._compounds) > _MOST_COMPOUNDS:
            self._compounds.clear()
        for key, stem in zip(keys, self.stems.each(keys), strict=True):
            self._compounds[key] = self._inflected_signs(key, stem)
        return self.compound_signs(keys)

    def _stemmed(self, words: dict[str, Signs]) -> Iterator[tuple[str, str]]:
        remaining = iter(list(words))
        while keys := list(islice(remaining, _AT_ONCE)):
            yield from zip(keys, self.stems.each(keys), strict=True)

    def _inflected_signs(self, word: str, stem: str) -> Signs:
        """The signs of a word as a form of other words, and of names."""
        signs = self._by_stem.get(stem, NO_MATCH)
        roots = [root for root in self.stems.roots(word) if root in self._name_signs] if self._name_signs else []
        for name in {*self._names.get(stem, ()), *roots}:
            if self.stems.same_name(name, word):
                signs = merge_signs(signs, self._name_signs[name])
        return signs

    def add(self, words: list[tuple[MatchKind, str, int]]) -> None:
        """Give known words the signs of what was added to the index. Under the lock."""
        self._forget_matches_of(
            prefixes=tuple(key for kind, key, _ in words if kind is MatchKind.PREFIX),
            unaccented={key for kind, key, _ in words if kind is MatchKind.UNACCENTED},
        )
        for kind, key, sign in words:
            match kind:
                case MatchKind.PHRASE:
                    self._add_to_known(key, sign)
                case MatchKind.WORD:
                    self._add_word(key, sign)
                case MatchKind.NAME:
                    self._add_name(key, sign)

    def _forget_matches_of(self, *, prefixes: tuple[str, ...], unaccented: set[str]) -> None:
        """Forget the known words that these match, to learn them anew: such additions are rare."""
        if prefixes or unaccented:
            for word in [key for key in self.known if key.startswith(prefixes) or without_accents(key) in unaccented]:
                del self.known[word]

    def _add_word(self, key: str, sign: int) -> None:
        stem = self.stems[key]
        add_signs(self._by_stem, stem, sign)
        for word in self._with_stem(stem):
            self._add_to_known(word, sign)
        self._compounds.clear()

    def _add_name(self, name: str, sign: int) -> None:
        stem = self.stems[name]
        if name not in self._names.get(stem, ()):
            self._names[stem] = (*self._names.get(stem, ()), name)
        for word in self._with_stem(stem).union(self._rooted.get(name, ())):
            if self.stems.same_name(name, word):
                self._add_to_known(word, sign)
        self._compounds.clear()

    def _with_stem(self, stem: str) -> set[str]:
        """Known words with a stem. The stem may be no word of that stem itself."""
        return {word for word in (stem, *self._forms.get(stem, ())) if word != stem or self.stems[stem] == stem}

    def _add_to_known(self, word: str, sign: int) -> None:
        signs = self.known.get(word)
        if signs is not None:
            self.known[word] = merge_signs(signs, sign)
