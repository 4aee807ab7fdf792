"""Ends a test whose input makes broken code run for minutes, so that no test has to measure how long it took."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: CPU seconds of this process: many times what such a test needs, and far less than it would need without its defence.
LIMIT = 30


@contextmanager
def hang_guard() -> Iterator[None]:
    """Fail what runs inside once it has used `LIMIT` seconds of CPU; waiting and other processes do not count."""

    def fail(_signal: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"still computing after {LIMIT} s of CPU time")

    previous = signal.signal(signal.SIGPROF, fail)
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
