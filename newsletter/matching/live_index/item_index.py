"""An in-memory index of the newest stored items. Every search updates it, within limits of time and memory.

Each process has its own. It contains no text and nothing about readers. One query for the ids, versions and languages of the
newest items tells which are new, edited, cut again or deleted: no other part of the service has to notify the index.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

import structlog
from django.db import DatabaseError, connection

from newsletter.lib import db
from newsletter.matching.engine.inverted_index import BLOCK_SIZE, IndexedItem, ItemBlock, index_item
from newsletter.matching.live_index.stored_items import current_versions, load_items

log = structlog.get_logger()

#: Older items, and those that are not among so many newest ones, are not in the index.
MOST_DAYS = 90
MOST_ITEMS = 5_000
#: The approximate limit of its memory; an article of 450 words takes 4 kB.
MOST_BYTES = 64 << 20
#: The approximate processor time that a search spends on reading missing items, in seconds.
CATCH_UP_SECONDS = 0.03
_AT_ONCE = 16


#: What an item's entry in the index depends on: version, language, and when it was first seen, in one text.
ItemState = str


class ProcessorClock:
    """A limit of this thread's processor time, which other load on the machine does not shorten."""

    def __init__(self, seconds: float) -> None:
        self._end = time.thread_time() + seconds

    @property
    def over(self) -> bool:
        """Whether the time has been used up."""
        return time.thread_time() >= self._end


@dataclass(frozen=True)
class BlockState:
    """A block of items as far as it was read. An item in `states` whose slot is empty has no version."""

    block: ItemBlock
    states: Mapping[int, ItemState]


#: A block of which nothing was read.
UNREAD = BlockState(ItemBlock(), {})


@dataclass(frozen=True)
class NewestItems:
    """The newest items by the number of their block, newest first, and the rank of each: 0 is the newest of all.

    `recent`: how many of them were first seen in the days asked for; `all_recent` is False if there are more.
    """

    by_block: Mapping[int, Mapping[int, ItemState]]
    ranks: Mapping[int, int]
    recent: int
    all_recent: bool


def slot_of(item_id: int) -> int:
    """An item's slot in its block."""
    return item_id % BLOCK_SIZE


class ItemIndex:
    """The index of the newest items. Threads may share it."""

    def __init__(self, most_items: int = MOST_ITEMS, most_bytes: int = MOST_BYTES) -> None:
        self._most_items = most_items
        self._most_bytes = most_bytes
        self._changing = threading.Lock()
        self._in_background = threading.Lock()
        #: Number of a block → what was read of it. Never changed, but replaced.
        self.parts: Mapping[int, BlockState] = {}

    @property
    def size(self) -> int:
        """Its approximate size in bytes."""
        return sum(part.block.size for part in self.parts.values())

    def newest(self, *, now: datetime, days: int) -> NewestItems:
        """The newest items, at most `MOST_ITEMS`; those first seen in the last `days` are recent."""
        rows = db.rows(
            "SELECT id, version || ' ' || lang || ' ' || first_seen_at, first_seen_at >= %s FROM item WHERE first_seen_at >= %s "
            "ORDER BY first_seen_at DESC, id DESC LIMIT %s",
            [now - timedelta(days=days), now - timedelta(days=MOST_DAYS), self._most_items + 1],
        )
        by_block: dict[int, dict[int, ItemState]] = {}
        ranks: dict[int, int] = {}
        for rank, (item_id, state, _) in enumerate(rows[: self._most_items]):
            by_block.setdefault(item_id // BLOCK_SIZE, {})[item_id] = state
            ranks[item_id] = rank
        recent = sum(bool(row[2]) for row in rows)
        return NewestItems(by_block, ranks, min(recent, self._most_items), recent <= self._most_items)

    def catch_up(self, newest: NewestItems, seconds: float | None = None) -> bool:
        """Read missing items, newest first, for a short time, or for `seconds`. Returns False if some are still missing."""
        clock = ProcessorClock(CATCH_UP_SECONDS if seconds is None else seconds)
        with self._changing:
            kept: dict[int, BlockState] = {}
            size, complete = 0, True
            for number, wanted in newest.by_block.items():
                part = self.parts.get(number, UNREAD)
                if part.states != wanted and not clock.over:
                    part = _read(part, wanted, clock)
                kept[number] = part
                complete = complete and part.states == wanted
                size += part.block.size
                if size > self._most_bytes:
                    break
            self.parts = kept
            return complete

    def catch_up_in_background(self, *, now: datetime) -> None:
        """Read all missing items in a thread, one at a time."""
        if not self._in_background.acquire(blocking=False):
            return

        def read() -> None:
            try:
                self._catch_up_whole(self.newest(now=now, days=MOST_DAYS))
            except DatabaseError as error:  # the next search tries again
                log.warning("item_index_not_read", error=type(error).__name__)
            finally:
                connection.close()
                self._in_background.release()

        threading.Thread(target=read, name="item index", daemon=True).start()

    def _catch_up_whole(self, newest: NewestItems) -> None:
        """Read all missing items block by block: searches see what was read so far, and none of them waits."""
        size = 0
        for number, wanted in newest.by_block.items():
            part = self.parts.get(number, UNREAD)
            if part.states != wanted:
                part = _read(part, wanted, ProcessorClock(inf))
                with self._changing:
                    self.parts = {**self.parts, number: part}
            size += part.block.size
            if size > self._most_bytes:
                return


def _read(part: BlockState, wanted: Mapping[int, ItemState], clock: ProcessorClock) -> BlockState:
    """A part with missing items, as far as there is time, and without deleted ones."""
    states = {item_id: state for item_id, state in part.states.items() if wanted.get(item_id) == state}
    removed = [slot_of(item_id) for item_id in part.states.keys() - states.keys()]
    missing = [item_id for item_id in wanted if item_id not in states]
    items: dict[int, IndexedItem] = {}
    for chunk in (missing[start : start + _AT_ONCE] for start in range(0, len(missing), _AT_ONCE)):
        loaded = {
            stored.item.id: stored for stored in load_items(current_versions().defer("html").filter(item_id__in=chunk))
        }
        for item_id in chunk:
            if clock.over:
                return BlockState(part.block.updated(items, removed), states)
            states[item_id] = wanted[item_id]
            if item_id in loaded:
                items[slot_of(item_id)] = index_item(loaded[item_id].document)
    return BlockState(part.block.updated(items, removed), states)
