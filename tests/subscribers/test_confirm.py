"""Confirming: looking changes nothing, pressing works once, and every other link says what it is."""

from functools import partial

import pytest

from newsletter.lib.provider_interface import Address
from newsletter.models import Cadence, Consent, Notice, Rhythm, Subscriber, Subscription, Suppression, Topic
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.confirm import Confirmed, Open, look
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.manage_link import ask_by_address, renew
from newsletter.subscribers.sign_up import Signed
from newsletter.subscribers.tokens import Expired, Used, Wrong
from tests.subscribers.means import (
    ANNA,
    DAY,
    HOUR,
    NOW,
    VAULT,
    ask,
    at_once,
    doors,
    lasting,
    press,
    pressing,
    token,
    topic,
)

pytestmark = pytest.mark.django_db


def test_pressing_makes_it_so():
    uyghur = topic()
    notice = ask(Choices((uyghur.id,), ("Zzyzx",), Cadence.WEEKLY, "Asia/Urumqi", 19, 4, discreet=False))
    shown = look(token(notice), **doors())
    assert isinstance(shown, Open) and shown.names == ("Uyghur",) and shown.choices.words == ("Zzyzx",)
    done = press(token(notice), **pressing(NOW + HOUR))
    person = Subscriber.objects.get()
    assert isinstance(done, Confirmed)
    assert (done.subscriber_id, done.shown.choices.cadence, done.zone, done.next_due) == (
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


def test_immediate_has_no_slot():
    assert press(token(ask(Choices((topic().id,), cadence=Cadence.IMMEDIATE))), **pressing()).next_due is None


def test_once():
    notice = ask(Choices((topic().id,)))
    press(token(notice), **pressing())
    assert press(token(notice), **pressing()) == Used() == look(token(notice), **doors())
    assert Subscription.objects.count() == Consent.objects.count() == 1


def test_expired_is_told_and_renewed_to_the_same_mailbox():
    notice = ask(Choices((topic().id,), hour=5))
    late = NOW + 7 * DAY
    assert press(token(notice), **pressing(late)) == Expired() == look(token(notice), **doors(late))
    assert not Subscription.objects.exists()
    done = renew(token(notice), **doors(late))
    assert isinstance(done, Signed) and done.notice_id
    fresh = Notice.objects.get(id=done.notice_id)
    assert look(token(fresh), **doors(late)).choices.hour == 5


def test_renewing_is_for_expired_links_and_within_limits():
    notice = ask(Choices())
    assert renew(token(notice), **doors()) == Wrong()
    assert renew("x" * 22, **doors()) == Wrong()
    late = NOW + 40 * DAY
    sent = [renew(token(notice), **doors(late)).notice_id for _ in range(5)]
    assert [bool(number) for number in sent] == [True, True, True, False, False]


@pytest.mark.parametrize("wrong", ["", "x", "A" * 22, "\u06d5" * 22, "A" * 10_000, "../etc"])
def test_wrong(wrong):
    assert look(wrong, **doors()) == Wrong() == press(wrong, **pressing())


def test_tokens_of_other_purposes_are_wrong():
    notice = ask(Choices((topic().id,)))
    person = Subscriber.objects.get()
    press(token(notice), **pressing())
    manage = Notice.objects.get(id=ask_by_address(ANNA, **doors()).notice_id)
    others = [lasting("ask", person), lasting("unsubscribe", person), token(manage), VAULT.token("notice", notice.id)]
    assert {press(other, **pressing()) for other in others} == {Wrong()}


def test_a_known_person_adds_and_keeps_hour_and_subject():
    uyghur, huawei = topic(), topic("Huawei")
    press(token(ask(Choices((uyghur.id,), hour=7))), **pressing())
    notice = ask(Choices((uyghur.id, huawei.id), cadence=Cadence.WEEKLY, hour=22, discreet=False), now=NOW + DAY)
    done = press(token(notice), **pressing(NOW + DAY))
    person = Subscriber.objects.get()
    assert done.shown.kind == "add"
    assert (person.daily_rhythm.hour, person.look.discreet, person.confirmed_at) == (7, True, NOW)
    assert {(row.topic_id, row.cadence, row.owed_from) for row in Subscription.objects.all()} == {
        (uyghur.id, Cadence.WEEKLY, NOW),
        (huawei.id, Cadence.WEEKLY, NOW + DAY),
    }


def test_a_topic_retired_meanwhile_is_left_out():
    gone, kept = topic("Gone"), topic("Kept")
    notice = ask(Choices((gone.id, kept.id, 999)))
    Topic.objects.filter(id=gone.id).update(state="retired")
    assert look(token(notice), **doors()).names == ("Kept",)
    press(token(notice), **pressing())
    assert Subscription.objects.get().topic_id == kept.id


@pytest.mark.parametrize(("sticky", "lifted"), [(False, NOW + HOUR), (True, None)])
def test_confirming_lifts_a_bounce_and_nothing_stronger(sticky, lifted):
    notice = ask(Choices((topic().id,)))
    Suppression.objects.create(address_index=index_of(ANNA, VAULT), reason="bounce", sticky=sticky, since=NOW)
    press(token(notice), **pressing(NOW + HOUR))
    assert Suppression.objects.get().lifted_at == lifted


def test_an_older_confirmation_does_not_bring_back_replaced_choices():
    old = ask(Choices((topic().id,)))
    new = ask(Choices((topic("Huawei").id,)), now=NOW + DAY)
    press(token(new), **pressing(NOW + DAY))
    assert press(token(old), **pressing(NOW + DAY)) == Used()
    assert Subscription.objects.get().topic.name == "Huawei"


def test_an_empty_rhythm_of_the_past_does_not_fire_for_who_joins():
    stale = Rhythm.objects.create(cadence=2, zone="UTC", hour=7, weekday=-1, due_at=NOW - 30 * DAY)
    press(token(ask(Choices((topic().id,)))), **pressing())
    stale.refresh_from_db()
    assert stale.due_at > NOW


def test_a_due_rhythm_with_people_is_left_to_its_tick():
    press(token(ask(Choices((topic().id,)))), **pressing())
    rhythm = Rhythm.objects.get(cadence=2)
    ask(Choices((1,)), Address("bob@example.org"), now=rhythm.due_at + HOUR)
    before, rhythm.due_at = rhythm.due_at, None
    rhythm.refresh_from_db()
    assert rhythm.due_at == before


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_are_one():
    notice = ask(Choices((topic().id,), ("Zzyzx",)))
    answers = at_once([partial(press, token(notice), **pressing())] * 6)
    assert sorted(type(answer).__name__ for answer in answers) == ["Confirmed"] + ["Used"] * 5
    assert (Subscription.objects.count(), Consent.objects.count()) == (2, 1)
