"""One deadline holds for all steps of an exchange together, whichever of them waits."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator

import httpcore2
import pytest

from newsletter.lib.deadline import TimedStream, deadline, remaining

OVER = (TimeoutError, httpcore2.TimeoutException)


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    """A server with one connection waiting for it: whoever accepts it decides what it does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def stream(peer: socket.socket) -> Iterator[TimedStream]:
    stream = TimedStream(httpcore2.SyncBackend().connect_tcp("127.0.0.1", peer.getsockname()[1]))
    yield stream
    stream.close()


def test_without_a_deadline_the_timeout_holds() -> None:
    assert remaining() is None
    assert remaining(3.0) == 3.0


def test_the_shorter_of_timeout_and_deadline_holds() -> None:
    with deadline(1000.0):
        assert remaining(3.0) == 3.0
        left = remaining(5000.0)
        assert left is not None and left <= 1000.0
    assert remaining() is None


def test_an_inner_deadline_cannot_outlast_the_outer_one() -> None:
    with deadline(1000.0):
        with deadline(5000.0):
            left = remaining()
            assert left is not None and left <= 1000.0
        with deadline(0.0), pytest.raises(TimeoutError):
            remaining()
        assert remaining(3.0) == 3.0


def test_after_the_deadline_no_step_begins(stream: TimedStream) -> None:
    with deadline(0.0):
        for step in (lambda: stream.read(1), lambda: stream.write(b"x")):
            with pytest.raises(TimeoutError):
                step()


def test_a_peer_that_sends_a_byte_now_and_then_meets_the_deadline(stream: TimedStream, peer: socket.socket) -> None:
    ended = threading.Event()

    def drip() -> None:
        connection, _ = peer.accept()
        with connection:
            while not ended.is_set():
                connection.sendall(b"x")
                time.sleep(0.02)

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    with deadline(0.3), pytest.raises(OVER):
        while True:
            stream.read(1, timeout=60.0)
    ended.set()
    thread.join(5)


def test_a_peer_that_takes_nothing_meets_the_deadline(stream: TimedStream) -> None:
    with deadline(0.3), pytest.raises(OVER):
        stream.write(b"x" * 100_000_000, timeout=60.0)


def test_a_handshake_that_is_not_answered_meets_the_deadline(stream: TimedStream) -> None:
    with deadline(0.3), pytest.raises(OVER):
        stream.start_tls(ssl.create_default_context(), "localhost", timeout=60.0)
