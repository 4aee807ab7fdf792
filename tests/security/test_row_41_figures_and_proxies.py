"""Threat 41: what is meant for those who run the service is open to strangers, above all behind a proxy."""

import pytest
from django.test import Client

from newsletter import settings
from tests.security.conftest import TOKEN
from tests.security.service import Service

FORWARDED = (
    "X-Forwarded-For: 203.0.113.9",
    "X-Forwarded-For: 127.0.0.1",
    "Forwarded: for=127.0.0.1",
    "X-Real-IP: 127.0.0.1",
)
RIGHT = f"Authorization: Bearer {TOKEN}"


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.2"])
@pytest.mark.parametrize("header", ["X-None: 1", *FORWARDED])
def test_nobody_sees_figures_on_the_pages_listener_without_the_token(
    service: Service, client: Client, db, header: str, source: str
) -> None:
    told = service.ask("/metrics", header, source=source)
    assert told.status == 404
    assert b"newsletter_" not in told.body
    name, _, value = header.partition(": ")
    assert client.get("/metrics", headers={name: value}, REMOTE_ADDR=source).status_code == 404, "with nothing set"


@pytest.mark.parametrize(
    "header",
    [
        f"Authorization: Bearer {TOKEN}x",
        f"Authorization: Bearer {TOKEN[:-1]}",
        f"Authorization: Bearer {TOKEN.upper()}",
        "Authorization: Bearer",
        "Authorization: Bearer ",
        "Authorization: Bearer \xff",
        f"Authorization: Basic {TOKEN}",
        f"Authorization: {TOKEN}",
        f"X-Authorization: Bearer {TOKEN}",
        "newsletter.metrics-listener: 1",
        "newsletter.metrics_listener: 1",
    ],
)
def test_no_other_word_opens_them(service: Service, client: Client, db, header: str) -> None:
    assert service.ask("/metrics", header).status == 404
    assert service.ask(f"/metrics?token={TOKEN}", header).status == 404
    name, _, value = header.partition(":")
    assert client.get("/metrics", headers={name: value.strip()}).status_code == 404, "with nothing set"


def test_the_token_opens_them_also_through_the_proxy(service: Service) -> None:
    for headers in ((RIGHT,), (RIGHT, *FORWARDED), (f"authorization:   bearer   {TOKEN}  ",)):
        told = service.ask("/metrics", *headers, host="news.example.org")
        assert told.status == 200
        assert b"\nnewsletter_subscribers{" in told.body


def test_a_listener_of_its_own_has_figures_and_nothing_else(service: Service) -> None:
    told = service.ask("/metrics", port=service.metrics_port, host="prometheus.internal:9100")
    assert told.status == 200 and b"\nnewsletter_subscribers{" in told.body
    for path in ("/", "/healthz", "/preferences", "/metrics/", "/static/style.css", "/hooks/sendgrid"):
        assert service.ask(path, port=service.metrics_port).status == 404
    assert service.ask("/metrics", method="POST", port=service.metrics_port).status == 403


def test_only_the_proxy_says_that_a_request_came_over_tls(service: Service) -> None:
    """Over TLS a form needs an Origin or a Referer of ours; without TLS the word in the form is enough."""
    for source, status in (("127.0.0.2", b"403"), ("127.0.0.1", b"422")):
        page = service.ask("/", source=source)
        cookie = page.headers["set-cookie"].partition(";")[0]
        word = page.body.partition(b'name="csrfmiddlewaretoken" value="')[2].partition(b'"')[0]
        headers = (f"Cookie: {cookie}", "X-Forwarded-Proto: https", "Content-Type: application/x-www-form-urlencoded")
        told = service.ask("/", *headers, method="POST", body=b"csrfmiddlewaretoken=" + word, source=source)
        assert str(told.status).encode() == status


def test_no_page_tells_of_our_insides(service: Service) -> None:
    assert settings.DEBUG is False
    assert not hasattr(settings, "SECURE_PROXY_SSL_HEADER"), "Django would believe everybody"
    assert not getattr(settings, "USE_X_FORWARDED_HOST", False)
    for path in ("/admin/", "/debug", "/flower", "/__debug__/", "/nothing"):
        told = service.ask(path)
        assert told.status == 404
        assert b"Traceback" not in told.body and b"urlpatterns" not in told.body
