"""One task's turn of sending: it ends long before the task's limit does, whatever the mail server."""

import inspect

import pytest

from newsletter import tasks, wiring
from newsletter.delivery import send, status
from newsletter.models import Batch
from newsletter.providers import smtp
from tests import rows
from tests.delivery.carrier import ScriptedCarrier

pytestmark = pytest.mark.django_db


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    rung: list[str] = []
    monkeypatch.setattr(tasks, "ring", rung.append)
    rows.open_gate()
    return rung


def carried_by(carrier: ScriptedCarrier, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = send.Sender(provider=carrier, vault=rows.VAULT, base_url="https://news.example.org", domain="example.org")
    monkeypatch.setattr(wiring, "senders", lambda: [sender])


def test_a_slow_server_is_left_after_a_window_and_others_go_on(bells, monkeypatch) -> None:
    carrier = ScriptedCarrier(window=2)
    carried_by(carrier, monkeypatch)
    monkeypatch.setattr(tasks, "_for", lambda _seconds: lambda: not carrier.windows)  # one window took all the time
    rows.planned(6)
    rows.planned(6)
    tasks.send_batches()
    assert carrier.windows == [2]
    assert status.ledger().by_state == {"accepted": 2, "planned": 10}
    assert bells == ["send"]


def test_the_last_answer_of_a_window_comes_before_the_tasks_limit() -> None:
    longest = smtp.BEGIN_WITHIN + inspect.signature(smtp.Smtp).parameters["answer_within"].default
    assert tasks.SENDING + longest < tasks.send_batches.soft_time_limit


def test_a_turn_ends_where_nothing_is_due_and_rings_where_more_is(bells, monkeypatch) -> None:
    carried_by(ScriptedCarrier(), monkeypatch)
    monkeypatch.setattr(tasks, "TURN", 2)
    rows.planned(1)
    tasks.send_batches()
    assert bells == []
    for _ in range(3):
        rows.planned(1)
    tasks.send_batches()
    assert bells == ["send"]
    assert Batch.objects.filter(state="planned").count() == 1
