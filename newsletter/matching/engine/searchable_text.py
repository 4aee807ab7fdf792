"""Texts of an item, tokenized, in which sequences of words can be looked for."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from heapq import merge
from itertools import accumulate

from newsletter.matching.query.compiled import Alternative, MatchKind
from newsletter.matching.text import stemming
from newsletter.matching.text.scripts import spelling, without_accents
from newsletter.matching.text.symbols import has_symbols
from newsletter.matching.text.tokenize import BREAK, TokenizedText

#: Indexes of the first and the last word.
WordRange = tuple[int, int]


class SearchableText:
    """One or more texts, tokenized and joined. No sequence of words reaches from one text into the next."""

    def __init__(self, texts: Sequence[tuple[str, str]], lang: str) -> None:
        """`texts`: (field, text) pairs."""
        self._texts = [(field, TokenizedText(text)) for field, text in texts]
        self.stems = stemming.stems_for(lang)
        self.keys: list[str] = []
        #: For each text, the index of its first word.
        self._first: list[int] = []
        for _, text in self._texts:
            if self._first:
                self.keys.append(BREAK)
            self._first.append(len(self.keys))
            self.keys += text.keys

    @cached_property
    def haystack(self) -> str:
        """Every word between two spaces, so that a sequence of words is found as ` a b `."""
        return f" {' '.join(self.keys)} "

    @property
    def hyphenated(self) -> bool:
        """Whether there may be compounds."""
        return any(text.hyphenated for _, text in self._texts)

    @property
    def compound_keys(self) -> list[str]:
        """The words with hyphens, each read as one word."""
        return [key for key, _ in self._compounds]

    @cached_property
    def _forms(self) -> dict[str, set[str]]:
        """Stem → the words that have it."""
        forms: dict[str, set[str]] = defaultdict(set)
        keys = list({*self.keys, *self.compound_keys})
        for key, stem in zip(keys, self.stems.each(keys), strict=True):
            forms[stem].add(key)
        return forms

    def _forms_of_name(self, name: str) -> set[str]:
        forms = self._forms.get(self.stems[name], set()) | self._rooted.get(name, set())
        return {form for form in forms if self.stems.same_name(name, form)}

    @cached_property
    def _rooted(self) -> dict[str, set[str]]:
        """Root → the words that have it."""
        words: dict[str, set[str]] = defaultdict(set)
        for key in {*self.keys, *self.compound_keys} - {BREAK}:
            for root in self.stems.roots(key):
                words[root].add(key)
        return words

    @cached_property
    def words(self) -> frozenset[str]:
        """The distinct words."""
        return frozenset(self.keys)

    @cached_property
    def unaccented_words(self) -> frozenset[str]:
        """The words without accents, once."""
        return frozenset(self.unaccented_haystack.split(" "))

    @cached_property
    def unaccented_haystack(self) -> str:
        """The haystack without accents."""
        return self.haystack if self.haystack.isascii() else f" {' '.join(map(without_accents, self.keys))} "

    @cached_property
    def _compounds(self) -> list[tuple[str, WordRange]]:
        return [
            (compound.key, (first + compound.first, first + compound.last))
            for first, (_, text) in zip(self._first, self._texts, strict=True)
            if text.hyphenated
            for compound in text.compounds
        ]

    @cached_property
    def _starts(self) -> list[int]:
        return _starts(self.haystack)

    @cached_property
    def _unaccented_starts(self) -> list[int]:
        return _starts(self.unaccented_haystack)

    def find(self, alternative: Alternative) -> Iterator[WordRange]:
        """Where the words of an alternative stand, in order, with its capitals, symbols and spelling; its context is ignored."""
        for first, last in self._find_keys(alternative):
            if alternative.capitals and not self._in_capitals(first, alternative.capitals):
                continue
            if alternative.symbols and not self._has_symbols(first, last, alternative.symbols):
                continue
            if alternative.spelling and alternative.spelling != tuple(map(self._spelling, range(first, last + 1))):
                continue
            yield first, last

    def _find_keys(self, alternative: Alternative) -> Iterable[WordRange]:
        keys = alternative.keys
        match alternative.kind:
            case MatchKind.WORD:
                return self._find_forms(self._forms.get(self.stems[keys[0]], ()))
            case MatchKind.NAME:
                return self._find_forms(self._forms_of_name(keys[0]))
            case MatchKind.PHRASE:
                return self._find_phrase(list(keys))
            case MatchKind.PREFIX:
                return _find_needle(self.haystack, needle(alternative), self._starts, len(keys))
            case MatchKind.UNACCENTED:
                return _find_needle(self.unaccented_haystack, needle(alternative), self._unaccented_starts, len(keys))

    @cached_property
    def _indexes(self) -> dict[str, list[int]]:
        """Where each word stands."""
        indexes: dict[str, list[int]] = defaultdict(list)
        for index, key in enumerate(self.keys):
            indexes[key].append(index)
        return indexes

    def _find_phrase(self, keys: list[str]) -> Iterator[WordRange]:
        """Compare where the rarest of its words stands, so that a long text is not scanned for every term."""
        indexes = [self._indexes.get(key, []) for key in keys]
        rarest = min(range(len(keys)), key=lambda position: len(indexes[position]))
        for index in indexes[rarest]:
            first = index - rarest
            if first >= 0 and self.keys[first : first + len(keys)] == keys:
                yield first, first + len(keys) - 1

    def _find_forms(self, forms: Collection[str]) -> Iterable[WordRange]:
        words = [self._find_phrase([form]) for form in forms]
        compounds = [place for key, place in self._compounds if key in forms]
        return words[0] if len(words) == 1 and not compounds else merge(*words, compounds)

    def capitals(self, longest: int) -> set[tuple[str, int]]:
        """Words of at most `longest` letters that stand in capitals somewhere, and how many letters are capitals."""
        capitals = set()
        for first, (_, text) in zip(self._first, self._texts, strict=True):
            for index, key in enumerate(text.keys):
                if len(key) > longest or key == BREAK or "a" <= text.shown[text.place(index)[0]] <= "z":
                    continue
                for letters in (len(key), len(key) - 1) if key[-1] == "s" else (len(key),):
                    if self._in_capitals(first + index, letters):
                        capitals.add((key, letters))
        return capitals

    def _in_capitals(self, index: int, letters: int) -> bool:
        shown = self._spelling(index)
        return shown[:letters].isupper() and shown[letters:] in ("", "s")

    def _has_symbols(self, first: int, last: int, symbols: tuple[str, ...]) -> bool:
        _, text, offset = self._text_at(first)
        return has_symbols(text.around(first - offset, last - offset), symbols)

    def _spelling(self, index: int) -> str:
        _, text, offset = self._text_at(index)
        start, end = text.place(index - offset)
        return spelling(text.shown[start:end])

    def _text_at(self, index: int) -> tuple[str, TokenizedText, int]:
        """The field and the text in which a word stands, and the index of that text's first word."""
        number = bisect_right(self._first, index) - 1
        return *self._texts[number], self._first[number]

    def paragraph(self, index: int) -> int:
        """The number of the paragraph in which a word stands, counted over all texts."""
        return bisect_right(self._breaks, index)

    @cached_property
    def _breaks(self) -> list[int]:
        return [index for index, key in enumerate(self.keys) if key == BREAK]

    def position(self, words: WordRange) -> tuple[str, int, int]:
        """Field, start and end of words in the text as shown."""
        field, text, offset = self._text_at(words[0])
        return field, text.place(words[0] - offset)[0], text.place(words[1] - offset)[1]


def needle(alternative: Alternative) -> str:
    """What to look for in a haystack."""
    words = " ".join(alternative.keys)
    return f" {words}" if alternative.kind is MatchKind.PREFIX else f" {words} "


def _starts(haystack: str) -> list[int]:
    """For each word, the offset of the space before it."""
    return list(accumulate((len(key) + 1 for key in haystack[1:-1].split(" ")), initial=0))


def _find_needle(haystack: str, sought: str, starts: list[int], length: int) -> Iterator[WordRange]:
    offset = haystack.find(sought)
    while offset >= 0:
        first = bisect_right(starts, offset) - 1
        yield first, first + length - 1
        offset = haystack.find(sought, offset + 1)
