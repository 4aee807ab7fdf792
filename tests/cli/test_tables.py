"""Tables fit a terminal of 80 columns: no heading or number is folded."""

from datetime import timedelta

import pytest
from rich.console import Console

from newsletter.admins import accounts
from newsletter.cli import invoke
from newsletter.lib import db
from newsletter.models import Feed
from newsletter.worker import startup
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("words", "headings"),
    [
        ("feeds list", "ID Health Feed Entries Every Newest Next poll"),
        ("topics list", "ID Name State A week Followers Query"),
        ("deliveries list", "Reference State Occasion Batch Why"),
        ("deliveries sums", "Occasion Begun Complete Planned Accepted Others"),
        ("admin list", "Name Role Sends State Second factor Last seen"),
        ("topics history Cable", "Revision Since By Query Packs Without Note"),
    ],
)
def test_a_table_fits_80_columns(capsys, monkeypatch: pytest.MonkeyPatch, words: str, headings: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(Console, "is_terminal", True)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    startup.prepare()
    factories.topic("Cable")
    factories.planned(3)
    Feed.objects.update(title="A feed of a digest with a long name", next_fetch_at=db.now() + timedelta(hours=1))
    accounts.create("maria-of-the-desk", role="owner", actor=factories.ACTOR, now=db.now())
    capsys.readouterr()
    assert invoke(words.split()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines[0].split()) == headings
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 8
