"""An item in, read once for all queries; the places of what is sought in it out."""

from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from heapq import merge
from itertools import islice

from newsletter.matching.engine.document import Document, Hit
from newsletter.matching.engine.tokenized_item import SearchableText, WordRange
from newsletter.matching.query.compiled import Alias, Alternative, TermQuery

#: Where a term stands more often, the first so many places are told.
MAX_HITS = 100
#: More words than any stretch is long.
_APART = 1000


class ItemMatcher:
    """An item, read once, for all queries."""

    def __init__(self, item: Document) -> None:
        self._item = item
        self.body = SearchableText((("title", item.title), ("text", item.text)), item.lang)
        self._hits: dict[TermQuery, tuple[Hit, ...]] = {}
        self._contexts: dict[tuple[Alternative, ...], bool] = {}

    @cached_property
    def fields(self) -> dict[str, SearchableText]:
        """The other fields by name: every value of a field is a text of its own."""
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

    def hits(self, sought: TermQuery) -> tuple[Hit, ...]:
        """Where a term stands, in order, the first `MOST_PLACES` places; empty when it is not met."""
        known = self._hits.get(sought)
        if known is None:
            known = self._hits[sought] = tuple(islice(self._found(sought), MAX_HITS))
        return known

    def _found(self, sought: TermQuery) -> Iterator[Hit]:
        words = self.body if sought.within in ("", "title") else self.fields.get(sought.within)
        if words is None:
            return
        if sought.distance is not None:
            found: Iterator[tuple[WordRange, Alias | None]] = ((one, None) for one in _near(words, sought))
        else:
            met = [way for way in sought.ways if not way.context or self._in_context(way.context)]
            each = [_tagged(words, way) for way in met]
            found = each[0] if len(each) == 1 else merge(*each, key=lambda one: one[0])
        seen: set[WordRange] = set()
        for one, alias in found:
            if one in seen:
                continue
            name, start, end = words.place(one)
            if sought.within and name != sought.within:
                return  # the title comes first
            seen.add(one)
            fired, pack = (alias.spelling, alias.pack) if alias else (None, None)
            yield Hit(name, start, end, sought.written, fired, pack)

    def out_of_context(self, sought: TermQuery) -> tuple[Alias, ...]:
        """Aliases of a term that are in the item without the words they need beside them."""
        lonely = (
            way.alias
            for way in sought.ways
            if way.alias
            and way.context
            and not self._in_context(way.context)
            and any(True for _ in self.body.ranges(way))
        )
        return tuple(dict.fromkeys(lonely))

    def _in_context(self, context: tuple[Alternative, ...]) -> bool:
        known = self._contexts.get(context)
        if known is None:
            known = self._contexts[context] = any(True for way in context for _ in self.body.ranges(way))
        return known


def _tagged(words: SearchableText, way: Alternative) -> Iterator[tuple[WordRange, Alias | None]]:
    return ((one, way.alias) for one in words.ranges(way))


def _near(words: SearchableText, sought: TermQuery) -> Iterator[WordRange]:
    """Every place of a part that stands in some stretch with all the others, in order."""
    assert sought.distance is not None  # noqa: S101 - narrows the type: only such terms come here
    stretch = sought.distance + sum(len(way.keys) for way in sought.ways)
    places = sorted((*one, part) for part, way in enumerate(sought.ways) for one in words.ranges(way))
    # no stretch reaches into another paragraph: they are moved apart
    spread = [
        (words.paragraph(first) * _APART + first, words.paragraph(first) * _APART + last) for first, last, _ in places
    ]
    by_end = sorted(range(len(places)), key=lambda one: spread[one][1])
    held = [0] * len(sought.ways)
    added = 0
    waiting: dict[int, None] = {}
    for low, (start, _) in enumerate(spread):
        while added < len(places) and spread[by_end[added]][1] < start + stretch:
            held[places[by_end[added]][2]] += by_end[added] >= low
            added += 1
        if all(held):
            inside = range(low, bisect_left(spread, (start + stretch, 0)))
            waiting.update(dict.fromkeys(one for one in inside if spread[one][1] < start + stretch))
        if low in waiting:
            yield places[low][:2]
        held[places[low][2]] -= spread[low][1] < start + stretch
