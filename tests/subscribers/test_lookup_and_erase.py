"""Looking people up and erasing them."""

import pytest

from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Consent, Notice, Subscriber, Subscription, Suppression
from newsletter.subscribers.admin_subscribe import Suppressed
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.lookup_and_erase import counts, erase, show
from tests.factories import ACTOR
from tests.subscribers.helpers import ANNA, HOUR, NOW, VAULT, add, ask, now_and_vault, topic

pytestmark = pytest.mark.django_db


def forget(subscriber_id: int, topic_ids: list[int]) -> None:
    """The other rooms have tests of their own."""


@pytest.mark.parametrize("confirmed", [True, False])
def test_erased_address_cannot_be_added_again(confirmed):
    add(Choices((topic().id,)), confirmed=True)
    ask(Choices())
    assert erase(ANNA, **now_and_vault(NOW + HOUR), forget=forget, actor=ACTOR)
    assert not any(model.objects.exists() for model in (Subscriber, Subscription, Notice, Consent))
    kept = Suppression.objects.get()
    assert (kept.reason, kept.sticky, kept.lifted_at) == ("erased", True, None)
    assert add(Choices((1,)), confirmed=confirmed) == Suppressed("erased")
    assert not erase(ANNA, **now_and_vault(), forget=forget, actor=ACTOR)


def test_show_and_counts():
    assert show(ANNA, vault=VAULT) is None
    add(Choices((topic().id,), ("Zzyzx",), mail_time=MailTime("Asia/Tokyo", 6)), confirmed=True)
    shown = show(Address("ANNA@example.org"), vault=VAULT)
    assert (shown.state, shown.zone, shown.hour, shown.suppressed) == ("active", "Asia/Tokyo", 6, None)
    assert {line.words for line in shown.subscriptions} == {"Uyghur", None}
    assert "Uyghur" not in repr(shown)
    assert counts() == {"pending": 0, "active": 1, "left": 0}
    erase(ANNA, **now_and_vault(), forget=forget, actor=ACTOR)
    assert show(ANNA, vault=VAULT).suppressed == "erased"
