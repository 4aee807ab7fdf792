"""Adding, looking up and erasing by hand."""

import pytest

from newsletter.lib.provider_interface import Address
from newsletter.models import Cadence, Consent, Notice, Subscriber, Subscription, Suppression
from newsletter.subscribers.admin_subscribe import AddedSubscriber, Suppressed, subscribe_directly
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.lookup_and_erase import counts, erase, show
from tests.subscribers.helpers import ANNA, HOUR, NOW, VAULT, ask, now_and_vault, subscribing, topic

pytestmark = pytest.mark.django_db


def add(choices, *, confirmed, now=NOW):
    return subscribe_directly(ANNA, choices, subscribing(now), confirmed=confirmed, source="command")


def forget(subscriber_id: int, topic_ids: list[int]) -> None:
    """The other rooms have tests of their own."""


def test_confirmed_subscriber_is_active_at_once_and_can_be_added_to():
    uyghur, huawei = topic(), topic("Huawei")
    done = add(Choices((uyghur.id,), ("Zzyzx",), Cadence.IMMEDIATE, mail_time=MailTime(hour=5)), confirmed=True)
    assert done == AddedSubscriber(Subscriber.objects.get().id, "active", followed=2)
    assert set(Subscription.objects.values_list("source", "cadence")) == {("command", 1)}
    assert not Notice.objects.exists() and Consent.objects.get().what == "command"
    assert add(Choices((huawei.id,)), confirmed=True, now=NOW + HOUR).followed == 1
    assert Subscription.objects.count() == 3 and Subscriber.objects.get().daily_rhythm.hour == 5


def test_unconfirmed_subscriber_gets_confirmation_mail():
    done = add(Choices((topic().id,)), confirmed=False)
    assert done.state == "pending" and Notice.objects.get().id == done.notice_id
    assert add(Choices((1,)), confirmed=False).notice_id is None


@pytest.mark.parametrize("confirmed", [True, False])
def test_erased_address_cannot_be_added_again(confirmed):
    add(Choices((topic().id,)), confirmed=True)
    ask(Choices())
    assert erase(ANNA, **now_and_vault(NOW + HOUR), forget=forget)
    assert not any(model.objects.exists() for model in (Subscriber, Subscription, Notice, Consent))
    kept = Suppression.objects.get()
    assert (kept.reason, kept.sticky, kept.lifted_at) == ("erased", True, None)
    assert add(Choices((1,)), confirmed=confirmed) == Suppressed("erased")
    assert not erase(ANNA, **now_and_vault(), forget=forget)


def test_show_and_counts():
    assert show(ANNA, vault=VAULT) is None
    add(Choices((topic().id,), ("Zzyzx",), mail_time=MailTime("Asia/Tokyo", 6)), confirmed=True)
    shown = show(Address("ANNA@example.org"), vault=VAULT)
    assert (shown.state, shown.zone, shown.hour, shown.suppressed) == ("active", "Asia/Tokyo", 6, None)
    assert {line.words for line in shown.subscriptions} == {"Uyghur", None}
    assert "Uyghur" not in repr(shown)
    assert counts() == {"pending": 0, "active": 1, "left": 0}
    erase(ANNA, **now_and_vault(), forget=forget)
    assert show(ANNA, vault=VAULT).suppressed == "erased"
