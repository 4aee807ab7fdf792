"""Row 22: a site that answers without end, or a byte at a time, is hung up on when one feed has taken long enough."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from newsletter.feeds.fetching.http_client import Fetcher, RequestFailed

HEAD = b"HTTP/1.1 200 OK\r\n"
SECONDS = 0.6
#: Seconds after which a site stops by itself, so that a test fails instead of hanging.
ENDLESS = 120
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
def site(first: bytes, then: bytes, pause: float) -> Iterator[tuple[int, threading.Event]]:
    """A server that goes on until whoever asked hangs up: its port, and the event that it stopped by itself."""

    def serve() -> None:
        with contextlib.suppress(OSError), server.accept()[0] as connection:
            connection.settimeout(ENDLESS)
            connection.recv(4096)
            connection.sendall(first)
            until = time.monotonic() + ENDLESS
            while time.monotonic() < until:
                if hung_up.wait(pause):
                    return
                connection.sendall(then)
            gave_up.set()

    hung_up, gave_up = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], gave_up
        hung_up.set()
    thread.join(5)


@pytest.mark.parametrize("habit", HABITS)
def test_it_is_given_up_before_the_site_gives_up(habit: str) -> None:
    with site(*HABITS[habit]) as (port, gave_up):
        fetcher = Fetcher(allow=frozenset({("127.0.0.1", port)}), seconds=SECONDS)
        answer = fetcher.get(f"http://127.0.0.1:{port}/feed")
        assert not gave_up.is_set()
    assert isinstance(answer, RequestFailed), answer


def test_nobody_is_waited_for_longer_than_half_a_minute() -> None:
    assert Fetcher()._seconds <= 30
