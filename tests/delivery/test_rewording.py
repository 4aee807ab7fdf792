"""Rewording every message changes no decision: the words in the tables are replaced between what writes and what decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import TextField

from newsletter.config import rate_limits
from newsletter.delivery import send
from newsletter.delivery.feedback.apply import bounces_from_smtp_refusals
from newsletter.delivery.feedback.reports import ReportContext
from newsletter.delivery.gates import restore_guard, sending_gate
from newsletter.delivery.gates.host_guard import HostGuard
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.delivery.ledger import resend, urgent_resend
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.ledger.reports import listing
from newsletter.delivery.rate_limits.token_buckets import InMemoryBuckets
from newsletter.delivery.routing import failover
from newsletter.delivery.send import Sender
from newsletter.delivery.sending import pacing
from newsletter.delivery.sending.pacing import Pacing
from newsletter.lib.mail.provider_interface import Deferred, Outcome, Parcel, Provider, Rejected, Unknown
from newsletter.models import (
    Attempt,
    Batch,
    Delivery,
    Edition,
    EditionBody,
    Event,
    Gate,
    NotBegun,
    Pulse,
    Suppression,
    Topic,
)
from newsletter.subscribers.email_address import index_of
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider, sender
from tests.delivery.two_providers import PROVIDERS, SMTP, two
from tests.factories import ACTOR

pytestmark = pytest.mark.django_db
NOW = factories.NOW
LATER = NOW + timedelta(hours=3)
REPORT_CONTEXT = ReportContext(factories.VAULT, index_of)
#: The columns in which messages for operators stand.
WORDS = (
    (Batch, "reason"),
    (Delivery, "reason"),
    (Attempt, "phase"),
    (Attempt, "waived_by"),
    (Event, "detail"),
    (Gate, "paused_by"),
)

Reword = Callable[[], None]


@pytest.fixture(params=["as it is", "in other words"], autouse=True)
def reword(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Reword:
    """Replaces what was written; in a later version the code would write other words itself, so it does that too."""
    factories.open_gate()
    if request.param == "as it is":
        return lambda: None
    monkeypatch.setattr(pacing, "WAITS_FOR_PACE", "in other words")
    monkeypatch.setattr(urgent_resend, "RULE", "in other words")
    monkeypatch.setattr(send, "_NOT_BEGUN", dict.fromkeys(NotBegun, "in other words"))
    for place, one in enumerate(Standing):
        monkeypatch.setattr(one, "_value_", f"in other words {place}")

    def reword_rows() -> None:
        for model, column in WORDS:
            model.objects.filter(**{f"{column}__isnull": False}).update(**{column: "in other words"})

    return reword_rows


@dataclass
class Reworded:
    """A provider whose reasons are reworded before anything is written."""

    provider: Provider

    def __getattr__(self, name: str) -> Any:
        return getattr(self.provider, name)

    def hand_over(self, parcels: Sequence[Parcel]) -> dict[int, Outcome]:
        outcomes = self.provider.hand_over(parcels)
        return {number: replace(outcome, reason="in other words") for number, outcome in outcomes.items()}


def run(provider: Any, moment=NOW) -> None:
    while send.send_next(sender(provider), clock=lambda: moment):
        pass


def mark_urgent() -> None:
    topic = factories.topic()
    Topic.objects.filter(id=topic.id).update(urgent=True)
    Edition.objects.update(content=[[1, 1, [topic.id]]])


def test_every_column_of_words_is_reworded() -> None:
    """A new one must be added to `WORDS`, or have codes."""
    others = {
        Attempt: {"provider_ref"},  # the provider's own, found again by it
        Delivery: {"recipient_status"},  # RFC 3463
        Event: {"kind"},  # the provider interface's codes, and `OwnEvent`
        Gate: {"check_token"},
    }
    for model in (Batch, Delivery, Attempt, Event, Gate):
        found = {one.name for one in model._meta.get_fields() if isinstance(one, TextField) and not one.choices}
        assert found == {column for owner, column in WORDS if owner is model} | others.get(model, set())


def test_mail_that_waits_for_its_pace(reword: Reword) -> None:
    crowd = [factories.subscriber(f"reader{place}@gmail.com") for place in range(9)]
    factories.planned(crowd)
    provider, clock = ScriptedProvider(), lambda: NOW
    limits = rate_limits.read(pace="", domain_pace="gmail.com=0.1", daily_cap="", warm_up="")
    paced = Pacing(limits, InMemoryBuckets(lambda: NOW.timestamp()), "smtp", provider.number)
    by = Sender(provider, factories.VAULT, "https://news.example.org", "example.org", paced)
    assert paced.pause(now=NOW) == pacing.LOOK  # it is due
    while send.send_next(by, clock=clock):
        pass
    reword()
    assert Batch.objects.get(state="planned").size > 0
    assert paced.pause(now=NOW) == pacing.LOOK
    # what was put off waits for more than its pace, and is not looked at every second
    provider.script = lambda _parcel: Deferred("451", retry_after=3600)
    due = Batch.objects.get(state="planned").not_before
    later = Pacing(limits, InMemoryBuckets(lambda: due.timestamp() + 100), "smtp", provider.number)
    by = Sender(provider, factories.VAULT, "https://news.example.org", "example.org", later)
    while send.send_next(by, clock=lambda: due):
        pass
    Batch.objects.filter(state="planned", attempts=0).delete()
    reword()
    assert Batch.objects.filter(state="planned", attempts=1).exists()
    assert later.pause(now=due) is None


def test_refusals_at_the_door(reword: Reword) -> None:
    def refused(code: str) -> Outcome:
        return Rejected("the words of its server", recipient_status=code)

    factories.planned(3)
    answers = iter([refused("5.1.1"), refused("5.7.1"), Rejected("body: 550 5.1.1")])
    run(ScriptedProvider(lambda _parcel: next(answers), window=50))
    reword()
    done = bounces_from_smtp_refusals(REPORT_CONTEXT, now=NOW)
    assert (done.new, done.suppressed) == (2, 1)
    assert sorted(Event.objects.values_list("kind", "detail")) == [("bounce", "5.1.1"), ("soft bounce", "5.7.1")]


@pytest.mark.parametrize(("point", "bounces"), [("rcpt", 1), ("data", 0), ("dot", 0)])
def test_a_refusal_on_the_wire_is_a_bounce_where_it_is_of_the_recipient(
    point: str, bounces: int, reword: Reword
) -> None:
    factories.planned(1, provider=PROVIDERS[SMTP])
    with two() as both:
        both.smtp.script(point, "550 5.1.1 no such user")
        run(Reworded(both.providers[SMTP]))
    assert Delivery.objects.get().state == "failed"
    reword()
    assert bounces_from_smtp_refusals(REPORT_CONTEXT, now=NOW).suppressed == bounces == Suppression.objects.count()


def test_operators_pause_keeps_the_doubt_about_the_data(reword: Reword, tmp_path: Path) -> None:
    HostGuard(tmp_path).check_and_advance_mark(now=NOW)
    (tmp_path / restore_guard.FILE_NAME).unlink()
    assert HostGuard(tmp_path).close_if_restored(now=NOW) is Standing.NO_FILE
    reword()
    Pulse.objects.create(name="tick", at=NOW)  # somebody seems to be at work: only the doubt speaks against it
    sending_gate.pause("moving house", now=NOW, actor=ACTOR)
    assert Gate.objects.get().paused_by != "moving house"
    assert HostGuard(tmp_path).close_if_restored(now=NOW) is Standing.NO_FILE
    HostGuard(tmp_path).confirm_installation(now=NOW, actor=ACTOR)
    sending_gate.pause("moving house", now=NOW, actor=ACTOR)
    assert Gate.objects.get().paused_by == "moving house"
    reword()
    sending_gate.pause("moving again", now=NOW, actor=ACTOR)
    assert Gate.objects.get().paused_by == "moving again"


def test_an_urgent_alert_goes_once_more_and_no_third_time(reword: Reword) -> None:
    factories.planned(2, provider=PlannedProvider(1, one_letter=True))
    doubtful = ScriptedProvider(lambda _parcel: Unknown("no answer"), window=None)
    run(doubtful)
    mark_urgent()
    reword()
    assert urgent_resend.resend_urgent(now=LATER) == 2
    run(doubtful, LATER)
    reword()
    assert Delivery.objects.filter(batch__state="unknown").count() == 2
    assert urgent_resend.resend_urgent(now=LATER + timedelta(hours=4)) == 0


def test_an_operators_retry_does_not_use_up_the_rule(reword: Reword) -> None:
    factories.planned(1)
    doubtful = ScriptedProvider(lambda _parcel: Unknown("no answer"), window=None)
    run(doubtful)
    (row,) = listing(factories.VAULT, "unknown")
    resend.retry(row.reference, resend.OperatorNote("ops", "lost"), now=NOW, vault=factories.VAULT, actor=ACTOR)
    run(doubtful)
    mark_urgent()
    reword()
    assert urgent_resend.resend_urgent(now=LATER) == 1


@pytest.mark.parametrize("ours", [True, False])
def test_failures_on_our_side_do_not_count_as_an_outage(ours: bool, reword: Reword) -> None:
    for _ in range(4):
        factories.planned(1)
    if ours:
        EditionBody.objects.all().delete()
    run(ScriptedProvider(lambda _parcel: Deferred("451 later")))
    reword()
    assert Attempt.objects.filter(outcome="deferred").count() == 4
    assert bool(failover.outages([1], now=NOW + timedelta(minutes=1))) is not ours
