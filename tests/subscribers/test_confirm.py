"""Confirming: the preview changes nothing, the button works once, and every other token is refused."""

from functools import partial

import pytest

from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Cadence, Consent, Notice, Rhythm, Subscriber, Subscription, Suppression, Topic
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.confirm import ConfirmationPreview, Confirmed, preview_confirmation
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.manage_link import ask_by_address
from newsletter.subscribers.tokens import InvalidToken, Used
from tests.subscribers.helpers import (
    ANNA,
    DAY,
    HOUR,
    NOW,
    VAULT,
    ask,
    at_once,
    lasting,
    now_and_vault,
    press,
    token,
    topic,
)

pytestmark = pytest.mark.django_db


def test_confirming_activates_and_subscribes():
    uyghur = topic()
    notice = ask(Choices((uyghur.id,), ("Zzyzx",), Cadence.WEEKLY, MailTime("Asia/Urumqi", 19, 4), discreet=False))
    shown = preview_confirmation(token(notice), **now_and_vault())
    assert (
        isinstance(shown, ConfirmationPreview)
        and shown.topic_names == ("Uyghur",)
        and shown.choices.keywords == ("Zzyzx",)
    )
    done = press(token(notice), NOW + HOUR)
    person = Subscriber.objects.get()
    assert isinstance(done, Confirmed)
    assert (done.subscriber_id, done.preview.choices.cadence, done.zone, done.next_due) == (
        person.id, Cadence.WEEKLY, "Asia/Urumqi", person.weekly_rhythm.due_at,
    )  # fmt: skip
    assert (person.state, person.confirmed_at, person.look.discreet) == ("active", NOW + HOUR, False)
    assert (person.weekly_rhythm.hour, person.weekly_rhythm.weekday, person.daily_rhythm.weekday) == (19, 4, -1)
    rows = Subscription.objects.all()
    assert {(row.cadence, row.source, row.owed_from, row.ended_at) for row in rows} == {
        (Cadence.WEEKLY, "page", NOW + HOUR, None)
    }
    assert len(rows) == 2 and uyghur.id in {row.topic_id for row in rows}
    assert Consent.objects.get().what == "confirm"


def test_immediate_cadence_has_no_next_slot():
    assert press(token(ask(Choices((topic().id,), cadence=Cadence.IMMEDIATE)))).next_due is None


def test_confirmation_works_once():
    notice = ask(Choices((topic().id,)))
    press(token(notice))
    assert press(token(notice)) == Used() == preview_confirmation(token(notice), **now_and_vault())
    assert Subscription.objects.count() == Consent.objects.count() == 1


@pytest.mark.parametrize("wrong", ["", "x", "A" * 22, "\u06d5" * 22, "A" * 10_000, "../etc"])
def test_invalid_token(wrong):
    assert preview_confirmation(wrong, **now_and_vault()) == InvalidToken() == press(wrong)


def test_tokens_of_other_purposes_are_invalid():
    notice = ask(Choices((topic().id,)))
    person = Subscriber.objects.get()
    press(token(notice))
    manage = Notice.objects.get(id=ask_by_address(ANNA, **now_and_vault()).notice_id)
    others = [lasting("ask", person), lasting("unsubscribe", person), token(manage), VAULT.token("notice", notice.id)]
    assert {press(other) for other in others} == {InvalidToken()}


def test_known_subscriber_adds_and_keeps_hour_and_subject():
    uyghur, huawei = topic(), topic("Huawei")
    press(token(ask(Choices((uyghur.id,), mail_time=MailTime(hour=7)))))
    notice = ask(
        Choices((uyghur.id, huawei.id), cadence=Cadence.WEEKLY, mail_time=MailTime(hour=22), discreet=False),
        now=NOW + DAY,
    )
    done = press(token(notice), NOW + DAY)
    person = Subscriber.objects.get()
    assert done.preview.kind == "add"
    assert (person.daily_rhythm.hour, person.look.discreet, person.confirmed_at) == (7, True, NOW)
    assert {(row.topic_id, row.cadence, row.owed_from) for row in Subscription.objects.all()} == {
        (uyghur.id, Cadence.WEEKLY, NOW),
        (huawei.id, Cadence.WEEKLY, NOW + DAY),
    }


def test_topic_retired_meanwhile_is_left_out():
    gone, kept = topic("Gone"), topic("Kept")
    notice = ask(Choices((gone.id, kept.id, 999)))
    Topic.objects.filter(id=gone.id).update(state="retired")
    assert preview_confirmation(token(notice), **now_and_vault()).topic_names == ("Kept",)
    press(token(notice))
    assert Subscription.objects.get().topic_id == kept.id


@pytest.mark.parametrize(("sticky", "lifted"), [(False, NOW + HOUR), (True, None)])
def test_confirming_lifts_bounce_but_no_permanent_suppression(sticky, lifted):
    notice = ask(Choices((topic().id,)))
    Suppression.objects.create(address_index=index_of(ANNA, VAULT), reason="bounce", sticky=sticky, since=NOW)
    press(token(notice), NOW + HOUR)
    assert Suppression.objects.get().lifted_at == lifted


def test_older_confirmation_does_not_restore_replaced_choices():
    old = ask(Choices((topic().id,)))
    new = ask(Choices((topic("Huawei").id,)), now=NOW + DAY)
    press(token(new), NOW + DAY)
    assert press(token(old), NOW + DAY) == Used()
    assert Subscription.objects.get().topic.name == "Huawei"


def test_unused_overdue_rhythm_is_moved_on_for_new_subscriber():
    stale = Rhythm.objects.create(cadence=2, zone="UTC", hour=7, weekday=-1, due_at=NOW - 30 * DAY)
    press(token(ask(Choices((topic().id,)))))
    stale.refresh_from_db()
    assert stale.due_at > NOW


def test_due_rhythm_in_use_is_not_moved():
    press(token(ask(Choices((topic().id,)))))
    rhythm = Rhythm.objects.get(cadence=2)
    ask(Choices((1,)), Address("bob@example.org"), now=rhythm.due_at + HOUR)
    before, rhythm.due_at = rhythm.due_at, None
    rhythm.refresh_from_db()
    assert rhythm.due_at == before


@pytest.mark.django_db(transaction=True)
def test_concurrent_confirmations_count_once():
    notice = ask(Choices((topic().id,), ("Zzyzx",)))
    answers = at_once([partial(press, token(notice))] * 6)
    assert sorted(type(answer).__name__ for answer in answers) == ["Confirmed"] + ["Used"] * 5
    assert (Subscription.objects.count(), Consent.objects.count()) == (2, 1)
