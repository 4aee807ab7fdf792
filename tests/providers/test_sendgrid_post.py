"""SendGrid's connection: kept while that is safe, and never a second try after a byte has left."""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from newsletter.handover import Accepted, Deferred, Outcome, Unknown
from newsletter.providers import sendgrid_post
from newsletter.providers.sendgrid import SendGrid
from tests.fakes.sendgrid import FakeSendGrid
from tests.providers.pieces import SENDER, parcel


def hand_over(carrier: SendGrid, number: int) -> Outcome:
    return carrier.hand_over([parcel(number)])[number]


@pytest.fixture
def fake() -> Iterator[FakeSendGrid]:
    with FakeSendGrid() as running:
        yield running


def reach(fake: FakeSendGrid) -> SendGrid:
    return SendGrid(fake.key, SENDER, url=fake.url, timeout=5.0)


def test_connection_is_kept_whatever_was_answered(fake: FakeSendGrid) -> None:
    carrier = reach(fake)
    for mode in ("400", "429", "503", "302"):
        fake.script(mode, times=1)
        assert not isinstance(hand_over(carrier, 1), Accepted)
        assert isinstance(hand_over(carrier, 2), Accepted)
    assert fake.connections == 1
    carrier.close()
    assert isinstance(hand_over(carrier, 3), Accepted)
    assert fake.connections == 2


def hung_up(fake: FakeSendGrid, _: pytest.MonkeyPatch) -> None:
    fake.hang_up()


def idle(_: FakeSendGrid, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sendgrid_post, "IDLE", 0.0)


def used_up(_: FakeSendGrid, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sendgrid_post, "RENEW_AFTER", 1)


@pytest.mark.parametrize("end", [hung_up, idle, used_up])
def test_connection_that_may_be_dead_is_replaced_before_a_byte_leaves(
    fake: FakeSendGrid, monkeypatch: pytest.MonkeyPatch, end: Callable[[FakeSendGrid, pytest.MonkeyPatch], None]
) -> None:
    carrier = reach(fake)
    assert isinstance(hand_over(carrier, 1), Accepted)
    end(fake, monkeypatch)
    assert isinstance(hand_over(carrier, 2), Accepted)
    assert fake.connections == 2
    assert fake.accepted == ["opaque-0001", "opaque-0002"]


def test_server_that_says_close_is_obeyed(fake: FakeSendGrid) -> None:
    fake.closing = True
    carrier = reach(fake)
    assert all(isinstance(hand_over(carrier, number), Accepted) for number in (1, 2, 3))
    assert fake.connections == 3


@pytest.mark.parametrize("mode", ["drop", "accept-drop", "accept-half", "accept-cut"])
def test_kept_connection_that_dies_in_the_middle_is_a_doubt_and_nothing_is_repeated(
    fake: FakeSendGrid, mode: str
) -> None:
    carrier = reach(fake)
    assert isinstance(hand_over(carrier, 1), Accepted)
    fake.script(mode, times=1)
    assert isinstance(hand_over(carrier, 2), Unknown)
    assert len(fake.requests) == 2
    assert isinstance(hand_over(carrier, 3), Accepted)
    assert fake.connections == 2


def test_stopped_while_waiting_never_reads_the_answer_of_another(
    fake: FakeSendGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = reach(fake)
    fake.script("400", times=1)
    with monkeypatch.context() as stopped:
        stopped.setattr(http.client.HTTPConnection, "getresponse", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            hand_over(carrier, 1)
    deadline = time.monotonic() + 20
    while not fake.met["400"] and time.monotonic() < deadline:  # else the second one may be given what is for the first
        time.sleep(0.01)
    assert isinstance(hand_over(carrier, 2), Accepted)
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
