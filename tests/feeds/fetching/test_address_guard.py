"""The private-address guard: no spelling of a private address, and no answer of a name server, gets through."""

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from newsletter.feeds.fetching import address_guard
from newsletter.feeds.fetching.http_client import Fetched, Fetcher, RequestFailed
from tests.feeds.fetching.addresses import PRIVATE


@pytest.mark.parametrize("host", PRIVATE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_a_private_address_is_asked(monkeypatch: pytest.MonkeyPatch, scheme: str, host: str) -> None:
    def connected(*_args: Any, **_more: Any) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(address_guard.httpcore2.SyncBackend, "connect_tcp", connected)
    got = Fetcher().get(f"{scheme}://{host}/feed")
    assert isinstance(got, RequestFailed)
    assert got.reason


@pytest.mark.parametrize(
    "url",
    [
        *(
            "file:///etc/passwd",
            "ftp://feed.example/",
            "gopher://feed.example/",
            "data:text/xml,<rss/>",
            "//feed.example/",
        ),
        *("http://", "http:///feed", "http://user:secret@feed.example/", "http://feed.example\\@127.0.0.1/"),
        *("http://feed.example/\r\nHost: evil", "http://feed .example/", "javascript:alert(1)", "unix:///run/x.sock"),
        *(
            "http://feed.example:22/",
            "http://feed.example:6379/",
            "http://feed.example:0/",
            "http://feed.example:99999/",
        ),
    ],
)
def test_other_schemes_ports_and_tricks_are_refused(url: str) -> None:
    got = Fetcher().get(url)
    assert isinstance(got, RequestFailed)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert address_guard.is_public_address(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_as_private_as_what_is_wrapped_in_it(inner: Any) -> None:
    number = int(inner)
    wrapped = [
        f"::ffff:{inner}",
        f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1",
    ]
    assert {address_guard.is_public_address(one) for one in wrapped} == {address_guard.is_public_address(str(inner))}
    assert not address_guard.is_public_address(f"::{inner}")


class NameServer:
    """Answers each look-up of `feed.example` with the next of its answers."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers: Iterator[list[str]] = iter(answers)
        self.asked = 0

    def __call__(self, host: str, port: int, *_args: Any, **_more: Any) -> list[Any]:
        self.asked += 1
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in next(self._answers)
        ]


@pytest.fixture
def canary(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    """A server on this machine that must not be reached, on the port that the guard lets through."""
    monkeypatch.setattr(address_guard, "PORTS", frozenset({urlsplit(httpserver.url_for("/")).port}))
    httpserver.expect_request("/feed").respond_with_data("secret")
    return httpserver


def test_a_name_is_resolved_once(canary: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def connect(_self: Any, host: str, *_args: Any, **_more: Any) -> None:
        tried.append(host)
        raise address_guard.httpcore2.ConnectError("nobody there")

    names = NameServer(["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", names)
    monkeypatch.setattr(address_guard.httpcore2.SyncBackend, "connect_tcp", connect)
    Fetcher().get(f"http://feed.example:{urlsplit(canary.url_for('/')).port}/feed")
    assert tried == ["93.184.216.34"]
    assert names.asked == 1
    assert not canary.log


@pytest.mark.parametrize(
    "answer",
    [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::1", "93.184.216.34"], ["::ffff:127.0.0.1"], ["0.0.0.0"]],
)
def test_one_private_address_among_public_ones_is_enough(
    canary: HTTPServer, monkeypatch: pytest.MonkeyPatch, answer: list[str]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", NameServer(answer))
    got = Fetcher().get(f"http://feed.example:{urlsplit(canary.url_for('/')).port}/feed")
    assert isinstance(got, RequestFailed)
    assert "private address" in got.reason
    assert not canary.log


@pytest.mark.parametrize(
    "to", ["http://127.0.0.1:{port}/feed", "//127.0.0.1:{port}/feed", "http://[::ffff:127.0.0.1]:{port}/feed"]
)
def test_every_hop_of_a_redirect_is_guarded(canary: HTTPServer, to: str) -> None:
    port = urlsplit(canary.url_for("/")).port or 0
    canary.expect_request("/jump").respond_with_data("", status=302, headers={"Location": to.format(port=port)})
    # the first hop is let through by its name, the same machine under another name is not
    got = Fetcher(allow=frozenset({("localhost", port)})).get(f"http://localhost:{port}/jump")
    assert isinstance(got, RequestFailed)
    assert "private address" in got.reason
    assert [request.path for request, _ in canary.log] == ["/jump"]


def test_a_proxy_of_the_environment_is_not_used(canary: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    site = urlsplit(canary.url_for("/"))
    got = Fetcher(allow=frozenset({(site.hostname or "", site.port or 0)})).get(canary.url_for("/feed"))
    assert isinstance(got, Fetched)


def test_only_the_named_pair_is_let_through(canary: HTTPServer) -> None:
    site = urlsplit(canary.url_for("/"))
    assert site.hostname
    assert isinstance(Fetcher(allow=frozenset({(site.hostname, 1)})).get(canary.url_for("/feed")), RequestFailed)
    assert isinstance(Fetcher(allow=frozenset({("other", site.port or 0)})).get(canary.url_for("/feed")), RequestFailed)
    assert not canary.log
