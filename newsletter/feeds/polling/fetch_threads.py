"""A small pool of daemon threads that fetch and parse feeds. They never use the database."""

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from newsletter.feeds.fetching.fetch_and_parse import FetchResult, from_exception

log = structlog.get_logger()
Key = TypeVar("Key")


class FetchThreads(Generic[Key]):
    """At most `most` threads, started as they are needed.

    `concurrent.futures` would join its threads at exit: a slow feed would hold up the end of the process.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads = 0
        self._jobs = queue.SimpleQueue[tuple[Key, Callable[[], FetchResult]] | None]()
        self._results = queue.SimpleQueue[tuple[Key, FetchResult]]()

    def submit(self, key: Key, job: Callable[[], FetchResult]) -> None:
        """Run `job` in a thread; its result comes with `key`."""
        self._jobs.put((key, job))
        if self._threads < self._most:
            self._threads += 1
            threading.Thread(target=self._work, name=f"fetch-{self._threads}", daemon=True).start()

    def next_result(self, seconds: float) -> tuple[Key, FetchResult] | None:
        """Return the next key and result; None when none came within `seconds`."""
        try:
            return self._results.get(timeout=seconds)
        except queue.Empty:
            return None

    def stop(self) -> None:
        """Start no more jobs; those that run are not waited for."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while (submitted := self._jobs.get()) is not None:
            key, job = submitted
            self._results.put((key, _run(job)))


def _run(job: Callable[[], FetchResult]) -> FetchResult:
    try:
        return job()
    except Exception as error:  # noqa: BLE001 - one feed must not stop the others; the failure is recorded and logged
        log.error("fetch_broke", error=type(error).__name__)
        return from_exception(error)
