"""Whose turn it is: lanes and occasions with mail that is due in, the order in which to take from them out."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

#: Batches that may pass a slower lane before one of it goes: with alerts without end, digests still move a little.
PASSED_MOST: Final = 50
#: Nobody waits before the page for anything but a notice: that lane is never passed.
_FIRST: Final = 0


@dataclass(frozen=True, order=True)
class Queue:
    """Planned mail of one lane for one occasion. Notices have occasion 0: first come, first served.

    `paced`: of those that had to wait for the pace of their domain.
    """

    lane: int
    occasion_id: int
    paced: bool = False


class Turns:
    """What one process remembers of whom it served: each process takes turns by itself, so all together do.

    Forgotten at a restart, which costs nothing: who was served last only decides who is served next.
    """

    def __init__(self) -> None:
        self._last: dict[int, Queue] = {}
        self._passed = 0

    def order(self, due: Collection[Queue]) -> list[Queue]:
        """Urgent lanes first, a slower one when it was passed too often; within a lane the occasion after the last served."""
        slow_first = self._passed >= PASSED_MOST
        return sorted(due, key=lambda one: (self._rank(one.lane, slow_first), self._served(one), one))

    def took(self, taken: Queue, due: Collection[Queue]) -> None:
        """Remember that a batch of `taken` was claimed while `due` waited."""
        self._last[taken.lane] = taken
        self._passed = self._passed + 1 if any(one.lane > taken.lane for one in due) else 0

    def _served(self, one: Queue) -> bool:
        last = self._last.get(one.lane)
        return last is not None and one <= last

    @staticmethod
    def _rank(lane: int, slow_first: bool) -> int:
        return -lane if slow_first and lane != _FIRST else lane - 1000
