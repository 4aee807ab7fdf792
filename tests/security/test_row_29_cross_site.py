"""Threat 29: another site makes a reader's browser press our buttons."""

from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from tests.security.service import Answer, Service
from tests.web.desk.conftest import make_admin, signed_in
from tests.web.desk.routes import address, desk_routes

#: Where machines post, without a cookie: a token in the path, or a signature over the body, stands in its place.
EXEMPT = {"one_click", "sendgrid_events"}
#: What changes nothing refuses POST altogether.
READ_ONLY = {"expect", "asked", "objected", "privacy", "robots", "security", "healthz", "readyz", "metrics"}


def routes() -> list[URLPattern]:
    return [pattern for pattern in get_resolver().url_patterns if isinstance(pattern, URLPattern)]


def form(answer: Answer) -> tuple[str, str]:
    """The cookie as browsers send it back, and the word in the form."""
    cookie = answer.headers["set-cookie"].partition(";")[0]
    return cookie, answer.body.decode().partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]


def test_the_cookie_is_for_our_pages_alone_and_ends_with_the_browser(service: Service, client: Client, db) -> None:
    """Behind TLS, and without it as on one's own machine."""
    without_tls = client.get("/").cookies.output(header="")
    for told, name, secure in (
        (service.ask("/").headers["set-cookie"], "__Host-csrf", True),
        (without_tls, "csrf", ""),
    ):
        (cookie,) = SimpleCookie(told).values()
        assert cookie.key == name
        assert cookie["httponly"] is True
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/" and not cookie["domain"]
        assert cookie["secure"] == secure
        assert not cookie["expires"] and not cookie["max-age"], "a cookie of a session"


def test_every_button_asks_who_sends_it(db) -> None:
    client = Client(enforce_csrf_checks=True)
    for pattern in routes():
        args = ["A" * 22] * len(pattern.pattern.converters)
        for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
            answer = client.post(reverse(pattern.name, args=args), headers={"Origin": origin})  # type: ignore[arg-type]
            if pattern.name in EXEMPT:
                assert b"Forbidden" not in answer.content
            else:
                assert answer.status_code == 403, pattern.name
    assert {pattern.name for pattern in routes()} >= EXEMPT | READ_ONLY


def test_every_button_of_the_desk_asks_too(db) -> None:
    """Before anybody looks who is signed in: the browser of an owner sends the cookie along."""
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in(make_admin("olga", "owner")).cookies
    assert client.get("/desk/").status_code == 200
    for route in desk_routes():
        for headers in ({"origin": "https://evil.example"}, {}):
            answer = client.post(address(route), {"name": "canary"}, headers=headers)
            assert answer.status_code == 403 and b"canary" not in answer.content, route.name


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (("Origin: https://news.example.org",), 422),
        (("Origin: https://evil.example",), 403),
        (("Origin: null",), 403),
        (("Origin: http://news.example.org", "X-Forwarded-Proto: https"), 403),
        (("Referer: https://news.example.org/", "X-Forwarded-Proto: https"), 422),
        (("Referer: https://evil.example/", "X-Forwarded-Proto: https"), 403),
        (("X-Forwarded-Proto: https",), 403),
    ],
)
def test_a_form_counts_from_our_own_pages_only(service: Service, headers: tuple[str, ...], status: int) -> None:
    """As the proxy passes it on, with the right cookie and the right word."""
    asks = {"source": "127.0.0.2", "host": "news.example.org"}
    cookie, word = form(service.ask("/", **asks))  # type: ignore[arg-type]
    body = urlencode({"csrfmiddlewaretoken": word, "address": "nobody"}).encode()
    sent = (f"Cookie: {cookie}", "Content-Type: application/x-www-form-urlencoded", *headers)
    assert service.ask("/", *sent, method="POST", body=body, **asks).status == status  # type: ignore[arg-type]
    sent = sent[1:]
    assert service.ask("/", *sent, method="POST", body=body, **asks).status == 403, "without the cookie"  # type: ignore[arg-type]
