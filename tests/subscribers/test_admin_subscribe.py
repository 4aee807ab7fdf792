"""Subscribing on an admin's word."""

import pytest

from newsletter.models import Cadence, Consent, Notice, Subscriber, Subscription
from newsletter.subscribers.admin_subscribe import AddedSubscriber
from newsletter.subscribers.choices import Choices, MailTime
from tests.subscribers.helpers import HOUR, NOW, add, topic

pytestmark = pytest.mark.django_db


def test_confirmed_subscriber_is_active_at_once_and_can_be_added_to():
    uyghur, huawei = topic(), topic("Huawei")
    done = add(Choices((uyghur.id,), ("Zzyzx",), Cadence.IMMEDIATE, mail_time=MailTime(hour=5)), confirmed=True)
    assert done == AddedSubscriber(Subscriber.objects.get().id, "active", followed=2, new=2)
    assert set(Subscription.objects.values_list("source", "cadence")) == {("command", 1)}
    assert not Notice.objects.exists() and Consent.objects.get().what == "command"
    again = add(Choices((huawei.id,)), confirmed=True, now=NOW + HOUR)
    assert (again.was_active, again.followed, again.new) == (True, 1, 1)
    repeated = add(Choices((huawei.id,)), confirmed=True, now=NOW + HOUR)
    assert (repeated.was_active, repeated.followed, repeated.new) == (True, 1, 0)
    assert Subscription.objects.count() == 3 and Subscriber.objects.get().daily_rhythm.hour == 5


def test_unconfirmed_subscriber_gets_confirmation_mail():
    done = add(Choices((topic().id,)), confirmed=False)
    assert done.state == "pending" and Notice.objects.get().id == done.notice_id
    assert add(Choices((1,)), confirmed=False).notice_id is None
