"""An operator's word, or the rule for urgent topics: what is in doubt goes again only so, and it is written down."""

from datetime import datetime, timedelta

import pytest

from newsletter.delivery.feedback.apply import apply_reports
from newsletter.delivery.feedback.reports import ReportContext
from newsletter.delivery.ledger import prove_accepted, resend, urgent_resend
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.ledger.reports import LedgerSummary, ledger_summary, listing
from newsletter.delivery.mailings.delivery_story import explain
from newsletter.delivery.rate_limits import daily_cap
from newsletter.delivery.sending import expired_leases
from newsletter.delivery.sending.claim import claim_batch
from newsletter.delivery.sending.recipients import start_attempt
from newsletter.lib.mail.provider_interface import (
    Deferred,
    Rejected,
    Report,
    ReportKind,
    Unknown,
)
from newsletter.lib.mail.references import read_reference
from newsletter.lib.mail.references import reference as reference_of
from newsletter.lib.mail.references import references as references_of
from newsletter.lib.refused import Refused
from newsletter.models import Attempt, Batch, Delivery, EditionBody, Event, Lane, Topic
from newsletter.subscribers.email_address import index_of
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider
from tests.delivery.helpers import LATER, NOW, OPERATOR_NOTE, doubtful, in_doubt, mark_urgent, run
from tests.factories import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _gate() -> None:
    factories.open_gate()


def test_without_its_words_a_mail_cannot_go_again_and_says_so() -> None:
    reference = in_doubt(1)[0]
    EditionBody.objects.all().delete()
    told = resend.retry(reference, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, actor=ACTOR)
    assert isinstance(told, Refused)
    assert "content" in told.reason
    assert ledger_summary().by_state == {"unknown": 1}
    assert resend.resolve(
        reference, False, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, actor=ACTOR
    ) == resend.ResendResult(1)
    assert ledger_summary().by_state == {"failed": 1}


@pytest.mark.parametrize("whole", [False, True])
def test_a_parked_mail_can_be_closed(whole: bool) -> None:
    factories.planned(2)
    Batch.objects.update(state="parked", reason="could not be worded")
    first, second = [row.reference for row in listing(factories.VAULT, "parked")]
    assert resend.resolve(
        first, False, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, whole=whole, actor=ACTOR
    ) == resend.ResendResult(2 if whole else 1)
    assert (Batch.objects.get().state == "cancelled") is whole
    if not whole:
        resend.resolve(second, False, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, actor=ACTOR)
    assert ledger_summary() == LedgerSummary({"failed": 2}, None, 0)


@pytest.mark.parametrize("window", [None, 2])
def test_retried_mail_is_sent_and_its_history_has_the_reason(window: int | None) -> None:
    reference = in_doubt(4, window=window)[0]
    before = ledger_summary().by_state["unknown"]
    assert resend.retry(reference, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, actor=ACTOR) == resend.ResendResult(
        1
    )
    handed = run(ScriptedProvider(window=window), LATER)
    assert [reference_of(number, factories.VAULT) for number in handed] == [reference]
    assert ledger_summary().by_state["unknown"] == before - 1
    story = explain(reference, factories.VAULT)
    assert story is not None
    assert story.state == "accepted"
    assert [attempt["waived_by"] for attempt in story.attempts] == ["ops: nothing came", None]
    assert [(event["kind"], event["detail"]) for event in story.events] == [("retried", "ops: nothing came")]


@pytest.mark.parametrize("window", [None, 2])
def test_a_whole_hand_over_goes_again(window: int | None) -> None:
    references = in_doubt(4, window=window)
    assert resend.retry(
        references[0], OPERATOR_NOTE, now=LATER, vault=factories.VAULT, whole=True, actor=ACTOR
    ) == resend.ResendResult(len(references))
    handed = run(ScriptedProvider(window=window), LATER)
    assert sorted(references_of(handed, factories.VAULT)) == sorted(references)
    assert ledger_summary().by_state == {"accepted": 4}
    assert resend.retry(references[0], OPERATOR_NOTE, now=LATER, vault=factories.VAULT, actor=ACTOR) == Refused(
        "it is accepted: only unknown or parked mail can be sent again"
    )


def test_only_mail_with_unknown_outcome_can_be_retried() -> None:
    factories.planned(1)
    reference = listing(factories.VAULT)[0].reference
    assert isinstance(resend.retry(reference, OPERATOR_NOTE, now=NOW, vault=factories.VAULT, actor=ACTOR), Refused)
    Batch.objects.update(state="claimed")
    assert isinstance(resend.retry(reference, OPERATOR_NOTE, now=NOW, vault=factories.VAULT, actor=ACTOR), Refused)
    assert isinstance(resend.retry("0000-0000-9", OPERATOR_NOTE, now=NOW, vault=factories.VAULT, actor=ACTOR), Refused)


def test_a_parked_mail_goes_again() -> None:
    factories.planned(2)
    Batch.objects.update(state="parked", reason="gave up: 451")
    reference = listing(factories.VAULT, "parked")[0].reference
    assert resend.retry(
        reference, OPERATOR_NOTE, now=NOW, vault=factories.VAULT, whole=True, actor=ACTOR
    ) == resend.ResendResult(2)
    assert len(run(ScriptedProvider())) == 2


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("window", [None, 2])
def test_operators_resolution_settles_an_unknown_outcome(accepted: bool, whole: bool, window: int | None) -> None:
    references = in_doubt(4, window=window)
    state = "accepted" if accepted else "failed"
    assert resend.resolve(
        references[0], accepted, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, whole=whole, actor=ACTOR
    ) == resend.ResendResult(len(references) if whole else 1)
    story = explain(references[0], factories.VAULT)
    assert story is not None
    assert (story.state, story.reason) == (state, "ops: nothing came")
    assert ledger_summary().by_state.get("unknown", 0) == (0 if whole else len(references) - 1)
    assert run(ScriptedProvider(window=window), LATER) == []
    assert isinstance(
        resend.resolve(references[0], accepted, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, actor=ACTOR), Refused
    )


def test_dropped_mails_are_resent_except_those_with_events() -> None:
    factories.planned(3, provider=PlannedProvider(1, one_letter=True))
    factories.planned(2, provider=PlannedProvider(1, one_letter=True))
    run(ScriptedProvider(window=None))
    heard = Delivery.objects.order_by("id").first()
    Event.objects.create(fingerprint=b"x", delivery_id=heard.id, kind="delivered", at=NOW, received_at=NOW)
    assert resend.count_releasable(1, NOW + timedelta(seconds=1)) == resend.count_releasable(2, NOW) == 0
    assert resend.count_releasable(1, NOW) == 4
    assert resend.release(1, NOW, OPERATOR_NOTE, now=LATER, actor=ACTOR) == resend.ResendResult(4)
    handed = run(ScriptedProvider(window=None), LATER)
    assert sorted(handed) == sorted(set(Delivery.objects.values_list("id", flat=True)) - {heard.id})
    assert ledger_summary().by_state == {"accepted": 5}
    assert Attempt.objects.filter(waived_by="ops: nothing came").count() == 2
    assert Event.objects.filter(kind="released").count() == 4


def begun_and_died(moment: datetime, window: int | None) -> None:
    """A worker passes the barrier with what is planned, and is never heard of again."""
    held = claim_batch(now=moment, provider=1)
    assert held is not None
    assert start_attempt(held, now=moment, provider=1, window=window, vault=factories.VAULT)
    expired_leases.recover_expired(now=moment + timedelta(hours=1))


def test_released_windows_that_were_killed_in_one_request_are_all_in_doubt() -> None:
    """What a mail server took and dropped goes by SendGrid: where its windows ended is no end of the request."""
    factories.planned(3)
    run(ScriptedProvider(window=2))
    assert resend.release(1, NOW, OPERATOR_NOTE, now=LATER, actor=ACTOR) == resend.ResendResult(3)
    begun_and_died(LATER, None)
    assert ledger_summary().by_state == {"unknown": 3}


def test_outcome_of_a_released_window_is_recorded() -> None:
    factories.planned(3)
    run(ScriptedProvider(window=2))
    resend.release(1, NOW, OPERATOR_NOTE, now=LATER, actor=ACTOR)
    assert len(run(ScriptedProvider(lambda _parcel: Rejected("550"), window=2), LATER)) == 3
    assert ledger_summary().by_state == {"failed": 3}


def test_a_window_in_doubt_that_went_again_in_one_request_is_proved_as_one() -> None:
    factories.planned(2)
    begun_and_died(NOW, 2)
    reference = listing(factories.VAULT, "unknown")[0].reference
    later = LATER + timedelta(days=1)
    assert resend.retry(
        reference, OPERATOR_NOTE, now=later, vault=factories.VAULT, whole=True, actor=ACTOR
    ) == resend.ResendResult(2)
    begun_and_died(later, None)
    assert ledger_summary().by_state == {"unknown": 2}
    one = Delivery.objects.order_by("id")[0]
    Event.objects.create(fingerprint=b"x", delivery_id=one.id, kind="delivered", at=later, received_at=later)
    prove_accepted.accept_proved(now=later)
    assert ledger_summary().by_state == {"accepted": 2}


def test_an_urgent_alert_in_doubt_goes_once_more_and_a_digest_is_held() -> None:
    urgent = factories.topic()
    Topic.objects.filter(id=urgent.id).update(urgent=True)
    for lane in (Lane.ALERT, Lane.DIGEST):
        in_doubt(2, lane=lane)
    for edition in {one.edition for one in Delivery.objects.select_related("edition")}:
        edition.content = [[1, 1, [urgent.id]]]
        edition.save()
    assert urgent_resend.resend_urgent(now=NOW + timedelta(minutes=119)) == 0
    assert urgent_resend.resend_urgent(now=NOW + timedelta(minutes=120)) == 2
    assert len(run(ScriptedProvider(doubtful, window=None), LATER)) == 2
    assert urgent_resend.resend_urgent(now=LATER + timedelta(hours=3)) == 0
    assert ledger_summary().by_state == {"unknown": 4}


def test_an_ordinary_alert_in_doubt_is_held() -> None:
    factories.topic()
    in_doubt(2)
    assert urgent_resend.resend_urgent(now=LATER) == 0
    Topic.objects.create(kind="curated", name="Else", slug="else", urgent=True, created_at=NOW, id=77)
    assert urgent_resend.resend_urgent(now=LATER) == 0
    expired_leases.recover_expired(now=LATER)
    assert ledger_summary().by_state == {"unknown": 2}


def told(reference: str, kind: ReportKind) -> None:
    number = read_reference(reference, factories.VAULT)
    report = Report(token=factories.VAULT.token("delivery", number), purpose="delivery", kind=kind, at=LATER)
    apply_reports([report], ReportContext(factories.VAULT, index_of), provider="sendgrid", now=LATER)


@pytest.mark.parametrize("window", [None, 2])
def test_mail_proved_accepted_before_its_resend_is_not_resent(window: int | None) -> None:
    first, second = in_doubt(4, window=window)[:2]
    resend.retry(first, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, whole=True, actor=ACTOR)
    told(first, ReportKind.PROCESSED)
    told(second, ReportKind.DROPPED)
    handed = [reference_of(number, factories.VAULT) for number in run(ScriptedProvider(window=window), LATER)]
    assert first not in handed
    assert second in handed
    assert ledger_summary().by_state == {"accepted": 4}


def test_when_all_of_it_is_told_of_nothing_goes_again() -> None:
    references = in_doubt(2)
    resend.retry(references[0], OPERATOR_NOTE, now=LATER, vault=factories.VAULT, whole=True, actor=ACTOR)
    for reference in references:
        told(reference, ReportKind.DELIVERED)
    assert run(ScriptedProvider(), LATER) == []
    assert ledger_summary().by_state == {"accepted": 2}
    assert Batch.objects.get().state == "cancelled"


def test_our_own_word_proves_nothing() -> None:
    reference = in_doubt(2)[0]
    resend.retry(reference, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, whole=True, actor=ACTOR)
    run(ScriptedProvider(doubtful), LATER)
    assert prove_accepted.accept_proved(now=LATER) == 0
    assert ledger_summary().by_state == {"unknown": 2}


def put_off_then_in_doubt() -> None:
    factories.planned(2, provider=PlannedProvider(1, one_letter=True))
    run(ScriptedProvider(lambda _parcel: Deferred("429"), window=None))
    run(ScriptedProvider(doubtful, window=None), LATER)


def test_urgent_resend_waits_for_events_of_the_latest_attempt() -> None:
    put_off_then_in_doubt()
    mark_urgent()
    assert urgent_resend.resend_urgent(now=LATER + timedelta(minutes=119)) == 0
    assert urgent_resend.resend_urgent(now=LATER + timedelta(minutes=120)) == 2


def test_no_third_time_for_an_urgent_alert_whatever_batch_it_is_in_by_then() -> None:
    references = in_doubt(2)
    mark_urgent()
    assert urgent_resend.resend_urgent(now=LATER) == 2
    # a hand-over that is put off by half moves one of them into a batch of its own
    half = ScriptedProvider(window=1)
    half.script = lambda _parcel: Deferred("451") if len(half.windows) > 1 else Unknown("no answer")
    run(half, LATER)
    later = LATER + timedelta(hours=1)
    run(ScriptedProvider(doubtful, window=1), later)
    assert ledger_summary().by_state == {"unknown": 2}
    assert len({one.batch_id for one in Delivery.objects.all()}) == 2
    Attempt.objects.filter(waived_by__isnull=False).delete()  # the mail's own event is what tells
    assert urgent_resend.resend_urgent(now=later + timedelta(hours=4)) == 0
    # and without it the rule would have let it go
    told_of = read_reference(references[0], factories.VAULT)
    Event.objects.filter(kind="retried", delivery_id=told_of).delete()
    assert urgent_resend.resend_urgent(now=later + timedelta(hours=4)) == 1


def test_batch_sizes_are_right_after_parts_are_resent() -> None:
    first, second = in_doubt(2)
    resend.retry(first, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, actor=ACTOR)
    resend.retry(second, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, actor=ACTOR)
    assert sorted(Batch.objects.values_list("size", flat=True)) == [1, 1]


@pytest.mark.parametrize("window", [None, 2])
def test_a_day_counts_a_mail_once_for_each_hand_over_that_really_began(window: int | None) -> None:
    first, second, *_ = in_doubt(4, window=window)
    begun = 4
    assert daily_cap.used_today(1, now=LATER) == begun
    for reference, whole in ((first, False), (second, True)):
        resend.retry(reference, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, whole=whole, actor=ACTOR)
        begun += len(run(ScriptedProvider(doubtful, window=window), LATER))
        assert daily_cap.used_today(1, now=LATER) == begun
    assert begun == (8 if window is None else 6)


def test_deferred_resend_keeps_its_first_attempt_in_the_daily_count() -> None:
    reference = in_doubt(2)[0]
    resend.retry(reference, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, whole=True, actor=ACTOR)
    half = ScriptedProvider(window=1)
    half.script = lambda _parcel: Deferred("451") if len(half.windows) > 1 else Unknown("no answer")
    run(half, LATER)
    assert daily_cap.used_today(1, now=LATER) == 2 + 1
    run(ScriptedProvider(doubtful, window=1), LATER + timedelta(hours=1))
    assert daily_cap.used_today(1, now=LATER) == 2 + 2


def test_rejected_mail_stays_in_the_daily_count_when_the_rest_is_resent() -> None:
    factories.planned(2)
    first = ScriptedProvider(window=2)
    first.script = lambda parcel: (
        Rejected("550") if parcel.delivery_id == first.handed[0].delivery_id else Unknown("no answer")
    )
    run(first)
    reference = listing(factories.VAULT, "unknown")[0].reference
    resend.retry(reference, OPERATOR_NOTE, now=LATER, vault=factories.VAULT, whole=True, actor=ACTOR)
    assert len(run(ScriptedProvider(), LATER)) == 1
    assert daily_cap.used_today(1, now=LATER) >= 3
