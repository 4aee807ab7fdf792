"""Texts in, where words stand in them out: each term is looked for in a row of all their words."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from heapq import merge
from itertools import accumulate

from newsletter.matching.query.compiled import Alternative, MatchKind
from newsletter.matching.text import stemming
from newsletter.matching.text.scripts import spelling, without_accents
from newsletter.matching.text.signs import has_signs
from newsletter.matching.text.tokenize import BREAK, TokenizedText

#: Numbers of the first and the last word.
WordRange = tuple[int, int]


class SearchableText:
    """Texts in a row, cut into words, that can be asked where something stands. No row of words reaches from one text
    into the next."""

    def __init__(self, texts: Sequence[tuple[str, str]], lang: str) -> None:
        """`texts`: (field, text) pairs."""
        self._texts = [(name, TokenizedText(text)) for name, text in texts]
        self.stems = stemming.stems_for(lang)
        self.keys: list[str] = []
        self._first: list[int] = []
        for _, reading in self._texts:
            if self._first:
                self.keys.append(BREAK)
            self._first.append(len(self.keys))
            self.keys += reading.keys

    @cached_property
    def haystack(self) -> str:
        """Every word between two spaces, so that a row of words is found as ` a b `."""
        return f" {' '.join(self.keys)} "

    @property
    def hyphenated(self) -> bool:
        """Whether there may be compounds."""
        return any(reading.hyphenated for _, reading in self._texts)

    @property
    def compound_keys(self) -> list[str]:
        """The words with hyphens, when read as one."""
        return [key for key, _ in self._compounds]

    @cached_property
    def _forms(self) -> dict[str, set[str]]:
        """Stem → the words that have it."""
        made: dict[str, set[str]] = defaultdict(set)
        keys = list({*self.keys, *self.compound_keys})
        for key, stem in zip(keys, self.stems.each(keys), strict=True):
            made[stem].add(key)
        return made

    def _forms_of_name(self, name: str) -> set[str]:
        found = self._forms.get(self.stems[name], set()) | self._rooted.get(name, set())
        return {form for form in found if self.stems.same_name(name, form)}

    @cached_property
    def _rooted(self) -> dict[str, set[str]]:
        """Root → the words that have it."""
        made: dict[str, set[str]] = defaultdict(set)
        for key in {*self.keys, *self.compound_keys} - {BREAK}:
            for root in self.stems.roots(key):
                made[root].add(key)
        return made

    @cached_property
    def words(self) -> frozenset[str]:
        """The words, once."""
        return frozenset(self.keys)

    @cached_property
    def bare_words(self) -> frozenset[str]:
        """The words without accents, once."""
        return frozenset(self.bare_haystack.split(" "))

    @cached_property
    def bare_haystack(self) -> str:
        """The haystack without accents."""
        return self.haystack if self.haystack.isascii() else f" {' '.join(map(without_accents, self.keys))} "

    @cached_property
    def _compounds(self) -> list[tuple[str, WordRange]]:
        return [
            (one.key, (first + one.first, first + one.last))
            for first, (_, reading) in zip(self._first, self._texts, strict=True)
            if reading.hyphenated
            for one in reading.compounds
        ]

    @cached_property
    def _starts(self) -> list[int]:
        return _starts(self.haystack)

    @cached_property
    def _bare_starts(self) -> list[int]:
        return _starts(self.bare_haystack)

    def ranges(self, way: Alternative) -> Iterator[WordRange]:
        """Where a way's words stand, in order, its checks passed; its context is not looked at."""
        for first, last in self._unchecked(way):
            if way.capitals and not self._capitals(first, way.capitals):
                continue
            if way.signs and not self._signed(first, last, way.signs):
                continue
            if way.spelled and way.spelled != tuple(map(self._spelling, range(first, last + 1))):
                continue
            yield first, last

    def _unchecked(self, way: Alternative) -> Iterable[WordRange]:
        match way.kind:
            case MatchKind.WORD:
                return self._inflected(self._forms.get(self.stems[way.keys[0]], ()))
            case MatchKind.NAME:
                return self._inflected(self._forms_of_name(way.keys[0]))
            case MatchKind.ROW:
                return self._row(list(way.keys))
            case MatchKind.START:
                return _rows(self.haystack, needle(way), self._starts, len(way.keys))
            case MatchKind.BARE:
                return _rows(self.bare_haystack, needle(way), self._bare_starts, len(way.keys))

    @cached_property
    def _numbers(self) -> dict[str, list[int]]:
        """Where each word stands."""
        made: dict[str, list[int]] = defaultdict(list)
        for number, key in enumerate(self.keys):
            made[key].append(number)
        return made

    def _row(self, keys: list[str]) -> Iterator[WordRange]:
        """Looked for where the rarest of its words stands: a long text is not read again for every term."""
        places = [self._numbers.get(key, []) for key in keys]
        rarest = min(range(len(keys)), key=lambda at: len(places[at]))
        for number in places[rarest]:
            first = number - rarest
            if first >= 0 and self.keys[first : first + len(keys)] == keys:
                yield first, first + len(keys) - 1

    def _inflected(self, forms: Collection[str]) -> Iterable[WordRange]:
        whole = [self._row([form]) for form in forms]
        parts = [place for key, place in self._compounds if key in forms]
        return whole[0] if len(whole) == 1 and not parts else merge(*whole, parts)

    def capitals(self, longest: int) -> set[tuple[str, int]]:
        """Words of at most so many letters that stand in capitals somewhere, with how many letters these are."""
        found = set()
        for first, (_, reading) in zip(self._first, self._texts, strict=True):
            for number, key in enumerate(reading.keys):
                if len(key) > longest or key == BREAK or "a" <= reading.shown[reading.place(number)[0]] <= "z":
                    continue
                for letters in (len(key), len(key) - 1) if key[-1] == "s" else (len(key),):
                    if self._capitals(first + number, letters):
                        found.add((key, letters))
        return found

    def _capitals(self, number: int, letters: int) -> bool:
        shown = self._spelling(number)
        return shown[:letters].isupper() and shown[letters:] in ("", "s")

    def _signed(self, first: int, last: int, signs: tuple[str, ...]) -> bool:
        at = bisect_right(self._first, first) - 1
        return has_signs(self._texts[at][1].around(first - self._first[at], last - self._first[at]), signs)

    def _spelling(self, number: int) -> str:
        return spelling(self._shown(number))

    def _shown(self, number: int) -> str:
        at = bisect_right(self._first, number) - 1
        reading = self._texts[at][1]
        start, end = reading.place(number - self._first[at])
        return reading.shown[start:end]

    def paragraph(self, number: int) -> int:
        """The number of the paragraph in which a word stands, over all texts."""
        return bisect_right(self._breaks, number)

    @cached_property
    def _breaks(self) -> list[int]:
        return [number for number, key in enumerate(self.keys) if key == BREAK]

    def place(self, one: WordRange) -> tuple[str, int, int]:
        """Field, start and end, as shown."""
        at = bisect_right(self._first, one[0]) - 1
        name, reading = self._texts[at]
        first = self._first[at]
        return name, reading.place(one[0] - first)[0], reading.place(one[1] - first)[1]


def needle(way: Alternative) -> str:
    """What to look for in a haystack."""
    return f" {' '.join(way.keys)}" if way.kind is MatchKind.START else f" {' '.join(way.keys)} "


def _starts(haystack: str) -> list[int]:
    """For each word, where the space before it stands."""
    return list(accumulate((len(key) + 1 for key in haystack[1:-1].split(" ")), initial=0))


def _rows(haystack: str, wanted: str, starts: list[int], length: int) -> Iterator[WordRange]:
    at = haystack.find(wanted)
    while at >= 0:
        first = bisect_right(starts, at) - 1
        yield first, first + length - 1
        at = haystack.find(wanted, at + 1)
