"""Too many bounces, complaints, or silence: the gate closes by itself, in words that say what to do."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from newsletter.delivery.feedback import reputation
from newsletter.delivery.feedback.apply import Applied
from newsletter.delivery.gates import provider_gate, sending_gate
from newsletter.lib import db
from newsletter.lib.mail.provider_interface import ReportKind
from newsletter.models import (
    Attempt,
    Batch,
    Delivery,
    Edition,
    Event,
    Gate,
    ProviderGate,
    Pulse,
    SoftBounce,
    Suppression,
)
from newsletter.worker import maintenance
from tests import factories
from tests.delivery.helpers import apply, handed_over
from tests.factories import ACTOR
from tests.reports import report

pytestmark = pytest.mark.django_db

NOW = factories.NOW
SENDGRID = 3


@pytest.fixture(autouse=True)
def _gate() -> None:
    factories.open_gate()


def grow(mails: int) -> None:
    """Let the batch count for so many mails."""
    Batch.objects.update(size=mails)


def resume(at) -> None:
    sending_gate.resume(now=NOW, actor=ACTOR)
    Gate.objects.update(opened_at=at)


# -- a flood of bounces


def bounced(number: int, *, of: int, kind: ReportKind = ReportKind.BOUNCE) -> Applied:
    mails = handed_over(number)
    grow(of)
    return apply(*(report(mail, kind) for mail in mails))


@pytest.mark.parametrize("kind", [ReportKind.BOUNCE, ReportKind.SOFT_BOUNCE])
def test_a_flood_of_bounces_closes_the_gate_and_suppresses_nobody(monkeypatch, kind: ReportKind) -> None:
    monkeypatch.setattr(reputation, "FLOOD_LEAST", 10)
    done = bounced(10, of=199, kind=kind)
    assert done.paused is not None and "flood of bounces (10 within an hour, of 199 mails)" in done.paused
    assert sending_gate.pause_reason() == done.paused
    assert not Suppression.objects.exists() and not SoftBounce.objects.exists()
    assert Event.objects.count() == 10


def test_a_complaint_in_a_flood_counts_all_the_same(monkeypatch) -> None:
    monkeypatch.setattr(reputation, "FLOOD_LEAST", 2)
    mails = handed_over(3)
    apply(
        report(mails[0], ReportKind.BOUNCE), report(mails[1], ReportKind.BOUNCE), report(mails[2], ReportKind.COMPLAINT)
    )
    assert [one.reason for one in Suppression.objects.all()] == ["complaint"]


@pytest.mark.parametrize(("number", "of"), [(10, 200), (9, 100)])
def test_a_share_within_the_limit_or_too_few_to_tell_suppress(monkeypatch, number: int, of: int) -> None:
    monkeypatch.setattr(reputation, "FLOOD_LEAST", 10)
    done = bounced(number, of=of)
    assert done.paused is None and done.suppressed == number
    assert sending_gate.pause_reason() is None


def test_after_resume_only_new_bounces_count(monkeypatch) -> None:
    monkeypatch.setattr(reputation, "FLOOD_LEAST", 2)
    bounced(2, of=10)
    resume(NOW)
    later = NOW + timedelta(minutes=5)
    assert apply(report(handed_over(1)[0], ReportKind.BOUNCE), now=later).paused is None
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize("kind", [ReportKind.BOUNCE, ReportKind.SOFT_BOUNCE, ReportKind.COMPLAINT])
def test_bounces_of_confirmation_mails_do_not_close_the_gate(monkeypatch, kind: ReportKind) -> None:
    for name in ("FLOOD_LEAST", "COMPLAINTS_LEAST"):
        monkeypatch.setattr(reputation, name, 2)
    mails = handed_over(6)
    Edition.objects.update(kind="notice", content="confirm")
    assert apply(*(report(mail, kind) for mail in mails)).paused is None
    assert reputation.close_for_reputation(now=NOW + timedelta(minutes=1), events_from=()) is None
    assert [(one.accepted, one.bounces, one.complaints) for one in reputation.reputation(now=NOW)] == [(6, 0, 0)]


# -- complaints


def complained(number: int, *, of: int) -> str | None:
    mails = handed_over(number + 1)
    grow(of)
    apply(*(report(mail, ReportKind.COMPLAINT) for mail in mails[:number]))
    return reputation.close_for_reputation(now=NOW + timedelta(minutes=1), events_from=())


def test_complaints_pause_by_themselves() -> None:
    why = complained(5, of=2000)
    assert why == sending_gate.pause_reason()
    assert "5 of 2000 mails, 0.25%" in (why or "")


@pytest.mark.parametrize(("number", "of"), [(4, 100), (5, 2001)])
def test_too_few_complaints_to_tell_or_a_share_below_only_show(number: int, of: int) -> None:
    assert complained(number, of=of) is None
    assert sending_gate.pause_reason() is None
    (one,) = reputation.reputation(now=NOW + timedelta(minutes=1))
    assert (one.provider, one.accepted, one.complaints, one.bounces) == (SENDGRID, of, number, 0)
    assert one.warns == (number >= 5)


def test_complaints_about_mail_from_before_the_resume_do_not_close_it_again() -> None:
    complained(5, of=100)
    resume(NOW + timedelta(hours=1))
    assert reputation.close_for_reputation(now=NOW + timedelta(hours=2), events_from=()) is None


def test_the_same_person_complaining_twice_of_a_mail_is_one() -> None:
    mail = handed_over(1)[0]
    apply(*(report(mail, ReportKind.COMPLAINT, mark=str(number)) for number in range(5)))
    assert reputation.reputation(now=NOW + timedelta(minutes=1))[0].complaints == 1


def test_a_closing_is_logged_once_however_long_its_reason_lasts(monkeypatch) -> None:
    monkeypatch.setattr(db, "now", lambda: NOW + timedelta(minutes=1))
    with capture_logs() as told:
        complained(5, of=100)
        for _ in range(3):
            maintenance.read_reports()
        resume(NOW - timedelta(hours=1))
        for _ in range(2):
            maintenance.read_reports()
    assert [one["event"] for one in told if "paused" in one["event"]] == ["sending_paused"] * 2
    with capture_logs() as told:
        sending_gate.resume(now=NOW, actor=ACTOR)
        sending_gate.pause("an operator's reason", now=NOW, actor=ACTOR)
    assert told == []


def test_a_flood_is_logged_once_however_many_posts_bring_it(monkeypatch) -> None:
    monkeypatch.setattr(reputation, "FLOOD_LEAST", 2)
    mails = handed_over(6)
    grow(10)
    with capture_logs() as told:
        for two in (mails[:2], mails[2:4], mails[4:]):
            assert apply(*(report(mail, ReportKind.BOUNCE) for mail in two)).paused is not None
    assert [one["event"] for one in told if one["event"] == "sending_paused"] == ["sending_paused"]


# -- bounces that come too slowly to be a flood


def came_back(number: int, *, of: int) -> str | None:
    mails = handed_over(number + 1)
    grow(of)
    for part in (mails[:10], mails[10:number]):
        apply(*(report(mail, ReportKind.SOFT_BOUNCE) for mail in part))
        Event.objects.update(received_at=NOW - timedelta(hours=2))
    return reputation.close_for_reputation(now=NOW + timedelta(minutes=1), events_from=())


def test_too_many_bounces_close_the_gate_however_slowly_they_came() -> None:
    why = came_back(50, of=999)
    assert why == sending_gate.pause_reason() and "too many bounces (50 of 999 mails, 5.0%)" in (why or "")


@pytest.mark.parametrize(
    ("number", "of", "warns"), [(49, 900, True), (50, 1000, True), (20, 1001, False), (19, 400, False)]
)
def test_fewer_bounces_only_warn(number: int, of: int, warns: bool) -> None:
    assert came_back(number, of=of) is None
    (one,) = reputation.reputation(now=NOW + timedelta(minutes=1))
    assert one.warns == warns and all("bounces" in words for words in one.warnings)


def test_a_warning_is_said_once_in_six_hours() -> None:
    complained(5, of=4000)
    told = [len(reputation.due_warnings(now=NOW + timedelta(hours=hours))) for hours in (1, 2, 6.9, 7, 8, 13)]
    assert told == [1, 0, 0, 1, 0, 1]


# -- accepted, and then nothing


def silence(mails: int, *, hours: float = 1.1) -> str | None:
    """Accepted at NOW and looked at so much later; events could come all the time."""
    Pulse.objects.get_or_create(name="events", defaults={"at": NOW - timedelta(days=1)})
    handed_over(mails)
    return reputation.close_for_reputation(now=NOW + timedelta(hours=hours), events_from=[SENDGRID])


def test_accepted_and_then_nothing_closes_the_gate_of_that_provider() -> None:
    why = silence(10)
    assert sending_gate.pause_reason() is None and [one.why for one in provider_gate.paused()] == [why]
    assert "10 of 10 mails brought no event" in (why or "") and "account" in (why or "")


def test_one_event_of_a_request_ends_the_silence() -> None:
    mails = handed_over(10)
    apply(report(mails[0], ReportKind.PROCESSED))
    assert silence(2) is None


@pytest.mark.parametrize(("mails", "hours"), [(9, 1.1), (10, 0.9), (10, 25)])
def test_too_few_too_soon_or_too_long_ago_says_nothing(mails: int, hours: float) -> None:
    assert silence(mails, hours=hours) is None


def test_our_own_note_that_a_mail_was_put_off_is_no_sign_of_life() -> None:
    for mail in handed_over(10):
        Event.objects.create(
            fingerprint=bytes([mail.id % 256]) * 32, delivery_id=mail.id, kind="deferred", at=NOW, received_at=NOW
        )
    assert silence(1) is not None


def test_a_share_of_silence_within_the_limit_is_borne() -> None:
    for mails in (40, 10):
        found = handed_over(mails)
        if mails == 40:
            apply(report(found[0], ReportKind.DELIVERED))
    Pulse.objects.create(name="events", at=NOW - timedelta(days=1))
    assert reputation.close_for_reputation(now=NOW + timedelta(hours=1.1), events_from=[SENDGRID]) is None
    handed_over(1)
    assert reputation.close_for_reputation(now=NOW + timedelta(hours=1.1), events_from=[SENDGRID]) is not None


def test_mails_accepted_before_the_webhook_do_not_count_as_silence() -> None:
    handed_over(10)
    assert reputation.close_for_reputation(now=NOW + timedelta(minutes=5), events_from=[SENDGRID]) is None
    assert reputation.close_for_reputation(now=NOW + timedelta(hours=2), events_from=[SENDGRID]) is None
    assert reputation.close_for_reputation(now=NOW + timedelta(hours=2), events_from=()) is None
    assert not Pulse.objects.filter(name="events").exists()


def test_after_resume_silence_is_measured_afresh() -> None:
    silence(10)
    assert provider_gate.resume(SENDGRID, now=NOW, actor=ACTOR)
    ProviderGate.objects.update(opened_at=NOW + timedelta(hours=2))
    assert reputation.close_for_reputation(now=NOW + timedelta(hours=3), events_from=[SENDGRID]) is None
    Attempt.objects.update(ended_at=NOW + timedelta(hours=2, minutes=1))
    assert reputation.close_for_reputation(now=NOW + timedelta(hours=4), events_from=[SENDGRID]) is not None


def test_resume_notes_its_moment() -> None:
    sending_gate.pause("a reason", now=NOW, actor=ACTOR)
    sending_gate.resume(now=NOW, actor=ACTOR)
    assert Gate.objects.get().opened_at is not None


# -- what shares are of


def test_shares_are_of_accepted_mails_not_of_whole_batches() -> None:
    """Of ten mails one is in doubt, two were refused and one was not allowed any more: six were accepted."""
    mails = handed_over(10)
    for state, numbers in (("unknown", mails[:1]), ("failed", mails[1:3]), ("cancelled", mails[3:4])):
        Delivery.objects.filter(id__in=[one.id for one in numbers]).update(state=state)
    apply(report(mails[5], ReportKind.SOFT_BOUNCE))
    (found,) = reputation.reputation(now=NOW + timedelta(minutes=1))
    assert (found.accepted, found.bounces, found.bounce_share) == (6, 1, 1 / 6)
