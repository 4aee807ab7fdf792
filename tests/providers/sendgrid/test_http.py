"""SendGrid's connection: kept while that is safe, and never a second try after a byte has left."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from newsletter.lib.deadline import TimedStream
from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Unknown
from newsletter.providers.sendgrid import http as sendgrid_http
from newsletter.providers.sendgrid.provider import SendGrid
from tests.fakes import certificate
from tests.fakes.sendgrid import FakeSendGrid
from tests.providers.pieces import SENDER, parcel


def hand_over(provider: SendGrid, number: int) -> Outcome:
    return provider.hand_over([parcel(number)])[number]


@pytest.fixture
def fake() -> Iterator[FakeSendGrid]:
    with FakeSendGrid() as running:
        yield running


def reach(fake: FakeSendGrid) -> SendGrid:
    return SendGrid(fake.key, SENDER, url=fake.url, timeout=5.0)


def test_connection_is_kept_whatever_was_answered(fake: FakeSendGrid) -> None:
    provider = reach(fake)
    for mode in ("400", "429", "503", "302"):
        fake.script(mode, times=1)
        assert not isinstance(hand_over(provider, 1), Accepted)
        assert isinstance(hand_over(provider, 2), Accepted)
    assert fake.connections == 1
    provider.close()
    assert isinstance(hand_over(provider, 3), Accepted)
    assert fake.connections == 2


def hung_up(fake: FakeSendGrid, _: pytest.MonkeyPatch) -> None:
    fake.hang_up()


def idle(_: FakeSendGrid, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sendgrid_http, "IDLE", 0.0)


def used_up(_: FakeSendGrid, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sendgrid_http, "RENEW_AFTER", 1)


@pytest.mark.parametrize("end", [hung_up, idle, used_up])
def test_connection_that_may_be_dead_is_replaced_before_a_byte_leaves(
    fake: FakeSendGrid, monkeypatch: pytest.MonkeyPatch, end: Callable[[FakeSendGrid, pytest.MonkeyPatch], None]
) -> None:
    provider = reach(fake)
    assert isinstance(hand_over(provider, 1), Accepted)
    end(fake, monkeypatch)
    assert isinstance(hand_over(provider, 2), Accepted)
    assert fake.connections == 2
    assert fake.accepted == ["opaque-0001", "opaque-0002"]


def test_connection_close_is_obeyed(fake: FakeSendGrid) -> None:
    fake.closing = True
    provider = reach(fake)
    assert all(isinstance(hand_over(provider, number), Accepted) for number in (1, 2, 3))
    assert fake.connections == 3


@pytest.mark.parametrize("mode", ["drop", "accept-drop", "accept-half", "accept-cut"])
def test_kept_connection_that_ends_during_a_request_is_unknown_and_nothing_is_repeated(
    fake: FakeSendGrid, mode: str
) -> None:
    provider = reach(fake)
    assert isinstance(hand_over(provider, 1), Accepted)
    fake.script(mode, times=1)
    assert isinstance(hand_over(provider, 2), Unknown)
    assert len(fake.requests) == 2
    assert isinstance(hand_over(provider, 3), Accepted)
    assert fake.connections == 2


def test_stopped_while_waiting_never_reads_the_answer_of_another(
    fake: FakeSendGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = reach(fake)
    fake.script("400", times=1)
    with monkeypatch.context() as stopped:
        stopped.setattr(TimedStream, "read", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            hand_over(provider, 1)
    deadline = time.monotonic() + 20
    while not fake.met["400"] and time.monotonic() < deadline:  # else the second one may be given what is for the first
        time.sleep(0.01)
    assert isinstance(hand_over(provider, 2), Accepted)
    assert fake.connections == 2


def test_proxy_is_a_tunnel_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """For https the proxy sees where to, never what; it refuses here, and nothing has left. Plain http goes by itself."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening, FakeSendGrid() as fake:

        def refuse() -> None:
            connection, _ = listening.accept()
            with connection:
                asked.append(connection.recv(10_000))
                connection.sendall(b"HTTP/1.1 502 no\r\n\r\n")

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        monkeypatch.setenv("https_proxy", f"http://us%20er:pass@127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        told = hand_over(SendGrid("SG.key", SENDER, url="https://api.eu.sendgrid.com", timeout=5.0), 1)
        thread.join(5)
        assert told == Deferred("no connection: OSError")
        assert asked[0].startswith(b"CONNECT api.eu.sendgrid.com:443 HTTP/1.")
        assert b"Proxy-Authorization: Basic dXMgZXI6cGFzcw==" in asked[0]
        assert b"SG.key" not in asked[0]
        assert isinstance(hand_over(reach(fake), 2), Accepted)


def test_proxy_opens_a_tunnel_and_the_request_travels_in_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ca_file = certificate.make(tmp_path)
    server_tls = certificate.server_context(ca_file)
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def tunnel() -> None:
            connection, _ = listening.accept()
            asked.append(connection.recv(10_000))
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with server_tls.wrap_socket(connection, server_side=True) as inside:
                for _ in range(2):
                    asked.append(b"")
                    while not asked[-1].endswith(b"{}"):
                        asked[-1] += inside.recv(10_000)
                    inside.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=tunnel, daemon=True).start()
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
        post = sendgrid_http.ApiClient("SG.key", url="https://localhost:8443", timeout=5.0)
        assert [post([b"{", b"}"])[0] for _ in range(2)] == [202, 202]
    assert asked[0].startswith(b"CONNECT localhost:8443 HTTP/1.1")
    assert b"Proxy-Authorization" not in asked[0]
    assert all(head.startswith(b"POST /v3/mail/send HTTP/1.1") and b"Bearer SG.key" in head for head in asked[1:])


def served(*answers: Callable[[socket.socket], None]) -> socket.socket:
    """A server that deals with one connection after the other: each by its own function, once the head of a request came."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):  # the test is over, and the server closed
            for answer in answers:
                connection, _ = listening.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(10_000)
                    answer(connection)

    threading.Thread(target=serve, daemon=True).start()
    return listening


def post_to(listening: socket.socket) -> sendgrid_http.ApiClient:
    return sendgrid_http.ApiClient("SG.key", url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=20.0)


def drips(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nX-Slow: ")
    for _ in range(20):
        time.sleep(0.1)
        connection.sendall(b"x")
    connection.sendall(b"\r\n\r\n")


def goes_on(connection: socket.socket) -> None:
    for _ in range(20):
        time.sleep(0.1)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


def sips(connection: socket.socket) -> None:
    for _ in range(20):
        time.sleep(0.1)
        connection.recv(10_000)
    left = 1
    while left:
        left = len(connection.recv(1_000_000))
        if left < 1_000_000 and not select.select([connection], [], [], 0.5)[0]:
            break
    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(("slow", "size"), [(drips, 1), (goes_on, 1), (sips, 30_000_000)])
def test_deadline_bounds_the_whole_exchange(
    monkeypatch: pytest.MonkeyPatch, slow: Callable[[socket.socket], None], size: int
) -> None:
    monkeypatch.setattr(sendgrid_http, "WHOLE", 0.5)
    with served(slow) as listening, pytest.raises(sendgrid_http.NoAnswer, match="TimeoutError"):
        post_to(listening)([b"x" * size])


def early(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


def test_answer_to_a_partly_written_request_is_unknown() -> None:
    with served(early) as listening, pytest.raises(sendgrid_http.NoAnswer):
        post_to(listening)([b"x" * 30_000_000])


def test_after_the_deadline_no_connection_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sendgrid_http, "WHOLE", 0.0)
    with served(short) as listening, pytest.raises(sendgrid_http.NotConnected, match="TimeoutError"):
        post_to(listening)([b"x"])


def test_a_request_that_got_its_connection_too_late_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = httpcore2.SyncBackend.connect_tcp

    def slowly(*args: Any) -> httpcore2.NetworkStream:
        stream = connect(*args)
        time.sleep(0.3)
        return stream

    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", slowly)
    monkeypatch.setattr(sendgrid_http, "WHOLE", 0.2)
    with served(short) as listening, pytest.raises(sendgrid_http.NotConnected, match="TimeoutError"):
        post_to(listening)([b"x"])


def lengthy(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 50000000\r\n\r\n" + b"y" * 50_000_000)


def in_chunks(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(5_000):
        connection.sendall(b"2710\r\n" + b"y" * 10_000 + b"\r\n")
    connection.sendall(b"0\r\n\r\n")


def until_the_end(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" + b"y" * 50_000_000)


def short(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok")


@pytest.mark.parametrize("long", [lengthy, in_chunks, until_the_end])
def test_of_a_long_answer_the_beginning_is_read_and_the_next_request_goes_by_another_connection(
    long: Callable[[socket.socket], None],
) -> None:
    with served(long, short) as listening:
        post = post_to(listening)
        status, _, body = post([b"x"])
        assert (status, body) == (400, b"y" * sendgrid_http.LARGEST)
        status, _, body = post([b"x"])
        assert (status, body) == (202, b"ok")


def surplus(connection: socket.socket) -> None:
    connection.sendall(
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
    )
    connection.recv(10_000)


def busy(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")


def test_bytes_after_an_answer_are_not_read_as_the_next_answer() -> None:
    with served(surplus, busy) as listening:
        post = post_to(listening)
        assert [post([b"x"])[0], post([b"x"])[0]] == [400, 429]
