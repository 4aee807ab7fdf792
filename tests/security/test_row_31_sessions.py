"""Threat 31: take over an admin's session, by planting it, by using it after its end, or by keeping it for ever."""

import re
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from newsletter.admins import accounts, sessions
from newsletter.audit import actor
from newsletter.lib import clock
from tests.security.service import Service
from tests.web.desk.conftest import PASSWORD, make_admin, signed_in

NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
WHO = actor.from_rule("test")


@pytest.fixture
def olga(db):
    return make_admin("olga", "owner")


@pytest.fixture
def ed(db):
    return make_admin("ed", "editor")


def is_in(client: Client) -> bool:
    return client.get("/desk/settings/").status_code == 200


def copy(client: Client) -> Client:
    """Somebody else with the same cookie."""
    thief = Client()
    thief.cookies["session"] = client.cookies["session"].value
    return thief


def test_a_session_planted_before_signing_in_is_worth_nothing(client, olga):
    signed_in(olga).post("/desk/sign-out/")
    client.post("/desk/sign-in/", {"login": "olga", "password": PASSWORD})
    client.post("/desk/sign-out/")
    planted = copy(client)  # "You are signed out" lives in a session of nobody
    before = client.cookies["session"].value
    client.post("/desk/sign-in/", {"login": "olga", "password": PASSWORD})
    assert client.cookies["session"].value != before
    assert is_in(client) and not is_in(planted)


def test_a_cookie_is_worth_nothing_after_signing_out(olga):
    client = signed_in(olga)
    thief = copy(client)
    assert is_in(thief)
    client.post("/desk/sign-out/")
    assert not is_in(thief)


def test_nor_after_the_password_has_changed(olga):
    client, other = signed_in(olga), signed_in(olga)
    thief = copy(client)
    new = {"oldpassword": PASSWORD, "password1": "four other words here", "password2": "four other words here"}
    client.post("/desk/settings/password/", new)
    assert is_in(client) and not is_in(thief) and not is_in(other)


@pytest.mark.parametrize("end", [accounts.disable, accounts.reset])
def test_nor_after_an_owner_ended_it(olga, ed, end):
    thief = copy(signed_in(ed))
    assert is_in(thief)
    end("ed", actor=WHO, now=clock.utcnow())
    assert not is_in(thief)
    accounts.enable("ed", actor=WHO, now=clock.utcnow())
    assert not is_in(thief)


def test_nor_after_half_an_hour_without_use(olga):
    with time_machine.travel(NOW, tick=False) as now:
        client = signed_in(olga)
        for minutes in (29, 29):
            now.shift(timedelta(minutes=minutes))
            assert is_in(client)
        now.shift(timedelta(minutes=31))
        assert not is_in(client) and not is_in(copy(client))


def test_pages_that_refresh_by_themselves_keep_no_session(olga):
    with time_machine.travel(NOW, tick=False) as now:
        client = signed_in(olga)
        for _ in range(3):
            now.shift(timedelta(minutes=10))
            client.get("/desk/settings/", headers={"sec-fetch-dest": "empty"})
        now.shift(timedelta(minutes=1))
        assert not is_in(client)


def test_nor_after_twelve_hours_of_use(olga):
    with time_machine.travel(NOW, tick=False) as now:
        client = signed_in(olga)
        for _ in range(28):
            now.shift(timedelta(minutes=25))
            assert is_in(client)
        now.shift(timedelta(minutes=25))
        assert not is_in(client)


def test_the_last_use_is_written_once_a_minute(olga):
    with time_machine.travel(NOW, tick=False) as now:
        client = signed_in(olga)
        key = UserSession.objects.get().session_key
        written = []
        for _ in range(7):
            now.shift(timedelta(seconds=20))
            with CaptureQueriesContext(connection) as asked:
                assert sessions.use(key, now=clock.utcnow()) is sessions.State.OPEN
            written.append(len(asked) == 2)
    assert written == [False, False, True, False, False, True, False]
    assert client


def test_public_pages_ask_for_no_session(olga):
    client = signed_in(olga)
    with CaptureQueriesContext(connection) as asked:
        page = client.get("/privacy")
    assert not any("session" in query["sql"] for query in asked)
    assert "session" not in page.cookies and "Cookie" not in page.headers.get("Vary", "")


def test_the_cookie_over_tls(service: Service):
    """Of a proxy that ends TLS: the service speaks plain HTTP, and the address of the pages is https."""
    link = service.command("admin", "create", "maria").rpartition("https://news.example.org")[2].strip()
    proxied = ("X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: https")
    page = service.ask(link, *proxied, host="news.example.org", source="127.0.0.2")
    word = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.body.decode())[1]
    cookie = page.headers["set-cookie"].partition(";")[0]
    body = urlencode({"password": PASSWORD, "again": PASSWORD, "csrfmiddlewaretoken": word}).encode()
    typed = (f"Cookie: {cookie}", "Origin: https://news.example.org", "Content-Type: application/x-www-form-urlencoded")
    answer = service.ask(link, *proxied, *typed, method="POST", body=body, host="news.example.org", source="127.0.0.2")
    assert answer.status == 302, answer.body
    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    assert morsel.key == "__Host-session" and morsel["secure"] and morsel["httponly"]
    assert morsel["samesite"] == "Lax" and morsel["path"] == "/" and not morsel["domain"]
    assert link.rpartition("/")[2] not in service.log.read_text(), "a link is in no log"
