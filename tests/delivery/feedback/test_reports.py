"""Events as a set: whatever the order, the repetition and the split, the same rows; and nobody is believed without a token."""

import itertools
import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter.delivery.feedback import soft_bounces
from newsletter.delivery.feedback.apply import Applied, bounces_from_smtp_refusals
from newsletter.delivery.ledger import prove_accepted
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.delivery.sending import expired_leases
from newsletter.lib.mail.provider_interface import (
    Accepted,
    Address,
    Deferred,
    Outcome,
    Rejected,
    Report,
    ReportKind,
    Unknown,
)
from newsletter.models import Batch, Consent, Delivery, Event, Gate, SoftBounce, Subscriber, Subscription, Suppression
from newsletter.subscribers import people
from tests import factories
from tests.delivery.helpers import NOW, REPORT_CONTEXT, REQUEST, apply, handed_over
from tests.environment import examples
from tests.reports import report
from tests.subscribers.helpers import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _gate() -> None:
    factories.open_gate()


def suppressions() -> dict[str, int]:
    return dict(sorted((one.reason, one.sticky) for one in Suppression.objects.filter(lifted_at=None)))


# -- what is stored


def test_repeated_event_is_stored_once() -> None:
    mail = handed_over(1)[0]
    first = report(mail, ReportKind.DELAYED, mark="5 ", detail="450 4.2.1")
    assert apply(first, first) == Applied(new=1, repeated=1)
    assert apply(first) == Applied(repeated=1)
    assert apply(report(mail, ReportKind.DELAYED, mark="6 ")).new == 1
    assert apply(report(mail, ReportKind.DELAYED, mark="5 ", at=NOW + timedelta(seconds=1))).new == 1
    assert Event.objects.filter(delivery_id=mail.id).count() == 3


@pytest.mark.parametrize("token", ["", "A" * 22, "é" * 22, "x" * 5000, factories.VAULT.token("delivery", 2**63 + 1)])
def test_forged_tokens_are_counted_and_leave_no_row(token: str) -> None:
    forged = Report(token=token, purpose="delivery", kind=ReportKind.BOUNCE, at=NOW)
    assert apply(forged) == Applied(unknown_mails=1)
    assert not Event.objects.exists() and not Suppression.objects.exists()


def test_a_token_of_another_purpose_or_of_a_mail_that_is_gone_is_a_strangers() -> None:
    mail = handed_over(1)[0]
    unsubscribe = Report(
        token=factories.VAULT.token("unsubscribe", mail.id), purpose="delivery", kind=ReportKind.BOUNCE, at=NOW
    )
    with_check = Report(
        token=factories.VAULT.token("delivery", mail.id, b"12345678"),
        purpose="delivery",
        kind=ReportKind.BOUNCE,
        at=NOW,
    )
    assert apply(unsubscribe, with_check, report(mail.id + 1, ReportKind.BOUNCE)) == Applied(unknown_mails=3)
    assert not Event.objects.exists()


def test_mails_that_never_left_have_no_events() -> None:
    factories.planned(1, provider=REQUEST)
    cancelled = factories.planned([factories.subscriber(state="left"), factories.subscriber()], provider=REQUEST)
    assert len(cancelled.people) == 2
    planned = Delivery.objects.order_by("id").first()
    assert planned is not None
    assert apply(report(planned, ReportKind.COMPLAINT)) == Applied(unknown_mails=1)


def test_a_report_of_a_returned_mail_is_found_by_its_message_id() -> None:
    mail = handed_over(1)[0]
    told = Report(token=factories.VAULT.token("message", mail.id), purpose="message", kind=ReportKind.BOUNCE, at=NOW)
    assert apply(told).new == 1
    assert suppressions() == {"bounce": False}


# -- what is proved


def test_one_event_proves_the_whole_request() -> None:
    mails = handed_over(3, Unknown("no answer"))
    assert ledger_summary().by_state == {"unknown": 3}
    assert apply(report(mails[1], ReportKind.PROCESSED)).proved == 1
    assert ledger_summary().by_state == {"accepted": 3}
    assert apply(report(mails[0], ReportKind.DROPPED), report(mails[1], ReportKind.PROCESSED)).proved == 0


def test_on_smtp_an_event_proves_its_own_mail_only() -> None:
    mails = handed_over(3, Unknown("dropped after the dot"), window=50)
    assert ledger_summary().by_state == {"unknown": 3}
    for told in range(3):
        assert apply(report(mails[told], ReportKind.BOUNCE)).proved == 1
        assert ledger_summary().by_state.get("unknown", 0) == 2 - told
    assert Batch.objects.get().state == "accepted"


def test_a_worker_that_died_in_its_first_window_is_proved_mail_by_mail() -> None:
    def die(_parcel: object) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        handed_over(2, die, window=50)
    expired_leases.recover_expired(now=NOW + timedelta(hours=1))
    mails = list(Delivery.objects.order_by("id"))
    assert ledger_summary().by_state == {"unknown": 2}
    apply(report(mails[0], ReportKind.DELIVERED))
    assert ledger_summary().by_state == {"accepted": 1, "unknown": 1}
    apply(report(mails[1], ReportKind.DELIVERED))
    assert Batch.objects.get().state == "accepted"


def test_event_before_the_outcome_is_unknown_is_kept() -> None:
    def die(_parcel: object) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        handed_over(2, die)
    mail = Delivery.objects.order_by("id").first()
    assert mail is not None
    assert apply(report(mail, ReportKind.PROCESSED)) == Applied(new=1)
    assert Batch.objects.get().state == "sending"
    expired_leases.recover_expired(now=NOW + timedelta(hours=1))
    assert ledger_summary().by_state == {"unknown": 2}
    assert prove_accepted.accept_proved(now=NOW) == 1
    assert ledger_summary().by_state == {"accepted": 2}


def test_our_own_note_of_a_mail_put_off_proves_nothing() -> None:
    first = iter([Deferred("450"), Accepted()])
    mails = handed_over(2, lambda _parcel: next(first), window=50)
    later = next(mail for mail in Delivery.objects.all() if mail.batch_id != mails[0].batch_id)
    Batch.objects.filter(id=later.batch_id).update(state="claimed")
    Batch.objects.filter(id=later.batch_id).update(state="sending")
    Batch.objects.filter(id=later.batch_id).update(state="unknown")
    assert prove_accepted.accept_proved(now=NOW) == 0
    assert Batch.objects.get(id=later.batch_id).state == "unknown"


def test_late_news_never_undo_an_acceptance() -> None:
    mails = handed_over(2)
    apply(
        report(mails[0], ReportKind.BOUNCE), report(mails[0], ReportKind.DROPPED), report(mails[1], ReportKind.DELAYED)
    )
    apply(report(mails[0], ReportKind.DELIVERED))
    assert ledger_summary().by_state == {"accepted": 2}
    assert suppressions() == {"bounce": False}


# -- who is not mailed any more


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ReportKind.BOUNCE, {"bounce": False}),
        (ReportKind.COMPLAINT, {"complaint": True}),
        (ReportKind.UNSUBSCRIBE, {"unsubscribe": False}),
        (ReportKind.SOFT_BOUNCE, {}),
        (ReportKind.DROPPED, {}),
        (ReportKind.DELAYED, {}),
    ],
)
def test_which_reports_suppress(kind: ReportKind, expected: dict[str, bool]) -> None:
    mail = handed_over(1)[0]
    assert apply(report(mail, kind)).suppressed == len(expected)
    assert suppressions() == expected


def test_a_forwarded_mail_that_bounces_elsewhere_suppresses_nobody() -> None:
    person = factories.subscriber("reader@example.org")
    mail = handed_over([person])[0]
    assert apply(report(mail, ReportKind.BOUNCE, addresses=(Address("other@example.net"),))).suppressed == 0
    both = (Address("other@example.net"), Address("Reader@Example.ORG"))
    assert apply(report(mail, ReportKind.BOUNCE, addresses=both, mark="2")).suppressed == 1


def test_a_provider_unsubscribe_ends_what_was_followed() -> None:
    person, topic = factories.subscriber(), factories.topic()
    before = factories.follow(person, topic)
    mail = handed_over([person])[0]
    apply(report(mail, ReportKind.UNSUBSCRIBE))
    before.refresh_from_db()
    assert (before.ended_reason, before.ended_at) == ("provider", NOW)
    assert Subscriber.objects.get(id=person.id).state == "left"


def test_news_older_than_a_consent_end_nothing() -> None:
    person, topic = factories.subscriber(), factories.topic()
    mail = handed_over([person])[0]
    Consent.objects.create(subscriber=person, what="confirm", wording_version=1, at=NOW + timedelta(hours=1))
    factories.follow(person, topic, owed_from=NOW + timedelta(hours=1))
    apply(report(mail, ReportKind.UNSUBSCRIBE), report(mail, ReportKind.BOUNCE))
    assert Subscription.objects.filter(ended_at=None).count() == 1
    assert suppressions() == {}
    apply(report(mail, ReportKind.COMPLAINT))
    assert suppressions() == {"complaint": True}


def test_a_person_lifts_their_bounce_and_a_new_one_counts_again() -> None:
    person = factories.subscriber()
    mail = handed_over([person])[0]
    apply(report(mail, ReportKind.BOUNCE))
    later = NOW + timedelta(hours=1)
    Consent.objects.create(subscriber=person, what="confirm", wording_version=1, at=later)
    people.lift_suppression(bytes(person.address_index), later)
    apply(report(mail, ReportKind.BOUNCE, mark="told late"))
    assert suppressions() == {}
    apply(report(mail, ReportKind.BOUNCE, at=later + timedelta(hours=1)))
    assert suppressions() == {"bounce": False}


@pytest.mark.parametrize("stronger", ["admin", "erased"])
def test_decisions_of_operators_and_erasures_stay(stronger: str) -> None:
    person = factories.subscriber()
    mail = handed_over([person])[0]
    Suppression.objects.create(address_index=person.address_index, reason=stronger, sticky=True, since=NOW)
    apply(report(mail, ReportKind.BOUNCE), report(mail, ReportKind.UNSUBSCRIBE))
    assert suppressions() == {stronger: True}


def test_a_person_erased_meanwhile_is_left_alone() -> None:
    mail = handed_over(1)[0]
    Subscriber.objects.all().delete()
    assert apply(report(mail, ReportKind.COMPLAINT), report(mail, ReportKind.SOFT_BOUNCE)).new == 2
    assert suppressions() == {} and not SoftBounce.objects.exists()


def test_refusals_at_the_door_are_bounces_without_a_report() -> None:
    answers = {
        0: Rejected("RCPT: 550 5.1.1", recipient_status="5.1.1"),
        1: Rejected("RCPT: 550 5.7.1", recipient_status="5.7.1"),
        2: Rejected("final dot: 554 5.1.1"),
        3: Accepted(),
    }
    number = itertools.count()
    handed_over(4, lambda _parcel: answers[next(number)], window=50)
    done = bounces_from_smtp_refusals(REPORT_CONTEXT, now=NOW)
    assert (done.new, done.suppressed) == (2, 1)
    assert bounces_from_smtp_refusals(REPORT_CONTEXT, now=NOW) == Applied()
    assert sorted(Event.objects.values_list("kind", "detail")) == [("bounce", "5.1.1"), ("soft bounce", "5.7.1")]


def test_a_refusal_is_told_by_the_server_that_said_it() -> None:
    for number in (2, 12):
        handed_over(2, Rejected("RCPT: 550 5.1.1", recipient_status="5.1.1"), window=50, number=number)
    assert bounces_from_smtp_refusals(REPORT_CONTEXT, now=NOW).suppressed == 4
    assert sorted(Suppression.objects.values_list("provider", flat=True)) == ["smtp", "smtp", "smtp-2", "smtp-2"]


# -- soft bounces


def mailed(person: Subscriber, times: int) -> list[Delivery]:
    return [handed_over([person])[0] for _ in range(times)]


def test_so_many_soft_bounces_in_a_row_suppress_and_one_arrival_forgives() -> None:
    person = factories.subscriber()
    mails = mailed(person, soft_bounces.IN_A_ROW + 1)
    for day, mail in enumerate(mails[:-2]):
        assert apply(report(mail, ReportKind.SOFT_BOUNCE, at=NOW + timedelta(days=day))).suppressed == 0
    apply(report(mails[0], ReportKind.SOFT_BOUNCE, mark="the same mail"))
    assert suppressions() == {}
    assert apply(report(mails[-2], ReportKind.SOFT_BOUNCE, at=NOW + timedelta(days=9))).suppressed == 1
    assert suppressions() == {"soft bounces": False}
    assert apply(report(mails[-1], ReportKind.DELIVERED, at=NOW + timedelta(days=10))).suppressed == -1
    assert suppressions() == {} and not SoftBounce.objects.exists()


def test_a_mail_that_arrived_in_between_begins_the_count_again() -> None:
    person = factories.subscriber()
    mails = mailed(person, soft_bounces.IN_A_ROW + 1)
    apply(report(mails[0], ReportKind.DELIVERED, at=NOW + timedelta(days=3, hours=1)))
    for day, mail in enumerate(mails[1:]):
        apply(report(mail, ReportKind.SOFT_BOUNCE, at=NOW + timedelta(days=day)))
    assert suppressions() == {}
    assert SoftBounce.objects.count() == 1


def test_soft_bounces_are_kept_for_weekly_readers_and_then_pruned() -> None:
    mail = handed_over(1)[0]
    apply(report(mail, ReportKind.SOFT_BOUNCE))
    assert soft_bounces.prune(NOW + timedelta(days=40)) == 0
    assert soft_bounces.prune(NOW + timedelta(days=61)) == 1


# -- a set


KINDS = list(ReportKind)


@given(data=st.data())
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_repetition_and_split_give_the_same_rows(data: st.DataObject) -> None:
    told = data.draw(
        st.lists(st.tuples(st.integers(0, 13), st.sampled_from(KINDS), st.integers(0, 6)), min_size=1, max_size=30)
    )
    seed = data.draw(st.integers(0, 2**16))
    first = final(told, lambda reports: [reports])
    assert final(told, lambda reports: shuffled(reports, seed)) == first


@example(told=[(n, ReportKind.SOFT_BOUNCE, n) for n in range(6)] + [(6, ReportKind.DELIVERED, 1)], seed=3)
@example(
    told=[(n, ReportKind.SOFT_BOUNCE, 2) for n in range(7)] + [(0, ReportKind.BOUNCE, 1), (3, ReportKind.COMPLAINT, 5)],
    seed=8,
)
@example(told=[(0, ReportKind.UNSUBSCRIBE, 0), (0, ReportKind.UNSUBSCRIBE, 1)], seed=0)
@given(told=st.just([]), seed=st.just(0))
@settings(max_examples=1, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sets_that_are_hard(told: list[tuple[int, ReportKind, int]], seed: int) -> None:
    for number in range(seed, seed + 5):
        assert final(told, lambda reports: shuffled(reports, number)) == final(told, lambda reports: [reports])  # noqa: B023


def shuffled(reports: list[Report], seed: int) -> list[list[Report]]:
    chance = random.Random(seed)
    many = reports * 2
    chance.shuffle(many)
    cuts = sorted(chance.sample(range(len(many) + 1), min(4, len(many) + 1)))
    return [many[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(many)], strict=True)]


class Undone(Exception):
    """Everything is rolled back: the next order begins with the same rows."""


def final(told: Sequence[tuple[int, ReportKind, int]], split: Callable[[list[Report]], list[list[Report]]]) -> object:
    """What the tables hold after these, in that order: seven mails for each of two people, half of them in doubt."""
    found: object = None
    try:
        with transaction.atomic():
            one, two = factories.subscriber("one@example.org"), factories.subscriber("two@example.org")
            topic = factories.topic()
            factories.follow(one, topic)
            Consent.objects.create(subscriber=two, what="confirm", wording_version=1, at=NOW + timedelta(hours=2))
            mails = []
            for number in range(7):
                mails += handed_over([one, two], Accepted() if number % 2 else Unknown("no answer"))
            base = mails[0].id
            reports = [report(mails[n], kind, at=NOW + timedelta(hours=hour)) for n, kind, hour in told]
            for part in split(reports):
                apply(*part)
            found = (
                sorted(ledger_summary().by_state.items()),
                sorted(
                    (bytes(s.address_index), s.reason, s.sticky, s.since, s.lifted_at)
                    for s in Suppression.objects.all()
                ),
                sorted((event.delivery_id - base, event.kind, event.at) for event in Event.objects.all()),
                sorted((s.subscriber_id - one.id, s.ended_at, s.ended_reason) for s in Subscription.objects.all()),
                sorted(Subscriber.objects.values_list("state", flat=True)),
                list(Gate.objects.values_list("sending_open", flat=True)),
            )
            raise Undone
    except Undone:
        return found


@pytest.mark.django_db(transaction=True)
def test_the_same_post_at_once_several_times_is_stored_once() -> None:
    factories.open_gate()
    mails = handed_over(40)
    told = [
        report(mail, kind)
        for mail in mails
        for kind in (ReportKind.PROCESSED, ReportKind.BOUNCE, ReportKind.UNSUBSCRIBE)
    ]
    orders = [told, told[::-1], told[50:] + told[:50], told]
    done = at_once([partial(apply, *order) for order in orders])
    assert all(isinstance(one, Applied) for one in done), done
    assert sum(one.new for one in done) == Event.objects.count() == 120
    assert Suppression.objects.filter(reason="unsubscribe").count() == 40
