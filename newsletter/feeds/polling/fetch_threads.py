"""Threads that visit feeds: jobs in, answers out as they come. They touch the network and never the database."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from newsletter.feeds.fetching.fetch_and_parse import Visited, broke

log = logging.getLogger(__name__)
Who = TypeVar("Who")


class Crew(Generic[Who]):
    """At most `most` threads, begun as they are needed. They are daemons: a slow feed does not hold up the end of a process.

    With `most` 0 `send` does the job itself: to start a thread takes longer than to see that one feed is unchanged.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads = 0
        self._jobs = queue.SimpleQueue[tuple[Who, Callable[[], Visited]] | None]()
        self._answers = queue.SimpleQueue[tuple[Who, Visited]]()

    def send(self, who: Who, job: Callable[[], Visited]) -> None:
        """Have `job` done for `who`."""
        if not self._most:
            self._answers.put((who, _done(job)))
            return
        self._jobs.put((who, job))
        if self._threads < self._most:
            self._threads += 1
            threading.Thread(target=self._work, name=f"visit-{self._threads}", daemon=True).start()

    def answer(self, seconds: float) -> tuple[Who, Visited] | None:
        """The next answer; None when none came for so long."""
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            return None

    def dismiss(self) -> None:
        """No more jobs; whoever is on the way is not waited for."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while (sent := self._jobs.get()) is not None:
            who, job = sent
            self._answers.put((who, _done(job)))


def _done(job: Callable[[], Visited]) -> Visited:
    try:
        return job()
    except Exception as error:  # noqa: BLE001 - one feed must not stop the others; the failure is recorded and logged
        log.error("visit_broke error=%s", type(error).__name__)
        return broke(error)
