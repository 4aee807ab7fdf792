"""Decide in which order due lanes and occasions are served."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

#: Batches that may pass a slower lane before one of it goes: with alerts without end, digests still move a little.
PASSED_MOST: Final = 50
#: People wait before a page for notices and for nothing else: that lane is never passed.
_NOTICES: Final = 0


@dataclass(frozen=True, order=True)
class Queue:
    """Planned mail of one lane for one occasion. Notices have occasion 0: first come, first served."""

    lane: int
    occasion_id: int
    #: The mail that had to wait for the pace of its domain, which queues apart.
    paced: bool = False


class LaneOrder:
    """What one process remembers of the queues it served: each process takes turns by itself, so all together do.

    Lost at a restart, which costs nothing: who was served last only decides who is served next.
    """

    def __init__(self) -> None:
        self._last: dict[int, Queue] = {}
        self._passed = 0

    def order(self, due: Collection[Queue]) -> list[Queue]:
        """Urgent lanes first, a slower one when it was passed too often; within a lane the occasion after the last served."""
        slow_first = self._passed >= PASSED_MOST
        return sorted(due, key=lambda queue: (self._rank(queue.lane, slow_first), self._was_served(queue), queue))

    def record_claim(self, claimed: Queue, due: Collection[Queue]) -> None:
        """Remember that a batch of `claimed` was taken while `due` waited."""
        self._last[claimed.lane] = claimed
        self._passed = self._passed + 1 if any(queue.lane > claimed.lane for queue in due) else 0

    def _was_served(self, queue: Queue) -> bool:
        last = self._last.get(queue.lane)
        return last is not None and queue <= last

    @staticmethod
    def _rank(lane: int, slow_first: bool) -> int:
        return -lane if slow_first and lane != _NOTICES else lane - 1000
