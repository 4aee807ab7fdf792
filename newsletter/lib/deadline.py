"""A time limit over a whole exchange of HTTP.

A socket's own time-out starts again with each read and write, so a peer that sends or takes a byte now and then never meets it.
"""

import contextlib
import ssl
from collections.abc import Iterator
from contextvars import ContextVar
from time import monotonic
from typing import Any, Final

import httpcore2

#: Bytes that are written in one step, within what is left of the time. In TLS these are four records; a peer that takes the last
#: four slowly can exceed the deadline by the time of three.
STEP: Final = 65_536
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Let no `TimedStream` of this thread wait for longer than `seconds` in all. An earlier deadline around it still holds."""
    outer = _deadline.get()
    end = monotonic() + seconds
    token = _deadline.set(end if outer is None else min(outer, end))
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining(timeout: float | None = None) -> float | None:
    """Return the seconds that a step may take: `timeout`, or what is left until the deadline if that is less.

    Raises:
        TimeoutError: the deadline is over.
    """
    end = _deadline.get()
    if end is None:
        return timeout
    left = end - monotonic()
    if left <= 0:
        raise TimeoutError("the deadline is over")
    return left if timeout is None else min(left, timeout)


class TimedStream(httpcore2.NetworkStream):
    """A connection on which each read, write and handshake ends at the deadline. Raises as httpcore2 does, and as `remaining`."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, remaining(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)  # slices of it are no copies
        for start in range(0, len(view), STEP):
            self._inner.write(view[start : start + STEP], remaining(timeout))  # type: ignore[arg-type]  # it takes both

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return TimedStream(self._inner.start_tls(ssl_context, server_hostname, remaining(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
