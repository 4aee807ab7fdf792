"""The audit log on the command line."""

import pytest

from newsletter.audit.record import Thing, record
from newsletter.audit.search import AuditFilter
from newsletter.cli.audit import commands
from tests.factories import ACTOR, NOW


@pytest.mark.django_db
def test_a_thing_is_a_kind_a_number_or_a_part_of_a_name() -> None:
    record(ACTOR, "topic.edit", Thing("topic", 7, "Cable"), now=NOW, before={"revision": 1}, after={"revision": 2})
    assert commands._filter("m", "topic:7") == AuditFilter(actor="m", kind="topic", number=7)
    assert commands._filter("", "topic") == AuditFilter(kind="topic")
    assert commands._filter("", "able") == AuditFilter(name="able")


@pytest.mark.django_db
def test_rows_are_printed_in_words_and_as_json(monkeypatch, capsys) -> None:
    monkeypatch.setattr(commands, "ready", lambda: None)
    commands.list_rows(actor="", thing="", limit=5)
    assert "Nothing was changed yet" in capsys.readouterr().out
    record(ACTOR, "topic.edit", Thing("topic", 7, "Cable"), now=NOW, before={"revision": 1}, after={"revision": 2})
    commands.list_rows(actor="", thing="", limit=5)
    out = capsys.readouterr().out
    assert "changed the topic" in out and "revision: 1 → 2" in out
    commands.list_rows(actor="tests", thing="", limit=5, json=True)
    assert '"action": "topic.edit"' in capsys.readouterr().out
