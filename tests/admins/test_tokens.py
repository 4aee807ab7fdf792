"""Tokens of the API: what is stored, what is refused, and how often one may be used."""

from datetime import timedelta

import pytest

from newsletter.admins import tokens
from newsletter.lib.refused import Refused
from newsletter.models import ApiToken, AuditEntry
from tests.factories import ACTOR, NOW

pytestmark = pytest.mark.django_db


def make(name: str = "nightly", *scopes: str, **values: object) -> tokens.NewToken:
    made = tokens.create(name, scopes or ("read",), actor=ACTOR, now=NOW, **values)
    assert isinstance(made, tokens.NewToken), made
    return made


def test_a_token_is_found_by_itself_alone() -> None:
    made = make()
    found = tokens.find(made.secret, now=NOW)
    assert found is not None and found.name == "nightly" and found.made_by == ACTOR.name
    last = made.secret[-1]
    for wrong in (
        "",
        "nl_",
        made.secret[:-1],
        made.secret[:-1] + ("A" if last != "A" else "B"),
        f"{made.secret} ",
        "é" * 59,
    ):
        assert tokens.find(wrong, now=NOW) is None, wrong


def test_the_table_holds_no_token_that_could_be_used() -> None:
    made = make()
    row = ApiToken.objects.values().get()
    assert made.secret.rpartition("_")[2] not in str(row) and made.secret not in repr(made)
    assert len(bytes(row["token_hash"])) == 32
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_name, entry.after["scopes"]) == ("token.create", "nightly", ["read"])
    assert made.secret not in str(entry.after)


def test_an_expired_or_revoked_token_is_found_no_more() -> None:
    made = make(expires_at=NOW + timedelta(days=1))
    assert tokens.find(made.secret, now=NOW + timedelta(days=1)) is None
    assert isinstance(tokens.revoke("nightly", actor=ACTOR, now=NOW), ApiToken)
    assert tokens.find(made.secret, now=NOW) is None
    assert isinstance(tokens.revoke("nightly", actor=ACTOR, now=NOW), Refused)
    assert isinstance(tokens.revoke("other", actor=ACTOR, now=NOW), Refused)


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [
        ("", ("read",), 1),
        ("anna@example.org", ("read",), 1),
        ("a", (), 1),
        ("a", ("read", "everything"), 1),
        ("a", ("people", "read"), 1),
        ("a", ("read",), 731),
        ("a", ("read",), 0),
        ("nightly", ("read",), 1),
    ],
)
def test_what_cannot_be_a_token_says_why(name, scopes, days) -> None:
    make()
    made = tokens.create(name, scopes, expires_at=NOW + timedelta(days=days), actor=ACTOR, now=NOW)
    assert isinstance(made, Refused) and made.reason


def test_requests_are_counted_by_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "PER_MINUTE", 2)
    token = tokens.find(make().secret, now=NOW)
    assert token is not None
    at = [NOW + timedelta(seconds=seconds) for seconds in (5, 20, 40, 61)]
    assert [tokens.count_use(token, now=moment).retry_after for moment in at] == [0, 0, 20, 0]
    token.refresh_from_db()
    assert token.last_used_at == at[3]
    tokens.count_use(token, now=NOW + timedelta(seconds=90))
    token.refresh_from_db()
    assert token.last_used_at == at[3], "written at most once a minute"
