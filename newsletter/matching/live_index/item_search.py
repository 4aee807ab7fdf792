"""Search the newest stored items for compiled queries, within a limit of time.

The index decides nearly everything; items that it cannot decide are read and given to the matcher. A result is always what the
matcher would return for the items that it covers. If time runs out it covers fewer, the newest, and tells how many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.live_index.item_index import UNREAD, ItemIndex, NewestItems, ProcessorClock, slot_of
from newsletter.matching.live_index.stored_items import current_versions, load_items
from newsletter.matching.query.compiled import CompiledQuery

#: The approximate processor time of one search, in seconds.
SEARCH_SECONDS = 0.075
_AT_ONCE = 16


@dataclass(frozen=True)
class SearchResult:
    """What a query matches among the newest `searched` items, newest first. `complete`: all items of those days were searched."""

    item_ids: tuple[int, ...]
    searched: int
    complete: bool


class _PartialResult:
    """What is known of one query so far. Items are given by their rank."""

    def __init__(self, searched: int) -> None:
        self.certain: set[int] = set()
        self.undecided: set[int] = set()
        self.searched = searched

    def end_at(self, rank: int) -> None:
        """Mark this item and older ones as not searched."""
        self.searched = min(self.searched, rank)


def search(
    index: ItemIndex,
    queries: Sequence[CompiledQuery],
    *,
    now: datetime,
    days: int,
    seconds: float | None = None,
    reading_seconds: float | None = None,
    aligned: bool = False,
) -> list[SearchResult]:
    """What each of these compiled queries matches of the items first seen in the last `days`.

    `seconds` for the search and `reading_seconds` for items that are not in the index yet are processor time. With `aligned`
    all results cover the same items, so that they can be compared.
    """
    newest = index.newest(now=now, days=days)
    if not index.catch_up(newest, reading_seconds):
        index.catch_up_in_background(now=now)
    clock = ProcessorClock(SEARCH_SECONDS if seconds is None else seconds)
    results = [_PartialResult(newest.recent) for _ in queries]
    _decide(index, queries, results, newest, clock)
    ids = list(newest.ranks)
    _verify(queries, results, ids, clock)
    if aligned:
        _end_together(results)
    return [
        SearchResult(
            tuple(ids[rank] for rank in sorted(result.certain) if rank < result.searched),
            result.searched,
            newest.all_recent and result.searched == newest.recent,
        )
        for result in results
    ]


def _end_together(results: Sequence[_PartialResult]) -> None:
    least = min((result.searched for result in results), default=0)
    for result in results:
        result.end_at(least)


def _decide(
    index: ItemIndex,
    queries: Sequence[CompiledQuery],
    results: Sequence[_PartialResult],
    newest: NewestItems,
    clock: ProcessorClock,
) -> None:
    """Let the index decide, block by block, newest first."""
    parts = index.parts
    for number, wanted in newest.by_block.items():
        part = parts.get(number, UNREAD)
        ranks = {slot_of(item_id): newest.ranks[item_id] for item_id in wanted}
        first = next(iter(ranks.values()))
        indexed = part.block.slots
        if part.states != wanted:
            current = {slot_of(item_id) for item_id, state in wanted.items() if part.states.get(item_id) == state}
            indexed &= current
            unread = next((rank for slot, rank in ranks.items() if slot not in current), newest.recent)
            for result in results:
                result.end_at(unread)
        for query, result in zip(queries, results, strict=True):
            if clock.over:
                result.end_at(first)
            if first < result.searched:
                certain, possible = part.block.decide(query, indexed)
                result.certain.update(map(ranks.__getitem__, certain))
                result.undecided.update(map(ranks.__getitem__, possible - certain))


def _verify(
    queries: Sequence[CompiledQuery], results: Sequence[_PartialResult], ids: Sequence[int], clock: ProcessorClock
) -> None:
    """Read and match undecided items, newest first. If time runs out before, a result ends there."""
    undecided = sorted(set().union(*({rank for rank in of.undecided if rank < of.searched} for of in results)))
    index = QueryIndex(dict(enumerate(queries))) if undecided else None
    for start in range(0, len(undecided), _AT_ONCE):
        chunk = undecided[start : start + _AT_ONCE]
        versions = current_versions().defer("html").filter(item_id__in=[ids[rank] for rank in chunk])
        documents = {loaded.item.id: loaded.document for loaded in load_items(versions)}
        for rank in chunk:
            if clock.over:
                _end(results, undecided[undecided.index(rank) :])
                return
            document = documents.get(ids[rank])
            for number in index.matching_topics(document) if index and document else ():
                if rank in results[number].undecided:
                    results[number].certain.add(rank)


def _end(results: Sequence[_PartialResult], unread: Sequence[int]) -> None:
    for result in results:
        result.end_at(min((rank for rank in unread if rank in result.undecided), default=result.searched))
