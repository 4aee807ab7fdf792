"""List stored items, newest first, and search all of them by words within a limit of time.

The index of the newest items decides nearly all of those without reading them; older ones are read and matched. When time runs
out, the list ends there and says so, and the next page goes on from there.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.items.excerpt import Line, excerpt, marked
from newsletter.matching.items.item_filter import ItemFilter, WrongQuery, filtered, query_of
from newsletter.matching.live_index.item_index import MOST_DAYS, UNREAD, ItemIndex, ProcessorClock, slot_of
from newsletter.matching.live_index.stored_items import LoadedItem, current_versions, load_items
from newsletter.matching.query.compiled import CompiledQuery
from newsletter.models import Match, Topic

#: The approximate processor time of one search, in seconds.
SEARCH_SECONDS = 0.4
#: Items of a page.
SIZE = 25
_AT_ONCE, _IDS = 16, 1_000


@dataclass(frozen=True)
class ListedItem:
    """An item of a list. `topics`: the names of the topics that it matched."""

    item_id: int
    title: Line = field(repr=False)
    excerpt: Line = field(repr=False)
    feed_id: int
    feed: str
    publishers: tuple[str, ...]
    published_at: datetime
    topics: tuple[str, ...]
    lang: str


@dataclass(frozen=True)
class ItemList:
    """A page of items. `after`: the id to ask with for the next one; None: this is the last.

    `searched_to`: time ran out, and only items as new as this were looked at; None: it is complete.
    """

    rows: tuple[ListedItem, ...]
    after: int | None
    searched_to: datetime | None = None


@dataclass(frozen=True)
class _Found:
    ids: list[int]
    after: int | None = None
    #: The last item that was looked at when time ran out.
    stopped_at: int | None = None


def list_items(
    chosen: ItemFilter,
    *,
    index: ItemIndex,
    now: datetime,
    after: int | None = None,
    size: int = SIZE,
    seconds: float = SEARCH_SECONDS,
) -> ItemList | WrongQuery:
    """A page of the items that a filter lets through, of those with an id below `after`."""
    query = query_of(chosen.words)
    if isinstance(query, WrongQuery):
        return query
    if query is None:
        ids = list(filtered(chosen).filter(id__lt=after or _ALL).values_list("id", flat=True)[: size + 1])
        found = _Found(ids[:size], ids[size - 1] if len(ids) > size else None)
        rows = load_items(current_versions().defer("html").filter(item_id__in=found.ids))
        return ItemList(_rows(list(rows), None), found.after)
    search = _Search(query, index, now, seconds)
    found = search.find(chosen, after or _ALL, size)
    loaded = load_items(current_versions().defer("html").filter(item_id__in=found.ids))
    searched_to = _seen_at(found.stopped_at) if found.stopped_at is not None else None
    return ItemList(_rows(list(loaded), search.matcher), found.after, searched_to)


_ALL = 2**62


class _Search:
    """One search by words."""

    def __init__(self, query: CompiledQuery, index: ItemIndex, now: datetime, seconds: float) -> None:
        self.matcher = QueryIndex({0: query})
        self._clock = ProcessorClock(seconds) if seconds != inf else None
        self._decided = _decide(query, index, now)

    def find(self, chosen: ItemFilter, after: int, size: int) -> _Found:
        """Walk through the items, newest first, until a page is full or time is over."""
        found: list[int] = []
        while ids := list(filtered(chosen).filter(id__lt=after).values_list("id", flat=True)[:_IDS]):
            for start in range(0, len(ids), _AT_ONCE):
                some = ids[start : start + _AT_ONCE]
                found += self._matching(some)
                if len(found) > size:
                    return _Found(found[:size], found[size - 1])
                after = some[-1]
                if self._clock is not None and self._clock.over:
                    more = filtered(chosen).filter(id__lt=after).exists()
                    return _Found(found, after if more else None, after if more else None)
        return _Found(found)

    def _matching(self, ids: Sequence[int]) -> list[int]:
        """Those of these items that the query matches; undecided ones are read."""
        unknown = [item_id for item_id in ids if item_id not in self._decided]
        if unknown:
            for loaded in load_items(current_versions().defer("html").filter(item_id__in=unknown)):
                self._decided[loaded.item.id] = bool(self.matcher.matching_topics(loaded.document))
        return [item_id for item_id in ids if self._decided.get(item_id)]


def _decide(query: CompiledQuery, index: ItemIndex, now: datetime) -> dict[int, bool]:
    """What the index of the newest items knows: item id → whether the query matches it. Others must be read."""
    newest = index.newest(now=now, days=MOST_DAYS)
    if not index.catch_up(newest):
        index.catch_up_in_background(now=now)
    parts, decided = index.parts, dict[int, bool]()
    for number, wanted in newest.by_block.items():
        part = parts.get(number, UNREAD)
        current = [item_id for item_id, state in wanted.items() if part.states.get(item_id) == state]
        certain, possible = part.block.decide(query, part.block.slots.intersection(map(slot_of, current)))
        for item_id in current:
            if slot_of(item_id) in certain or slot_of(item_id) not in possible:
                decided[item_id] = slot_of(item_id) in certain
    return decided


def _seen_at(item_id: int) -> datetime | None:
    return current_versions().filter(item_id=item_id).values_list("item__entry__published_at", flat=True).first()


def _rows(loaded: Collection[LoadedItem], matcher: QueryIndex | None) -> tuple[ListedItem, ...]:
    topics = _topics([each.item.id for each in loaded])
    newest_first = sorted(loaded, key=lambda each: -each.item.id)
    return tuple(_row(each, matcher, topics[each.item.id]) for each in newest_first)


def _row(loaded: LoadedItem, matcher: QueryIndex | None, topics: Sequence[str]) -> ListedItem:
    entry = loaded.item.entry
    matches = matcher.matching_queries(loaded.document) if matcher is not None else []
    hits = [hit for match in matches for hit in match.hits]
    return ListedItem(
        item_id=loaded.item.id,
        title=marked(loaded.version.title, (hit for hit in hits if hit.field == "title")),
        excerpt=excerpt(loaded.version.text, (hit for hit in hits if hit.field == "text")),
        feed_id=entry.feed_id,
        feed=entry.feed.title or entry.feed.url,
        publishers=tuple(dict.fromkeys(loaded.document.sources)),
        published_at=entry.published_at,
        topics=tuple(topics),
        lang=loaded.item.lang,
    )


def _topics(item_ids: Collection[int]) -> dict[int, list[str]]:
    """Item id → the names of the curated topics that it matched."""
    matches = Match.objects.filter(item_id__in=item_ids, withdrawn_at=None, topic__kind=Topic.Kind.CURATED)
    names: dict[int, list[str]] = defaultdict(list)
    for item_id, name in matches.order_by("topic__name").values_list("item_id", "topic__name"):
        names[item_id].append(name or "")
    return names
