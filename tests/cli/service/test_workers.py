"""What is told of processes that send: who lives, and what a late or dead one holds up, since when and until when."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from prometheus_client import generate_latest

from newsletter.cli import invoke
from newsletter.delivery.sending import workers
from newsletter.delivery.sending.claim import claim_batch
from newsletter.delivery.sending.recipients import start_attempt
from newsletter.lib import db
from newsletter.models import Batch, Worker
from newsletter.web import metrics
from newsletter.worker import startup
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ready() -> None:
    startup.prepare()


def held(silent: float) -> None:
    """A batch of three, sent by a worker that was seen so many seconds ago."""
    now = db.now()
    process = workers.Process(uuid4(), "web-1", 17, "1.2.3")
    workers.beat(process)
    factories.planned(3)
    claim = claim_batch(now=now, provider=1, worker=process.id)
    assert claim is not None
    assert start_attempt(claim, now=now, provider=1, window=2, vault=factories.VAULT)
    Worker.objects.update(seen_at=now - timedelta(seconds=silent))
    Batch.objects.update(not_before=now - timedelta(seconds=90))


def told(capsys, command: str) -> tuple[int, str]:
    capsys.readouterr()
    code = invoke([command])
    return code, capsys.readouterr().out


def test_status_lists_who_sends(capsys) -> None:
    held(3)
    code, screen = told(capsys, "status")
    assert code == 0 and "workers      web-1 (17), version 1.2.3, last seen " in screen and "held by" not in screen
    invoke(["status", "--json"])
    found = json.loads(capsys.readouterr().out)
    (one,) = found["workers"]
    assert (one["host"], one["pid"], one["version"], one["dead"]) == ("web-1", 17, "1.2.3", False)
    assert 3 <= one["silent_seconds"] <= 10 and found["held_up"] == []


@pytest.mark.parametrize(("silent", "verdict", "code"), [(3, "ok", 0), (13, "warn", 0), (40, "fail", 1)])
def test_doctor_says_what_stands_still_in_the_hands_of_a_worker(capsys, silent: float, verdict: str, code: int) -> None:
    held(silent)
    invoke(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)
    (found,) = [one for one in findings if one["what"] == "held up"]
    assert found["verdict"] == verdict
    if verdict != "ok":
        seen = f"{Worker.objects.get().seen_at:%H:%M:%S}"
        assert found["message"].startswith(
            f"1 batch of 3 mails is held by worker web-1 (17), last seen at {seen} UTC: taken back at "
        )
        assert not any(one["message"] == "nothing waits" for one in findings)
    broken = [one["what"] for one in findings if one["verdict"] == "fail"]
    assert ("held up" in broken) == bool(code)
    ended, screen = told(capsys, "doctor")
    assert ended == bool(broken)
    ended, screen = told(capsys, "status")
    assert ("1 batch of 3 mails is held by worker web-1" in screen) == (verdict != "ok")
    assert ("1 died within a day" in screen) == (verdict == "fail")


@pytest.mark.parametrize(("silent", "age", "mails", "alive"), [(3, 0, 0, 1), (13, 90, 3, 1), (40, 90, 3, 0)])
def test_metrics_count_what_stands_still(silent: float, age: int, mails: int, alive: int) -> None:
    held(silent)
    lines = generate_latest(metrics.registry).decode().splitlines()
    figures = {
        name: float(value) for name, _, value in (line.partition(" ") for line in lines) if not name.startswith("#")
    }
    assert age <= figures["newsletter_planned_age_seconds"] < age + 60
    assert (figures["newsletter_held_up"], figures["newsletter_workers"]) == (mails, alive)


def test_a_worker_that_ended_has_no_name(capsys) -> None:
    held(3)
    Worker.objects.all().delete()
    assert "1 batch of 3 mails is held by a worker that has ended: taken back at" in told(capsys, "status")[1]
