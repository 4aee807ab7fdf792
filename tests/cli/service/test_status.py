"""`status` answers first what a person asks first, and `doctor` tells the truth about a new installation."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest

from newsletter.cli import invoke
from newsletter.cli.output import counted
from newsletter.delivery.sending import workers
from newsletter.lib import db
from newsletter.models import Attempt, Feed, Pulse, Worker
from newsletter.worker import startup
from tests import factories
from tests.delivery.helpers import handed_over

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ready() -> None:
    startup.prepare()


def screen(capsys, *words: str) -> str:
    capsys.readouterr()
    invoke(list(words))
    return str(capsys.readouterr().out)


def start_worker() -> None:
    workers.beat(workers.Process(uuid4(), "web-1", 17, "1.2.3"))


def verdict(capsys, what: str) -> tuple[str, str]:
    findings = json.loads(screen(capsys, "doctor", "--json"))
    return next((finding["verdict"], finding["message"]) for finding in findings if finding["what"] == what)


def test_a_new_installation_is_not_running_and_has_nothing(capsys) -> None:
    first, day, _, heading, *rest = screen(capsys, "status").splitlines()
    assert first == "The service is NOT running."
    assert day == "Last 24 hours: 0 new items, 0 mails sent, 0 subscribers confirmed."
    assert heading == "4 things need you:"
    hints = [line for line in rest if line.startswith("- ")]
    assert ["newsletter run" in hints[0], "feeds add" in hints[1], "topics add" in hints[2]] == [True] * 3
    assert "subscribers add" in hints[3]
    # the tick that the set-up writes is no sign of a worker
    assert verdict(capsys, "workers")[0] == "warn"
    assert "newsletter run" in verdict(capsys, "workers")[1]


def test_a_service_at_work_has_nothing_for_you(capsys) -> None:
    factories.topic("Cable")
    handed_over(2)
    Attempt.objects.update(ended_at=db.now())
    Feed.objects.update(next_fetch_at=db.now() + timedelta(hours=1))
    start_worker()
    lines = screen(capsys, "status").splitlines()
    assert (lines[0], lines[3]) == ("The service is running.", "Nothing needs you."), lines
    assert "2 mails sent" in lines[1]
    assert verdict(capsys, "workers") == ("ok", "1 worker at work")


def test_a_worker_that_does_nothing_is_not_at_work(capsys) -> None:
    start_worker()
    Pulse.objects.filter(name="tick").update(at=db.now() - timedelta(minutes=3))
    assert screen(capsys, "status").startswith("The service is NOT running.")
    assert "restart the service" in verdict(capsys, "workers")[1]


def test_a_dead_worker_is_not_at_work(capsys) -> None:
    start_worker()
    Worker.objects.update(seen_at=db.now() - timedelta(minutes=1))
    assert screen(capsys, "status").startswith("The service is NOT running.")
    assert "newsletter run" in verdict(capsys, "workers")[1]


def test_numbers_agree_with_their_words() -> None:
    assert [counted(n, "mail") for n in (0, 1, 2)] == ["0 mails", "1 mail", "2 mails"]
    assert [counted(n, "batch", "batches") for n in (1, 5)] == ["1 batch", "5 batches"]
