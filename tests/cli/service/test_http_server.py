"""The web server over real sockets: every phase of a connection ends, newcomers find room, and limits hang on the path."""

import contextlib
import json
import math
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
import waitress.channel
import waitress.server
from django.core.handlers.wsgi import WSGIRequest

from newsletter import wiring
from newsletter.cli.service import http_server
from newsletter.cli.service.http_server import HTTPServer
from newsletter.web.client_address import client_address
from tests.security.service import Answer, read_all
from tests.services import free_port

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HOOK = "/hooks/sendgrid"


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Says how large the body was."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(str(len(body)))))])
    return [str(len(body)).encode()]


class Serving:
    """A server in this process."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def start(self, application=application, **options: Any) -> None:
        self.port = free_port()
        server = HTTPServer(application, "127.0.0.1", self.port, threads=2, **options)
        self._stack.callback(server.close)
        threading.Thread(target=server.run, daemon=True).start()

    def connect(self, sent: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
        made = self._stack.enter_context(socket.socket())
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        made.settimeout(60)
        made.bind((source, 0))
        made.connect(("127.0.0.1", self.port))
        made.sendall(sent)
        return made

    def stop(self) -> None:
        self._stack.close()


@pytest.fixture
def serving() -> Iterator[Serving]:
    made = Serving()
    yield made
    made.stop()


def post(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


def ended(connection: socket.socket) -> bool:
    """Whether the other side closed it; answers are thrown away."""
    try:
        return bool(select.select([connection], [], [], 0)[0]) and connection.recv(65_536) == b""
    except OSError:
        return True


def answers(connection: socket.socket) -> bool:
    """Whether a connection that is kept answers one more request."""
    connection.sendall(GET)
    told = b""
    while not told.endswith(b"\r\n\r\n0") and (piece := connection.recv(65_536)):
        told += piece
    return told.startswith(b"HTTP/1.1 200")


class Clock:
    """Stands in for the module `time` where the server looks at it; moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = time.time()

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (http_server, waitress.channel, waitress.server):
        monkeypatch.setattr(module, "time", made)
    return made


def test_each_phase_of_a_connection_ends_at_its_deadline_whatever_drips_in(serving: Serving, clock: Clock) -> None:
    handed_over = threading.Event()

    def megabytes() -> Iterator[bytes]:
        yield b"x" * 15_000_000
        handed_over.set()

    def endless(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/endless":
            return application(environ, start_response)
        start_response("200 OK", [("Content-Length", "15000000")])
        return megabytes()

    serving.start(endless)
    begun = clock.now
    reader = serving.connect(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
    assert reader.recv(12) == b"HTTP/1.1 200"
    assert handed_over.wait(60), "as long as the application writes, the time for taking the answer does not begin"
    drips = {
        "nothing": (serving.connect(), b"", http_server.HEADERS),
        "empty lines": (serving.connect(), b"\r\n\r\n", http_server.HEADERS),
        "headers": (serving.connect(b"GET / HTTP/1.1\r\nX-A: "), b"a", http_server.HEADERS),
        "a body": (serving.connect(post("/", "Content-Length: 5000")), b"a", http_server.REQUEST),
        "chunks": (serving.connect(post("/", "Transfer-Encoding: chunked")), b"1\r\na\r\n", http_server.REQUEST),
        "a chunk's size": (serving.connect(post("/", "Transfer-Encoding: chunked")), b"0", http_server.REQUEST),
        "nothing after an answer": (serving.connect(GET), b"", http_server.KEPT),
    }
    busy = serving.connect()
    lasted: dict[str, float] = {}
    while clock.now - begun < 2 * http_server.KEPT:
        for name, (connection, drip, _) in drips.items():
            if name not in lasted:
                with contextlib.suppress(OSError):
                    connection.sendall(drip)
        for _ in range(2):  # so that the server has gone once through all that was sent, and all that is late
            assert answers(busy), "one that goes on is kept"
        for name, (connection, _, _) in drips.items():
            if name not in lasted and ended(connection):
                lasted[name] = clock.now - begun
        clock.now += 5
    for name, (_, _, deadline) in drips.items():
        assert deadline < lasted.get(name, math.inf) <= deadline + 10, name
    taken = 0
    with contextlib.suppress(OSError):
        while piece := reader.recv(65_536):
            taken += len(piece)
    assert taken < 15_000_000, "who does not read its answer does not get the rest"


def test_newcomers_find_room_and_nobody_loses_an_answer_under_way(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "MOST_CONNECTIONS", 20)
    begun, go_on = threading.Event(), threading.Event()

    def slow(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            begun.set()
            go_on.wait(120)
        return application(environ, start_response)

    serving.start(slow)
    working = serving.connect(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert begun.wait(60)
    idle = [serving.connect(b"GET / HT" if number % 2 else b"") for number in range(100)]
    assert answers(serving.connect())
    deadline = time.monotonic() + 60
    while sum(map(ended, idle)) < 80 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert 80 <= sum(map(ended, idle)) <= 85
    assert not any(map(ended, idle[90:])), "those that waited longest made room"
    go_on.set()
    assert Answer(read_all(working)).status == 200


def test_only_the_named_path_takes_a_larger_body(serving: Serving) -> None:
    serving.start(large_bodies={HOOK: 2_000_000})
    for path, length, status in (
        (HOOK, 2_000_000, 200),
        (HOOK, 2_000_001, 413),
        (HOOK + "?x=1", 70_000, 200),
        ("/", 65_536, 200),
        ("/", 65_537, 413),
        (HOOK + "/", 65_537, 413),
        ("/" + HOOK, 65_537, 413),
        ("/?" + HOOK, 65_537, 413),
        ("/hooks/../hooks/sendgrid", 65_537, 413),
    ):
        connection = serving.connect(post(path, f"Content-Length: {length}", "Connection: close"))
        if status == 200:
            connection.sendall(b"x" * length)
        told = Answer(read_all(connection))
        assert (told.status, path, length) == (status, path, length)
        assert status == 413 or told.body == str(length).encode()


def test_what_is_too_large_for_the_api_is_refused_with_problem_details(serving: Serving) -> None:
    serving.start()
    told = Answer(read_all(serving.connect(post("/api/v1/topics", "Content-Length: 65537", "Connection: close"))))
    assert (told.status, json.loads(told.body)["status"]) == (413, 413)


def test_few_large_bodies_are_under_way_at_once(serving: Serving) -> None:
    serving.start(large_bodies={HOOK: 2_000_000})
    large = post(HOOK, "Content-Length: 1500000", "Connection: close")
    begun = [serving.connect(large + b"x") for _ in range(http_server.MOST_LARGE_BODIES)]
    assert answers(serving.connect())
    assert Answer(read_all(serving.connect(large))).status == 413
    begun[0].sendall(b"x" * 1_499_999)
    assert Answer(read_all(begun[0])).status == 200
    again = serving.connect(large + b"x" * 1_500_000)
    assert Answer(read_all(again)).status == 200


@pytest.mark.parametrize(
    ("source", "sent", "client"),
    [
        ("127.0.0.2", "X-Forwarded-For: 198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.2", "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.9", "203.0.113.9"),
        ("127.0.0.2", "X-Forwarded-For: [2001:db8::9]:4711", "2001:db8::9"),
        ("127.0.0.2", "X_Forwarded_For: 203.0.113.9", "None"),
        ("127.0.0.2", "Forwarded: for=203.0.113.9", "None"),
        ("127.0.0.2", "X-Real-IP: 203.0.113.9", "None"),
        ("127.0.0.1", "X-Forwarded-For: 203.0.113.9", "None"),
    ],
)
def test_what_a_proxy_says_of_its_client_comes_through(serving: Serving, settings, source, sent, client) -> None:
    settings.NEWSLETTER = replace(
        wiring.config(), trusted_proxy=(ip_network("127.0.0.2"),), base_url="https://news.example.org"
    )

    def tells(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [str(client_address(WSGIRequest(environ))).encode()]

    serving.start(tells)
    request = f"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{sent}\r\n\r\n".encode()
    assert Answer(read_all(serving.connect(request, source))).body.decode() == client
