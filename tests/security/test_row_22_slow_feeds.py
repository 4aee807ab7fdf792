"""Row 22: a site that answers without end, or a byte at a time, holds nobody up for longer than one feed may take."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from newsletter.feeds.fetching.http_client import Failed, Fetcher

HEAD = b"HTTP/1.1 200 OK\r\n"
SECONDS = 0.6
#: What is said first, and then again and again, and how many seconds lie between.
HABITS = {
    "silence": (b"", b"", 0.05),
    "headers without end": (HEAD, b"X-Header: " + b"x" * 900 + b"\r\n", 0.0),
    "headers byte by byte": (HEAD, b"x", 0.02),
    "a body without end": (HEAD + b"\r\n", b"x" * 60_000, 0.0),
    "a body byte by byte": (HEAD + b"\r\n", b"x", 0.02),
    "chunks byte by byte": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.02),
    "100 Continue without end": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02),
}


@contextlib.contextmanager
def site(first: bytes, then: bytes, pause: float) -> Iterator[int]:
    """The port of a server that goes on until whoever asked hangs up."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection = server.accept()[0]
            with connection:
                connection.recv(4096)
                connection.sendall(first)
                while not over.wait(pause):
                    connection.sendall(then)

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        over.set()
    thread.join(5)


@pytest.mark.parametrize("habit", HABITS)
def test_it_is_given_up_in_time(habit: str) -> None:
    with site(*HABITS[habit]) as port:
        fetcher = Fetcher(allow=frozenset({("127.0.0.1", port)}), seconds=SECONDS)
        began = time.monotonic()
        answer = fetcher.get(f"http://127.0.0.1:{port}/feed")
    assert isinstance(answer, Failed), answer
    assert time.monotonic() - began < SECONDS + 2


def test_nobody_is_waited_for_longer_than_half_a_minute() -> None:
    assert Fetcher()._seconds <= 30
