"""Compiled queries in, the newest stored items that they match out, within a bound of time.

The index decides nearly everything; what it leaves in doubt is read and given to the matcher. An answer is always what the
matcher would say of the items that it covers. Where the time does not last it covers fewer, the newest, and says how many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.live_index.item_index import UNREAD, ItemIndex, NewestItems, ProcessorClock, slot_of
from newsletter.matching.live_index.stored_items import current_versions, load_items
from newsletter.matching.query.compiled import CompiledQuery

#: Seconds of processor time for one search, about.
SEARCH_SECONDS = 0.075
_AT_ONCE = 16


@dataclass(frozen=True)
class SearchResult:
    """What a query matches among the newest `searched` items, newest first. `complete`: these are all of the time asked for."""

    item_ids: tuple[int, ...]
    searched: int
    complete: bool


class _PartialResult:
    """What is known of one query so far, by the ranks of items."""

    def __init__(self, searched: int) -> None:
        self.sure: set[int] = set()
        self.doubtful: set[int] = set()
        self.searched = searched

    def end_at(self, rank: int) -> None:
        """Of this item and older ones nothing is known."""
        self.searched = min(self.searched, rank)


def search(index: ItemIndex, plans: Sequence[CompiledQuery], *, now: datetime, days: int) -> list[SearchResult]:
    """What each of these compiled queries matches of the items first seen in the last `days`."""
    clock = ProcessorClock(SEARCH_SECONDS)
    newest = index.newest(now=now, days=days)
    if not index.catch_up(newest):
        index.catch_up_in_background(now=now)
    answers = [_PartialResult(newest.recent) for _ in plans]
    _decide(index, plans, answers, newest, clock)
    _verify(plans, answers, list(newest.ranks), clock)
    ids = list(newest.ranks)
    return [
        SearchResult(
            tuple(ids[rank] for rank in sorted(one.sure) if rank < one.searched),
            one.searched,
            newest.all_recent and one.searched == newest.recent,
        )
        for one in answers
    ]


def _decide(
    index: ItemIndex,
    plans: Sequence[CompiledQuery],
    answers: Sequence[_PartialResult],
    newest: NewestItems,
    clock: ProcessorClock,
) -> None:
    """Let the index decide, block by block, newest first."""
    parts = index.parts
    for number, wanted in newest.by_block.items():
        part = parts.get(number, UNREAD)
        ranks = {slot_of(item_id): newest.ranks[item_id] for item_id in wanted}
        first = next(iter(ranks.values()))
        known = part.block.slots
        if part.states != wanted:
            read = {slot_of(one) for one, state in wanted.items() if part.states.get(one) == state}
            known &= read
            unread = next((rank for slot, rank in ranks.items() if slot not in read), newest.recent)
            for answer in answers:
                answer.end_at(unread)
        for plan, answer in zip(plans, answers, strict=True):
            if clock.over:
                answer.end_at(first)
            if first < answer.searched:
                sure, possible = part.block.decide(plan, known)
                answer.sure.update(map(ranks.__getitem__, sure))
                answer.doubtful.update(map(ranks.__getitem__, possible - sure))


def _verify(
    plans: Sequence[CompiledQuery], answers: Sequence[_PartialResult], ids: Sequence[int], clock: ProcessorClock
) -> None:
    """Read what is in doubt, newest first; where the time is over before, an answer ends there."""
    doubtful = sorted(set().union(*({rank for rank in one.doubtful if rank < one.searched} for one in answers)))
    index = QueryIndex(dict(enumerate(plans))) if doubtful else None
    for start in range(0, len(doubtful), _AT_ONCE):
        some = doubtful[start : start + _AT_ONCE]
        read = {
            one.item.id: one
            for one in load_items(current_versions().defer("html").filter(item_id__in=[ids[r] for r in some]))
        }
        for rank in some:
            if clock.over:
                _end(answers, doubtful[doubtful.index(rank) :])
                return
            one = read.get(ids[rank])
            for number in index.matching_topics(one.document) if index and one else ():
                if rank in answers[number].doubtful:
                    answers[number].sure.add(rank)


def _end(answers: Sequence[_PartialResult], unread: Sequence[int]) -> None:
    for answer in answers:
        answer.end_at(min((rank for rank in unread if rank in answer.doubtful), default=answer.searched))
