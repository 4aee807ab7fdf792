"""Preferences: what the page shows, and what each button changes."""

import pytest

from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Cadence, Notice, Subscriber
from newsletter.subscribers import preferences
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.preferences import Changed
from newsletter.subscribers.tokens import Expired, InvalidToken
from tests.subscribers.helpers import (
    ANNA,
    DAY,
    HOUR,
    NOW,
    VAULT,
    ask,
    cancel_nothing,
    lasting,
    live,
    now_and_vault,
    press,
    subscribing,
    token,
    topic,
)  # fmt: skip

pytestmark = pytest.mark.django_db
MAIL_TIME = MailTime("UTC", 7, 0)


def test_view_shows_topic_names_and_keywords(link):
    shown = preferences.view(link, **now_and_vault())
    assert [(topic.name, topic.is_keyword) for topic in shown.live] == [
        ("Huawei", False),
        ("Uyghur", False),
        ("Zzyzx", True),
    ]
    assert "Zzyzx" not in repr(shown) and not shown.left


def test_manage_link_works_for_a_day_and_no_other_token_does(anna, link):
    assert preferences.view(link, **now_and_vault(NOW + DAY - HOUR)).live
    assert preferences.view(link, **now_and_vault(NOW + DAY)) == Expired()
    confirm = Notice.objects.get(kind="confirm")
    for wrong in (lasting("unsubscribe", anna), lasting("ask", anna), token(confirm), "", "A" * 22):
        assert preferences.view(wrong, **now_and_vault()) == InvalidToken()
        assert preferences.stop(wrong, 1, **now_and_vault(), cancel_planned=cancel_nothing) == InvalidToken()


def test_stop_cancels_planned_mail_and_resume_restores(link):
    huawei = live().get(topic__name="Huawei")
    cancelled = []
    stopping = {"cancel_planned": lambda *ids: cancelled.append(ids), **now_and_vault(NOW + HOUR)}
    assert preferences.stop(link, huawei.id, **stopping) == Changed(1)
    assert preferences.stop(link, huawei.id, **stopping) == Changed(0)
    assert cancelled == [(huawei.subscriber_id, huawei.topic_id)]
    shown = preferences.view(link, now=NOW + HOUR, vault=VAULT)
    assert [topic.name for topic in shown.live] == ["Uyghur", "Zzyzx"]
    assert [topic.name for topic in shown.stopped] == ["Huawei"]
    assert preferences.resume(link, huawei.id, **now_and_vault(NOW + 2 * HOUR)) == Changed(1)
    assert preferences.resume(link, huawei.id, **now_and_vault(NOW + 2 * HOUR)) == Changed(0)
    huawei.refresh_from_db()
    assert (huawei.ended_at, huawei.ended_reason, huawei.owed_from, huawei.changed_at) == (
        None,
        None,
        NOW,
        NOW + 2 * HOUR,
    )


def test_subscriptions_of_others_cannot_be_changed(link):
    bob = Address("bob@example.org")
    press(token(ask(Choices((live().first().topic_id,)), bob)))
    theirs = live().exclude(subscriber__address_index=index_of(ANNA, VAULT)).get()
    assert preferences.stop(link, theirs.id, **now_and_vault(), cancel_planned=cancel_nothing) == Changed(0)
    preferences.change_frequency(link, theirs.id, Cadence.WEEKLY, **now_and_vault())
    theirs.refresh_from_db()
    assert (theirs.ended_at, theirs.cadence) == (None, Cadence.DAILY)


def test_change_how_often_one_topic_comes(link):
    topic = live().get(topic__name="Huawei")
    assert preferences.change_frequency(link, topic.id, Cadence.IMMEDIATE, now=NOW + HOUR, vault=VAULT) == Changed(1)
    changed = live().values_list("topic__name", "cadence", "changed_at")
    assert set(changed) == {("Huawei", 1, NOW + HOUR), ("Uyghur", 2, NOW), (None, 2, NOW)}
    assert preferences.change_frequency(link, topic.id, Cadence.IMMEDIATE, now=NOW, vault=VAULT) == Changed(0)


def test_change_mail_time_and_subject(link):
    later = MailTime("Asia/Tokyo", 21, 6)
    changed = preferences.change_mail_time(link, subscribing(NOW + HOUR), later, discreet=False)
    assert changed == Changed(3)
    person = Subscriber.objects.get()
    assert (person.daily_rhythm.zone, person.daily_rhythm.hour, person.weekly_rhythm.weekday) == ("Asia/Tokyo", 21, 6)
    assert not person.look.discreet
    # a moved slot: composers must read these people with the full look-back
    assert set(live().values_list("changed_at", flat=True)) == {NOW + HOUR}


def test_saving_an_unchanged_mail_time_changes_no_row(link):
    assert preferences.change_mail_time(link, subscribing(NOW + HOUR), MAIL_TIME, discreet=True) == Changed(0)
    assert set(live().values_list("changed_at", flat=True)) == {NOW}


def test_add_topics_and_keywords(link):
    russia = topic("Russia")
    choices = Choices((russia.id,), ("Kashgar",), Cadence.WEEKLY)
    assert preferences.add(link, choices, subscribing(NOW + HOUR)) == Changed(2)
    assert preferences.add(link, choices, subscribing(NOW + HOUR)) == Changed(2)
    assert live().count() == 5
    assert live().filter(owed_from=NOW + HOUR, cadence=Cadence.WEEKLY).count() == 2


def test_topic_followed_again_cannot_be_resumed(link):
    huawei = live().get(topic__name="Huawei")
    preferences.stop(link, huawei.id, **now_and_vault(), cancel_planned=cancel_nothing)
    preferences.add(link, Choices((huawei.topic_id,)), subscribing(NOW + HOUR))
    assert preferences.view(link, now=NOW + HOUR, vault=VAULT).stopped == ()
    assert preferences.resume(link, huawei.id, now=NOW + HOUR, vault=VAULT) == Changed(0)
