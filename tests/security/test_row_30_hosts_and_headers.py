"""Threat 30: pages in frames, under other names, or once more without TLS."""

import pytest
from django.test import Client

from newsletter.web.security_headers import POLICY
from tests.security.service import Service

PATHS = (
    "/",
    "/preferences",
    "/privacy",
    "/healthz",
    "/readyz",
    "/nothing",
    "/metrics",
    "/static/style.css",
    "/robots.txt",
)


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_says_that_pages_come_over_tls_only(service: Service, path: str) -> None:
    """The proxy speaks plain HTTP to us, whatever it says of its client."""
    for source, headers in (
        ("127.0.0.1", ()),
        ("127.0.0.2", ("X-Forwarded-Proto: https",)),
        ("127.0.0.2", ("X-Forwarded-Proto: http",)),
    ):
        told = service.ask(path, *headers, source=source, host="news.example.org")
        assert told.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("path", PATHS)
def test_without_tls_no_answer_asks_for_it(client: Client, db, path: str) -> None:
    told = client.get(path, headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" not in told.headers


@pytest.mark.parametrize("path", PATHS)
def test_headers_keep_every_answer_to_itself(service: Service, path: str) -> None:
    told = service.ask(path).headers
    assert told["content-security-policy"] == POLICY
    assert told["x-frame-options"] == "DENY"
    assert told["x-content-type-options"] == "nosniff"
    assert told["referrer-policy"] == "strict-origin"
    assert told["cross-origin-opener-policy"] == "same-origin"
    assert "server" not in told


@pytest.mark.parametrize(
    "host", ["evil.example", "news.example.org.evil.example", "news.example.org@evil.example", "", "*"]
)
def test_pages_answer_under_our_names_only(service: Service, host: str) -> None:
    told = service.ask("/", host=host)
    assert told.status == 400
    assert told.headers["strict-transport-security"]
    assert service.ask("/", host="news.example.org").status == 200
    assert service.ask("/", "X-Forwarded-Host: evil.example", host="news.example.org").body.count(b"evil.example") == 0
