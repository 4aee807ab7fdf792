"""Shutdown flag shared by a worker and its forked children: finish current work, start nothing new."""

import mmap
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Shutdown:
    """Like a `threading.Event` that every fork of its process sees. A SIGTERM to one child stops that child alone."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)
        self._lock = threading.Lock()
        self._running = 0
        self._terminated = self._draining = False

    def set(self) -> None:
        """Request the shutdown of this process and its children."""
        self._shared[0] = 1

    def clear(self) -> None:
        """Withdraw the request: a new worker starts."""
        self._shared[0] = 0

    def is_set(self) -> bool:
        """True if no new work may start."""
        return self._terminated or self._draining or self._shared[0] == 1

    @contextmanager
    def in_progress(self) -> Iterator[None]:
        """Finish the work of this block before a SIGTERM ends the process."""
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
            if self._terminated and not self._running:
                os.kill(os.getpid(), signal.SIGTERM)

    def handle_sigterm(self) -> None:
        """In a child: on SIGTERM, exit as soon as no work is in progress. Call it from the main thread."""
        signal.signal(signal.SIGTERM, self._sigterm)

    def drain(self, seconds: float) -> bool:
        """Start nothing new in this process and wait up to `seconds` for work in progress; True if all of it finished."""
        self._draining = True
        deadline = time.monotonic() + seconds
        while self._running and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self._running

    def _sigterm(self, *_: object) -> None:
        self._terminated = True
        if not self._running:
            raise SystemExit(0)
