"""A provider that leaves us in doubt: after five times nothing more is risked but one mail now and then."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from newsletter.delivery import send
from newsletter.delivery.gates import circuit_breaker
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Parcel, Rejected, Unknown
from newsletter.models import Batch, Breaker
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider

pytestmark = pytest.mark.django_db

NOW = factories.NOW


@pytest.fixture(autouse=True)
def _gate() -> None:
    factories.open_gate()


def run(provider: ScriptedProvider, moment: datetime = NOW, should_continue: Callable[[], bool] = lambda: True) -> int:
    sender = send.Sender(
        provider=provider, vault=factories.VAULT, base_url="https://news.example.org", domain="example.org"
    )
    sent = 0
    while send.send_next(sender, clock=lambda: moment, should_continue=should_continue):
        sent += 1
    return sent


def doubtful(window: int | None = None) -> ScriptedProvider:
    return ScriptedProvider(lambda _parcel: Unknown("answered 500"), window=window)


def test_after_five_doubts_in_a_row_the_rest_waits(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(8):
        factories.planned(4, provider=PlannedProvider(1, one_letter=True))
    assert run(doubtful()) == circuit_breaker.OPEN_AFTER
    assert ledger_summary().by_state == {"planned": 12, "unknown": 20}
    assert capsys.readouterr().out.count("provider_left_alone") == 1
    (one,) = circuit_breaker.open_breakers()
    assert (one.provider, one.since, one.next_probe_at) == (1, NOW, NOW + timedelta(minutes=1))


def test_a_probe_risks_one_mail_and_success_opens_the_way() -> None:
    for _ in range(7):
        factories.planned(4, provider=PlannedProvider(1, one_letter=True))
    run(doubtful())
    provider = doubtful()
    assert run(provider, NOW + timedelta(seconds=61)) == 1
    assert len(provider.handed) == 1
    assert run(provider, NOW + timedelta(seconds=62)) == 0
    provider.script = lambda _parcel: Accepted()
    assert run(provider, NOW + timedelta(minutes=5)) > 2
    assert ledger_summary().by_state == {"accepted": 7, "unknown": 21}
    assert circuit_breaker.open_breakers() == []


def test_of_two_workers_that_see_a_probe_due_one_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Breaker.objects.create(provider=1, in_a_row=5, opened_at=NOW, open_until=NOW)
    real, others = circuit_breaker._wait, []

    def wait(probes: int) -> timedelta:
        """The other worker, between our look and our word."""
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(circuit_breaker, "_wait", real)
            others.append(circuit_breaker.take_probe(1, now=NOW))
        return real(probes)

    monkeypatch.setattr(circuit_breaker, "_wait", wait)
    assert circuit_breaker.take_probe(1, now=NOW) is False
    assert others == [True]
    assert Breaker.objects.get().probes == 1


@pytest.mark.parametrize("answer", [Accepted(), Rejected("550 5.1.1")])
def test_any_answer_ends_a_row_of_doubtful_ones(answer: Outcome) -> None:
    answers = [Unknown("x")] * 4 + [answer] + [Unknown("x")] * 4
    for _ in answers:
        factories.planned(1, provider=PlannedProvider(1, one_letter=True))
    provider = ScriptedProvider(window=None)
    provider.script = lambda _parcel: answers[len(provider.handed) - 1]
    assert run(provider) == 9
    assert not circuit_breaker.is_open(1)


def test_a_connection_that_never_came_to_be_says_nothing() -> None:
    for _ in range(7):
        factories.planned(1, provider=PlannedProvider(1, one_letter=True))
    assert run(ScriptedProvider(lambda _parcel: Deferred("refused"), window=None)) == 7
    assert not Breaker.objects.exists()


def test_other_providers_go_on() -> None:
    Breaker.objects.create(provider=2, in_a_row=5, open_until=NOW + timedelta(hours=1), opened_at=NOW)
    factories.planned(1)
    assert run(ScriptedProvider()) == 1


def test_windows_after_the_fifth_doubt_are_not_opened() -> None:
    factories.planned(20)
    provider = doubtful(window=2)
    assert run(provider) == 1
    assert len(provider.handed) == 10
    assert ledger_summary().by_state == {"planned": 10, "unknown": 10}


@pytest.mark.parametrize(("window", "handed"), [(None, 6), (2, 2)])
def test_a_worker_that_is_told_to_stop_finishes_what_has_left_and_gives_the_rest_back(
    window: int | None, handed: int
) -> None:
    factories.planned(6, provider=PlannedProvider(1, one_letter=window is None))
    factories.planned(6, provider=PlannedProvider(1, one_letter=window is None))
    going = [True]

    def stop(_parcel: Parcel) -> Outcome:
        going[0] = False
        return Accepted()

    provider = ScriptedProvider(stop, window=window)
    assert run(provider, should_continue=lambda: going[0]) == 1
    assert ledger_summary().by_state == {"accepted": handed, "planned": 12 - handed}
    assert not Batch.objects.filter(state__in=("claimed", "sending")).exists()
    provider.script = lambda _parcel: Accepted()
    run(provider)
    assert ledger_summary().by_state == {"accepted": 12}
    assert len({parcel.delivery_id for parcel in provider.handed}) == len(provider.handed) == 12
