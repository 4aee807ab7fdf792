"""One task's turn of sending: it ends long before the task's limit does, whatever the mail server."""

import inspect
from dataclasses import replace

import pytest
from django.db import connection

from newsletter import delivery_wiring
from newsletter.delivery import send
from newsletter.delivery.gates import sending_gate
from newsletter.delivery.gates.host_guard import HostGuard
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.lib.mail.provider_interface import Accepted
from newsletter.models import Batch, Gate
from newsletter.providers.smtp.provider import BEGIN_WITHIN, Smtp
from newsletter.worker import stages, tasks
from newsletter.worker.stages import StageRun
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(tasks, "publish", names.append)
    factories.open_gate()
    return names


def carried_by(provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = send.Sender(
        provider=provider, vault=factories.VAULT, base_url="https://news.example.org", domain="example.org"
    )
    monkeypatch.setattr(delivery_wiring, "senders", lambda: [sender])


def test_a_slow_server_gets_one_window_and_the_task_is_published_again(published, monkeypatch) -> None:
    provider = ScriptedProvider(window=2)
    carried_by(provider, monkeypatch)
    monkeypatch.setattr(StageRun, "should_continue", lambda _run: not provider.windows)  # one window took all the time
    factories.planned(6)
    factories.planned(6)
    tasks.run("send")
    assert provider.windows == [2]
    assert ledger_summary().by_state == {"accepted": 2, "planned": 10}
    assert published == ["send"]


def test_the_last_answer_of_a_window_comes_before_the_tasks_limit() -> None:
    longest = BEGIN_WITHIN + inspect.signature(Smtp).parameters["answer_within"].default
    assert stages.SENDING + longest < tasks.app.tasks["newsletter.send"].soft_time_limit


def test_send_publishes_itself_only_while_more_is_due(published, monkeypatch) -> None:
    carried_by(ScriptedProvider(), monkeypatch)
    monkeypatch.setattr(stages, "TURN", 2)
    factories.planned(1)
    tasks.run("send")
    assert published == []
    for _ in range(3):
        factories.planned(1)
    tasks.run("send")
    assert published == ["send"]
    assert Batch.objects.filter(state="planned").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mails", [0, 1])
def test_of_a_database_that_is_set_back_under_a_worker_nothing_more_is_sent(
    mails: int, published, settings, monkeypatch, tmp_path
) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, data_dir=tmp_path)
    assert not HostGuard(tmp_path).check_and_advance_mark(now=factories.NOW).in_doubt
    backup = Gate.objects.values().get()
    assert not HostGuard(tmp_path).check_and_advance_mark(now=factories.NOW).in_doubt
    for _ in range(2):
        factories.planned(1)

    def set_back(_parcel: object = None) -> Accepted:
        Gate.objects.update(**backup)
        connection.close()  # as it is by the restart
        return Accepted()

    provider = ScriptedProvider(set_back)
    carried_by(provider, monkeypatch)
    if not mails:
        set_back()
    tasks.run("send")
    assert len(provider.handed) == mails
    assert "older" in (sending_gate.pause_reason() or "")
