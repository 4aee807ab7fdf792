"""Row 16: no feed, whatever leads there, makes us ask a machine that only we can reach, or another port than 80 and 443."""

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer

from newsletter.feeds.catalogue import manage
from newsletter.feeds.fetching import address_guard
from newsletter.feeds.fetching.http_client import Fetcher, RequestFailed
from newsletter.lib import db
from newsletter.models import Feed
from tests.factories import ACTOR
from tests.feeds.fetching.addresses import PRIVATE
from tests.feeds.poll_one import poll_one

REBOUND = ("127.0.0.1.nip.io", "localtest.me", "metadata.google.internal")


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Where connections were begun. Every name is of a public address, and nobody answers there."""
    begun: list[tuple[str, int]] = []

    def connect(_self: Any, host: str, port: int, *_args: Any, **_more: Any) -> None:
        begun.append((host, port))
        raise address_guard.httpcore2.ConnectError("nobody there")

    def look_up(host: str, port: int, *_args: Any, **_more: Any) -> list[Any]:
        inside = host in REBOUND or host.startswith("127.")
        address = "127.0.0.1" if inside else "93.184.216.34"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(address_guard.httpcore2.SyncBackend, "connect_tcp", connect)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return begun


@pytest.mark.parametrize(
    "port", [21, 22, 25, 53, 81, 110, 389, 442, 444, 3306, 5432, 6379, 8000, 8080, 8443, 9200, 65_535]
)
def test_no_other_port_of_a_public_host_is_asked(tried: list[tuple[str, int]], port: int) -> None:
    for scheme in ("http", "https"):
        assert isinstance(Fetcher().get(f"{scheme}://feed.example:{port}/"), RequestFailed)
    assert tried == []


def test_ports_80_and_443_are_asked_by_the_address_that_was_checked(tried: list[tuple[str, int]]) -> None:
    for url in (
        "http://feed.example/",
        "https://feed.example/",
        "http://feed.example:443/",
        "https://feed.example:80/",
    ):
        Fetcher().get(url)
    assert tried == [("93.184.216.34", port) for port in (80, 443, 443, 80)]


@pytest.mark.parametrize("host", REBOUND)
def test_a_public_name_of_a_private_address_is_not_asked(tried: list[tuple[str, int]], host: str) -> None:
    assert isinstance(Fetcher().get(f"http://{host}/latest/meta-data/"), RequestFailed)
    assert tried == []


def named(canary: str) -> list[str]:
    """Answers of a feed's site that lead to the canary: a page, and feeds with older pages, a hub, a cloud, an icon."""
    feed = "<rss version='2.0' xmlns:a='http://www.w3.org/2005/Atom'><channel><title>x</title>{}<item><title>x</title></item></channel></rss>"
    links = "".join(
        f"<a:link rel='{rel}' href='{canary}'/>" for rel in ("self", "next", "prev-archive", "hub", "first", "icon")
    )
    return [
        f"<html><head><link rel='alternate' type='application/rss+xml' href='{canary}'></head></html>",
        feed.format(f"{links}<image><url>{canary}</url></image><docs>{canary}</docs>"),
        f"<?xml-stylesheet href='{canary}'?>{feed.format('')}",
        f"<?xml version='1.0'?><!DOCTYPE rss SYSTEM '{canary}'>{feed.format('')}",
    ]


@pytest.mark.django_db
def test_nothing_that_a_site_answers_leads_to_a_machine_of_ours(httpserver: HTTPServer) -> None:
    """The site is let through under the name localhost; the same machine under its address is the canary."""
    port = urlsplit(httpserver.url_for("/")).port or 0
    fetcher = Fetcher(allow=frozenset({("localhost", port)}))
    canaries = [f"http://{host}:{port}/canary" for host in ("127.0.0.1", "[::ffff:127.0.0.1]", "0", "127.1")]
    httpserver.expect_request("/canary").respond_with_data(
        "<rss version='2.0'><channel><title>s</title></channel></rss>"
    )
    for number, canary in enumerate(canaries):
        httpserver.expect_request(f"/jump{number}").respond_with_data(status=302, headers={"Location": canary})
        manage.add(f"http://localhost:{port}/jump{number}", now=db.now(), fetcher=fetcher, actor=ACTOR)
    for number, text in enumerate(named(canaries[0])):
        httpserver.expect_request(f"/feed{number}").respond_with_data(text, content_type="application/xml")
        manage.add(f"http://localhost:{port}/feed{number}", now=db.now(), fetcher=fetcher, actor=ACTOR)
    for feed_id in Feed.objects.values_list("id", flat=True):
        for _ in range(2):
            manage.mark_due(feed_id, now=db.now())
            poll_one(feed_id, now=db.now(), fetcher=fetcher)
    for host in PRIVATE:
        manage.add(f"http://{host}:{port}/canary", now=db.now(), fetcher=Fetcher(), actor=ACTOR)
    asked = [request.path for request, _ in httpserver.log]
    assert "/canary" not in asked and len(set(asked)) >= 8
