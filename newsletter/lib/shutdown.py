"""One wish that a worker and its forked children share: finish what is begun, begin nothing more."""

import mmap
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopping:
    """As a `threading.Event`, seen by every fork of the process that made it; a SIGTERM to one child speaks to it alone."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)
        self._lock = threading.Lock()
        self._begun = 0
        self._told = self._leaving = False

    def set(self) -> None:
        """Wish it, for this process and its children."""
        self._shared[0] = 1

    def clear(self) -> None:
        """Take the wish back: a new worker starts."""
        self._shared[0] = 0

    def is_set(self) -> bool:
        """Whether nothing new is to be begun."""
        return self._told or self._leaving or self._shared[0] == 1

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """What is begun in here is brought to its end before a SIGTERM ends this process."""
        with self._lock:
            self._begun += 1
        try:
            yield
        finally:
            with self._lock:
                self._begun -= 1
            if self._told and not self._begun:
                os.kill(os.getpid(), signal.SIGTERM)

    def obey_sigterm(self) -> None:
        """In a child: end at once on SIGTERM, or as soon as what is begun is finished. Call it from the main thread."""
        signal.signal(signal.SIGTERM, self._sigterm)

    def leave(self, seconds: float) -> bool:
        """This process alone begins nothing more; what is begun in its threads gets `seconds` to end. True when it did."""
        self._leaving = True
        deadline = time.monotonic() + seconds
        while self._begun and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self._begun

    def _sigterm(self, *_: object) -> None:
        self._told = True
        if not self._begun:
            raise SystemExit(0)
