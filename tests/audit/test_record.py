"""What stands in the audit log, and what never does."""

import re
from pathlib import Path

import pytest

import newsletter
from newsletter.audit import words
from newsletter.audit.record import Thing, reason_problem, record, record_difference, without_secrets
from newsletter.models import AuditEntry
from tests.factories import ACTOR, NOW

CODE = Path(newsletter.__file__).parent
FEED = Thing("feed", 7, "Harbour news")


@pytest.mark.django_db
def test_only_what_differs_is_written() -> None:
    state = {"state": "active", "title": "Harbour news"}
    assert not record_difference(ACTOR, "feed.edit", FEED, now=NOW, before=state, after=state)
    assert record_difference(ACTOR, "feed.pause", FEED, now=NOW, before=state, after=state | {"state": "paused"})
    row = AuditEntry.objects.get()
    assert (row.before, row.after, row.actor, row.at) == ({"state": "active"}, {"state": "paused"}, "tests", NOW)


@pytest.mark.django_db
def test_addresses_and_credentials_are_left_out() -> None:
    thing = Thing("feed", 7, "News, by anna@example.org")
    record(
        ACTOR,
        "feed.add",
        thing,
        now=NOW,
        after={"url": "https://me:pw@example.org/feed", "at": NOW, "on": ["a@b.example"]},
    )
    row = AuditEntry.objects.get()
    assert row.object_name == "News, by [address]"
    assert row.after == {"url": "https://example.org/feed", "at": "2026-11-24T09:00:00Z", "on": ["[address]"]}


def test_a_url_keeps_its_at_sign() -> None:
    assert without_secrets("https://social.example/@news@host.example") == "https://social.example/@news@host.example"
    assert without_secrets("<anna@example.org> wrote") == "<[address]> wrote"


def test_a_reason_is_needed_and_names_nobody() -> None:
    assert reason_problem("  ") and reason_problem("anna@example.org asked")
    assert reason_problem("she asked by phone") is None


def test_every_action_has_words() -> None:
    """Actions are written in full where they are recorded, or made of a kind and a verb in one place of the room."""
    kinds = "admin|delivery|feed|item|mailing|message|provider|route|sending|subscriber|suppression|token|topic"
    source = "".join(
        path.read_text(encoding="utf-8") for path in CODE.rglob("*.py") if "audit" not in path.relative_to(CODE).parts
    )
    recorded = set(re.findall(rf"(?:record\w*\(|_change\(|_update\()[^()]*?\"((?:{kinds})\.[a-z_]+)\"", source))
    assert len(recorded) > 30
    assert recorded <= words.ACTIONS
