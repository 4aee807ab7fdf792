"""One pass over the tables: a stage that fails is told by its name, and holds up none of those after it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from newsletter import wiring
from newsletter.cli import invoke
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.editions import compose, gatherings, notices
from newsletter.feeds import poll
from newsletter.lib import db
from newsletter.matching import match, rematch
from newsletter.models import Worker
from newsletter.worker import maintenance, run_once, send_loop, startup
from tests import factories
from tests.journey import road

pytestmark = pytest.mark.django_db(transaction=True)

CANARY = "canary+7f3a@example.org"
STAGES = [
    ("recover", maintenance, "recover"),
    ("hear", maintenance, "read_reports"),
    ("rematch", rematch, "rematch"),
    ("match", match, "match_fresh"),
    ("notices", notices, "plan_notices"),
    ("close", gatherings, "close_alert_gathering"),
    ("slots", gatherings, "open_due_digests"),
    ("compose", gatherings, "unfinished_gatherings"),
]


@pytest.fixture(autouse=True)
def _installed(settings, tmp_path, monkeypatch) -> Iterator[None]:
    with road.configured(settings, data_dir=tmp_path):
        monkeypatch.setattr(wiring, "vault", lambda: factories.VAULT)
        startup.prepare()
        yield
        monkeypatch.undo()


def breaks(*_: object, **__: object) -> None:
    raise LookupError(CANARY)


@pytest.mark.parametrize(("stage", "room", "door"), STAGES, ids=[one[0] for one in STAGES])
def test_planned_mail_is_sent_whatever_fails_before_it(stage: str, room, door: str, monkeypatch) -> None:
    factories.planned(3)
    monkeypatch.setattr(room, door, breaks)
    with capture_logs() as told:
        done = run_once.deliver(wait=timedelta(0))
    assert (done.failed, done.accepted) == ((stage,), 3)
    assert ledger_summary().by_state == {"accepted": 3}
    failed = [one for one in told if one["event"] == "stage_failed"]
    assert [(one["stage"], one["error"]) for one in failed] == [(stage, "LookupError")]
    assert CANARY not in str(told)


def test_a_gathering_that_cannot_be_worded_holds_up_no_other(monkeypatch) -> None:
    composed = []

    def word(gathering_id: int, *_: object, **__: object) -> None:
        composed.append(gathering_id)
        if gathering_id == 8:
            breaks()

    monkeypatch.setattr(gatherings, "unfinished_gatherings", lambda: [7, 8, 9])
    monkeypatch.setattr(compose, "compose", word)
    done = run_once.deliver(wait=timedelta(0))
    assert composed == [7, 8, 9]
    assert done.failed == ("compose",)


def test_what_is_kept_no_longer_is_deleted_where_no_beat_runs() -> None:
    old = db.now() - timedelta(days=2)
    Worker.objects.create(id=uuid4(), host="gone", pid=1, version="1", started_at=old, seen_at=old)
    assert run_once.once(wait=timedelta(0)).failed == ()
    assert not Worker.objects.exists()


def test_what_was_sent_before_a_failure_is_counted(monkeypatch) -> None:
    factories.planned(1)
    real, asked = send_loop.send_next, []

    def send_next(_should_continue: object) -> object:
        asked.append(1)
        return real() if len(asked) == 1 else breaks()

    monkeypatch.setattr(send_loop, "send_next", send_next)
    done = run_once.deliver(wait=timedelta(0))
    assert (done.accepted, done.failed) == (1, ("send",))


def test_the_command_goes_through_all_stages_and_then_says_which_failed(capsys, monkeypatch) -> None:
    factories.planned(3)
    monkeypatch.setattr(poll, "poll_due", breaks)
    monkeypatch.setattr(match, "match_fresh", breaks)
    with capture_logs():
        assert invoke(["once", "--json"]) == 1
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["accepted"] == 3 and document["failed"] == ["read feeds", "match"]
    errors = [line for line in said.err.splitlines() if "newsletter:" in line]
    assert len(errors) == 1 and "read feeds, match" in errors[0]
    assert CANARY not in said.err + said.out


def test_on_a_host_that_is_new_to_the_data_it_says_why_nothing_was_sent(
    capsys, monkeypatch, settings, tmp_path
) -> None:
    factories.planned(3)
    monkeypatch.setattr(poll, "poll_due", lambda **_: iter(()))
    (tmp_path / "new").mkdir()
    settings.NEWSLETTER = replace(settings.NEWSLETTER, data_dir=tmp_path / "new")
    with capture_logs():
        assert invoke(["once", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["accepted"] == 0 and said.err == f"{Standing.NEW_HOST.value}\n"
    assert ledger_summary().by_state == {"planned": 3}
