"""Locates the terms of any query in one item, which is tokenized once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from heapq import merge
from itertools import islice

from newsletter.matching.engine.document import Document, Hit
from newsletter.matching.engine.searchable_text import SearchableText, WordRange
from newsletter.matching.query.compiled import Alias, Alternative, TermQuery

#: The most hits of a term that are given: the first ones.
MAX_HITS = 100


class ItemMatcher:
    """An item that any number of terms can be looked for in."""

    def __init__(self, item: Document) -> None:
        self._item = item
        self.body = SearchableText((("title", item.title), ("text", item.text)), item.lang)
        self._hits: dict[TermQuery, tuple[Hit, ...]] = {}
        self._contexts: dict[tuple[Alternative, ...], bool] = {}

    @cached_property
    def fields(self) -> dict[str, SearchableText]:
        """The other fields by name. Every value of a field is a text of its own."""
        item = self._item
        values = {
            "source": item.sources,
            "author": item.authors,
            "category": item.categories,
            "lang": (item.lang,),
            "feed": (item.feed, str(item.feed_id)),
        }
        return {
            name: SearchableText([(name, value) for value in texts], "") for name, texts in values.items() if any(texts)
        }

    def hits(self, term: TermQuery) -> tuple[Hit, ...]:
        """The first `MAX_HITS` places of a term, in order; empty if the item does not have it."""
        known = self._hits.get(term)
        if known is None:
            known = self._hits[term] = tuple(islice(self._find(term), MAX_HITS))
        return known

    def _find(self, term: TermQuery) -> Iterator[Hit]:
        text = self.body if term.field in ("", "title") else self.fields.get(term.field)
        if text is None:
            return
        seen: set[WordRange] = set()
        for words, alias in self._places(text, term):
            if words in seen:
                continue
            field, start, end = text.position(words)
            if term.field and field != term.field:
                return  # the title comes first
            seen.add(words)
            spelling, pack = (alias.spelling, alias.pack) if alias else (None, None)
            yield Hit(field, start, end, term.text, spelling, pack)

    def _places(self, text: SearchableText, term: TermQuery) -> Iterator[tuple[WordRange, Alias | None]]:
        """Where a term stands in a text, in order, and by which alias. A place can come twice."""
        if term.distance is not None:
            return ((words, None) for words in _find_near(text, term.alternatives, term.distance))
        usable = [each for each in term.alternatives if not each.context or self._has_context(each.context)]
        places = [_places_of(text, alternative) for alternative in usable]
        return places[0] if len(places) == 1 else merge(*places, key=lambda place: place[0])

    def aliases_out_of_context(self, term: TermQuery) -> tuple[Alias, ...]:
        """Aliases of a term that are in the item without the words they need beside them."""
        aliases = (
            alternative.alias
            for alternative in term.alternatives
            if alternative.alias
            and alternative.context
            and not self._has_context(alternative.context)
            and any(True for _ in self.body.find(alternative))
        )
        return tuple(dict.fromkeys(aliases))

    def _has_context(self, context: tuple[Alternative, ...]) -> bool:
        known = self._contexts.get(context)
        if known is None:
            known = self._contexts[context] = any(True for each in context for _ in self.body.find(each))
        return known


def _places_of(text: SearchableText, alternative: Alternative) -> Iterator[tuple[WordRange, Alias | None]]:
    return ((words, alternative.alias) for words in text.find(alternative))


def _find_near(text: SearchableText, parts: Sequence[Alternative], distance: int) -> Iterator[WordRange]:
    """The places of all parts that stand near each other: in one paragraph, with at most `distance` other words among them."""
    by_paragraph: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for part, alternative in enumerate(parts):
        for first, last in text.find(alternative):
            by_paragraph[text.paragraph(first)].append((first, last, part))
    length = distance + sum(len(alternative.keys) for alternative in parts)
    for paragraph in sorted(by_paragraph):
        yield from _in_windows(sorted(by_paragraph[paragraph]), len(parts), length)


def _in_windows(places: Sequence[tuple[int, int, int]], parts: int, length: int) -> Iterator[WordRange]:
    """Those of these places (first word, last word, part) that stand in a window of `length` words which has every part."""
    starts = []  # of such windows, from the last to the first
    next_last: dict[int, int] = {}  # the last word of the next place of each part
    for first, last, part in reversed(places):
        next_last[part] = last
        if len(next_last) == parts and max(next_last.values()) < first + length:
            starts.append(first)
    end = 0  # of the last window that starts at or before a place
    for first, last, _ in places:
        while starts and starts[-1] <= first:
            end = starts.pop() + length
        if last < end:
            yield first, last
