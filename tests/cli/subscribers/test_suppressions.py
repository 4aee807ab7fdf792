"""status and doctor on what came back of mails, and on whether anything can come back at all."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from structlog.testing import capture_logs

from newsletter import delivery_wiring, wiring
from newsletter.cli.service import status
from newsletter.cli.service.doctor.examine import examine
from newsletter.config.validators import public_key
from newsletter.delivery.feedback import reputation
from newsletter.delivery.gates import provider_gate, sending_gate
from newsletter.lib import db
from newsletter.models import Gate, Pulse
from newsletter.status.attention import read_attention
from newsletter.status.figures import figures
from newsletter.worker import startup, tasks
from tests import factories, reports
from tests.journey import road

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ready() -> None:
    startup.prepare()


def findings(name: str) -> list[tuple[str, str]]:
    return [(one.verdict, one.message) for one in examine() if one.what == name]


@pytest.mark.parametrize(("complaints", "verdict"), [(79, "ok"), (80, "warn")])
def test_complaints_are_told_and_warned_of(monkeypatch, complaints: int, verdict: str) -> None:
    found = [reputation.Reputation(3, 100_000, 250, complaints)]
    monkeypatch.setattr(reputation, "reputation", lambda now: found)
    ((said, told),) = findings("what came back")
    assert said == verdict and f"sendgrid: 250 bounces (0.25%), {complaints} complaints (0.0{complaints}%)" in told
    line = next(line for line in status.lines(figures(read_attention()), ()) if line.startswith("came back"))
    assert f"{complaints} complaints" in line


def test_a_few_complaints_of_few_mails_warn_nobody() -> None:
    assert not reputation.Reputation(3, 10, 0, 4).warns and reputation.Reputation(3, 10, 0, 5).warns
    assert reputation.Reputation(3, 0, 0, 0).complaint_share == reputation.Reputation(3, 0, 0, 0).bounce_share == 0


def test_who_cannot_hear_bounces_is_told_how(settings, tmp_path) -> None:
    with road.configured(settings, mail="sendgrid:", sendgrid_api_key="key"):
        ((verdict, told),) = findings("events")
        assert verdict == "warn" and "NEWSLETTER_SENDGRID_WEBHOOK_KEY" in told
        settings.NEWSLETTER = replace(settings.NEWSLETTER, sendgrid_webhook_keys=(public_key(reports.PUBLIC),))
        assert findings("events") == [("ok", f"at {wiring.config().base_url}/hooks/sendgrid")]
        assert delivery_wiring.events_from() == [3, 13]
    with road.configured(settings, mail="smtp://127.0.0.1:25"):
        assert findings("returned mail")[0][0] == "warn"
    with road.configured(settings, bounce_maildir=tmp_path):
        ((verdict, told),) = findings("returned mail")
        assert verdict == "warn" and "no new and no cur" in told
        for name in ("new", "cur"):
            (tmp_path / name).mkdir()
        assert findings("returned mail")[0][0] == "ok"


def test_a_maildir_that_is_not_there_stops_nothing(settings, tmp_path) -> None:
    with road.configured(settings, bounce_maildir=tmp_path / "nowhere"), capture_logs() as logged:
        tasks.run("hear")
    assert [(line["event"], line["error"]) for line in logged if line["log_level"] == "error"] == [
        ("maildir_not_read", "FileNotFoundError")
    ]


def test_the_tick_closes_the_providers_gate_on_silence(settings) -> None:
    from tests.delivery.helpers import handed_over

    settings.NEWSLETTER = replace(settings.NEWSLETTER, sendgrid_webhook_keys=(public_key(reports.PUBLIC),))
    Gate.objects.all().delete()
    factories.open_gate()
    handed_over(10)
    at = db.now() - timedelta(hours=2)
    Pulse.objects.create(name="events", at=at - timedelta(hours=1))
    from newsletter.models import Attempt

    Attempt.objects.update(ended_at=at)
    tasks.run("hear")
    (paused,) = provider_gate.paused()
    assert paused.provider == 3 and "silence after acceptance" in paused.why and sending_gate.pause_reason() is None
    assert ["silence" in told for _, told in findings("provider")] == [True]


def test_a_database_that_may_forget_a_commit_is_warned_of() -> None:
    if connection.vendor != "postgresql":
        assert findings("database")[0][0] == "ok"
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fsync')")
        assert cursor.fetchone() == ("off",), "a server of tests need not outlive a crash"
        cursor.execute("SET synchronous_commit=on")
        ((verdict, told),) = findings("database")
        assert verdict == "warn" and "has fsync=off:" in told
        cursor.execute("SET synchronous_commit=off")
        assert "has fsync=off and synchronous_commit=off:" in findings("database")[0][1]
