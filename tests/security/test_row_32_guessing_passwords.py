"""Threat 32: guess an admin's password, or lock an admin out by guessing."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
import time_machine
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from newsletter.models import Admin, SharedCache
from tests.web.desk.conftest import PASSWORD, make_admin

pytestmark = pytest.mark.django_db
HERE, NEAR, ELSEWHERE = "203.0.113.5", "203.0.113.77", "198.51.100.7"
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def hashes(monkeypatch) -> list[str]:
    """Each computation of a hash."""
    counted: list[str] = []
    for name in ("encode", "verify"):
        original = getattr(Argon2PasswordHasher, name)

        def counting(self, *args, _original=original, _name=name, **more):
            counted.append(_name)
            return _original(self, *args, **more)

        monkeypatch.setattr(Argon2PasswordHasher, name, counting)
    return counted


@pytest.fixture
def olga():
    return make_admin("olga", "owner")


def guess(name: str = "olga", password: str = "a wrong password", *, address: str = HERE, **headers: str):
    return Client().post(
        "/desk/sign-in/", {"login": name, "password": password}, REMOTE_ADDR=address, headers=headers or None
    )


def said(answer) -> str:
    return answer.content.decode().partition('role="alert">')[2].partition("<")[0]


def test_five_failures_then_no_password_is_even_looked_at(olga, hashes):
    told = [said(guess()) for _ in range(8)]
    assert [words.startswith("Too many") for words in told] == [False] * 5 + [True] * 3
    assert len(hashes) == 5
    assert guess(password=PASSWORD).status_code == 200, "not even the right one"
    assert guess("OLGA", password=PASSWORD).status_code == 200, "nor in capitals"
    assert guess(password=PASSWORD, address=NEAR).status_code == 200, "nor from the next address"
    assert len(hashes) == 5


def test_nobody_locks_an_admin_out_from_elsewhere(olga):
    for _ in range(8):
        guess()
    assert guess(password=PASSWORD, address=ELSEWHERE).status_code == 302


def test_who_knows_the_password_is_not_counted(olga):
    for _ in range(7):
        assert guess(password=PASSWORD).status_code == 302


def test_whoever_goes_on_waits_longer(olga):
    tried = []
    with time_machine.travel(MONDAY, tick=False) as now:
        for _ in range(8):
            tried.append(sum(said(guess()).startswith("This name") for _ in range(6)))
            now.shift(timedelta(minutes=16))
    assert tried == [5, 5, 0, 0, 0, 0, 0, 0]
    with time_machine.travel(MONDAY + timedelta(hours=3), tick=False):
        assert guess(password=PASSWORD).status_code == 302


def test_many_names_from_one_address(hashes):
    with time_machine.travel(MONDAY, tick=False):
        answers = [guess(f"name{number}").status_code for number in range(30)]
    assert answers == [200] * 20 + [429] * 10
    assert len(hashes) == 20


def test_unknown_wrong_and_disabled_are_answered_alike(olga, hashes):
    make_admin("gone", "editor", is_active=False)
    make_admin("invited", "editor")
    Admin.objects.filter(username="invited").update(password="!unusable")
    answers, costs = set(), set()
    for name, password in (("olga", "wrong"), ("nobody", "wrong"), ("gone", PASSWORD), ("invited", "wrong")):
        del hashes[:]
        answer = guess(name, password)
        answers.add((answer.status_code, said(answer)))
        costs.add(len(hashes))
    assert len(answers) == 1 and costs == {1}, (answers, costs)
    for _ in range(4):
        guess("gone", PASSWORD)
    assert said(guess("gone", PASSWORD)).startswith("Too many"), "its password is no secret of another kind"


def test_processes_share_the_count_and_it_names_nobody(olga):
    guess()
    stored = str(list(SharedCache.objects.values()))
    assert "login_failed" in stored
    assert "olga" not in stored.replace("allauth", "") and HERE not in stored.replace(f":ip:{HERE}", "")


def test_a_client_behind_the_proxy_is_who_the_proxy_says(olga, settings):
    import dataclasses

    settings.NEWSLETTER = dataclasses.replace(settings.NEWSLETTER, trusted_proxy=(ip_network("127.0.0.1"),))
    for _ in range(6):
        guess(address="127.0.0.1", **{"x-forwarded-for": HERE})
    assert guess(password=PASSWORD, address="127.0.0.1", **{"x-forwarded-for": HERE}).status_code == 200
    assert guess(password=PASSWORD, address="127.0.0.1", **{"x-forwarded-for": ELSEWHERE}).status_code == 302
    pretended = {"x-forwarded-for": f"{ELSEWHERE}, {HERE}"}
    assert guess(password=PASSWORD, address="127.0.0.1", **pretended).status_code == 200


def test_passwords_are_kept_with_argon2id(olga):
    assert Admin.objects.get().password.startswith("argon2$argon2id$")
