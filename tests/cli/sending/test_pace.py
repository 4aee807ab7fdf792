"""What status, doctor, /metrics and once say and do where mail keeps a pace, and where a day has an end."""

from datetime import timedelta

import pytest
from django.test import Client

from newsletter import delivery_wiring, wiring
from newsletter.cli.service import status
from newsletter.cli.service.doctor.examine import examine
from newsletter.config import rate_limits
from newsletter.config.config import METRICS_LISTENER
from newsletter.delivery.sending.pacing import WAITS_FOR_PACE
from newsletter.lib import db
from newsletter.models import Attempt, Batch, Lane
from newsletter.status.attention import read_attention
from newsletter.status.figures import figures
from newsletter.worker import run_once, startup
from tests import factories
from tests.delivery.helpers import handed_over, states
from tests.journey import road

pytestmark = pytest.mark.django_db


@pytest.fixture
def paced(settings, monkeypatch, tmp_path):
    """Settings as the environment would give them; the tables are opened with the keys of the tests."""
    made = []

    def use(**words: str) -> None:
        limits = rate_limits.read(**{"pace": "", "domain_pace": "", "daily_cap": "", "warm_up": "", **words})
        made.append(road.configured(settings, limits=limits, data_dir=tmp_path))
        made[-1].__enter__()
        monkeypatch.setattr(wiring, "vault", lambda: factories.VAULT)
        startup.prepare()

    yield use
    for one in made:
        monkeypatch.undo()
        one.__exit__(None, None, None)


def findings(name: str) -> list[tuple[str, str]]:
    return [(one.verdict, one.message) for one in examine() if one.what == name]


def line(word: str) -> str:
    return next((one for one in status.lines(figures(read_attention()), ()) if one.startswith(word)), "")


def metrics() -> str:
    return Client().get("/metrics", **{METRICS_LISTENER: True}).content.decode()


def test_once_goes_on_at_the_pace_to_the_end(paced) -> None:
    paced(pace="20", domain_pace="gmail.com=4")
    factories.planned([factories.subscriber(f"r{number}@gmail.com") for number in range(44)])
    factories.planned(30)
    done = run_once.once(wait=timedelta(0))
    assert done.accepted == 74 and states() == {"accepted": 74}
    assert Batch.objects.filter(state="accepted").count() > 2


def test_a_worker_that_looks_by_itself_does_not_go_on_for_ever(paced) -> None:
    paced(domain_pace="gmail.com=0.001")
    factories.planned([factories.subscriber(f"r{number}@gmail.com") for number in range(5)])
    assert run_once.deliver(wait=timedelta(0), paced=0.0).accepted == 1
    told = metrics()
    assert "newsletter_waiting_for_pace 4.0" in told


def test_what_waits_for_the_next_day_is_said_everywhere(paced) -> None:
    paced(daily_cap="outbox=3")
    factories.planned(10)
    assert run_once.once(wait=timedelta(0)).accepted == 3
    words = "outbox: 3 of 3 mails, waiting for the daily cap: 7 mails, until "
    assert words in line("daily cap") and "00:00 UTC" in line("daily cap")
    ((verdict, told),) = findings("daily cap")
    assert verdict == "warn" and words in told and "NEWSLETTER_DAILY_CAP" in told
    Batch.objects.filter(state="planned").update(not_before=db.now() - timedelta(hours=3))
    ((verdict, told),) = findings("queue")
    assert verdict == "ok" and "see above" in told
    told = metrics()
    for name, value in (("daily_cap", 3), ("daily_used", 3), ("waiting_for_cap", 7)):
        assert f'newsletter_{name}{{provider="outbox"}} {value}.0' in told
    assert figures(read_attention())["days"][0]["waiting"] == 7


def test_a_day_that_is_not_over_is_shown_and_worries_nobody(paced) -> None:
    paced(warm_up="2026-01-01:100", daily_cap="50")
    factories.planned(10)
    run_once.once(wait=timedelta(0))
    assert line("daily cap") == "daily cap    outbox: 10 of 50 mails"
    assert findings("daily cap") == [("ok", "outbox: 10 of 50 mails")]


def test_without_limits_nothing_is_said(paced) -> None:
    paced()
    assert delivery_wiring.senders()[0].pacing is None
    assert line("daily cap") == "" and findings("daily cap") == []
    assert "newsletter_daily_cap{" not in metrics()


def test_mail_that_goes_at_its_pace_is_no_stuck_queue(paced) -> None:
    paced(pace="0.001")
    factories.planned(5, lane=Lane.DIGEST, kind="digest")
    run_once.deliver(wait=timedelta(0), paced=0.0)
    Batch.objects.filter(state="planned").update(not_before=db.now() - timedelta(hours=3))
    assert findings("queue")[0][0] == "ok" and "NEWSLETTER_PACE" in findings("queue")[0][1]
    Attempt.objects.update(began_at=db.now() - timedelta(minutes=5))
    assert findings("queue")[0][0] == "warn"


def test_what_came_back_is_in_the_metrics(paced) -> None:
    from newsletter.lib.mail.provider_interface import ReportKind
    from newsletter.models import Event

    paced()
    mails = handed_over(4)
    now = db.now()
    Attempt.objects.update(ended_at=now)
    for number, kind in ((0, ReportKind.BOUNCE), (1, ReportKind.COMPLAINT)):
        Event.objects.create(
            fingerprint=bytes([number]) * 32, delivery_id=mails[number].id, kind=kind, at=now, received_at=now
        )
    told = metrics()
    for name, value in (("accepted_72h", 4.0), ("bounce_share", 0.25), ("complaint_share", 0.25)):
        assert f'newsletter_{name}{{provider="sendgrid"}} {value}' in told


def test_the_reason_of_a_batch_that_waits_is_told(paced) -> None:
    paced(domain_pace="*=0.001")
    factories.planned([factories.subscriber(f"r{number}@gmail.com") for number in range(3)])
    run_once.deliver(wait=timedelta(0), paced=0.0)
    assert Batch.objects.get(state="planned").reason == WAITS_FOR_PACE
