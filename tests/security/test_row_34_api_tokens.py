"""Row 34: which token may call what. Every operation of the router is asked with every scope."""

import json
import re

import pytest
from django.test import Client

from newsletter.admins import tokens
from newsletter.lib import db
from newsletter.models import Admin, ApiToken
from tests import factories
from tests.factories import ACTOR
from tests.web.api.conftest import make_token, operations
from tests.web.desk.conftest import make_admin, signed_in

pytestmark = pytest.mark.django_db
OPERATIONS = operations()


def ask(token: str, method: str, path: str) -> object:
    filled = path.replace("{reference}", "0000-0000-00")
    filled = re.sub(r"\{\w+_id\}", "999999", filled)
    client = Client(headers={"Authorization": f"Bearer {token}"} if token else {})
    return client.generic(method, filled, "" if method == "GET" else "[", content_type="application/json")


@pytest.fixture
def by_scope(db: None) -> dict[str, str]:
    factories.open_gate()
    return {scope: make_token(scope) for scope in ApiToken.Scope.values}


def test_a_token_does_what_its_scope_says_and_nothing_else(by_scope: dict[str, str]) -> None:
    assert len(OPERATIONS) > 30
    for method, path, scope in OPERATIONS:
        allowed = [name for name, token in by_scope.items() if ask(token, method, path).status_code != 403]
        assert allowed == [scope], (method, path)


def test_without_a_token_that_is_valid_nothing_is_answered(by_scope: dict[str, str]) -> None:
    assert tokens.revoke("read", actor=ACTOR, now=db.now())
    for token in ("", "nl_000000000000_" + "A" * 43, by_scope["read"], "x" * 5000):
        for method, path, _ in OPERATIONS:
            answer = ask(token, method, path)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_session_of_the_desk_opens_nothing() -> None:
    as_owner = signed_in(make_admin("olga", Admin.Role.OWNER))
    for method, path, _ in OPERATIONS[:5]:
        assert getattr(as_owner, method.lower())(path.replace("{feed_id}", "1")).status_code == 401


def test_who_asks_too_often_waits(monkeypatch: pytest.MonkeyPatch, by_scope: dict[str, str]) -> None:
    monkeypatch.setattr(tokens, "PER_MINUTE", 1)
    answers = [ask(by_scope["read"], "GET", "/api/v1/feeds") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert 0 < int(answers[1].headers["Retry-After"]) <= 60
    assert json.loads(answers[1].content)["title"] == "Too Many Requests"
