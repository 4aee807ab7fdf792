"""Looking people up and erasing them."""

import pytest

from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Consent, Notice, Subscriber, Subscription, Suppression
from newsletter.subscribers.admin_subscribe import Suppressed
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.lookup_and_erase import ErasedRows, counts, erase, erase_person, rows_to_erase
from newsletter.subscribers.person.find import FoundPerson, look_up
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


def test_who_may_be_mailed_again_is_nobody_known():
    add(Choices((topic().id,)), confirmed=True)
    person = Subscriber.objects.get()
    assert rows_to_erase(person.id) == ErasedRows(subscriptions=1, consents=1, notices=0, suppressed=None)
    assert erase(ANNA, **now_and_vault(NOW + HOUR), forget=forget, actor=ACTOR, never_again=False)
    assert not any(model.objects.exists() for model in (Subscriber, Subscription, Consent, Suppression))
    assert rows_to_erase(person.id) is None
    assert not erase_person(person.id, **now_and_vault(), forget=forget, actor=ACTOR, never_again=False)
    assert add(Choices((1,)), confirmed=True).state == "active"


def test_a_suppression_that_stood_before_stays():
    add(Choices((topic().id,)), confirmed=True)
    person = Subscriber.objects.get()
    Suppression.objects.create(address_index=person.address_index, reason="complaint", sticky=True, since=NOW)
    assert rows_to_erase(person.id).suppressed == "complaint"
    erase_person(person.id, **now_and_vault(), forget=forget, actor=ACTOR, never_again=False)
    assert look_up(ANNA, vault=VAULT) == FoundPerson(None, "complaint")


def test_look_up_and_counts():
    assert look_up(ANNA, vault=VAULT) == FoundPerson(None, None)
    add(Choices((topic().id,)), confirmed=True)
    assert look_up(Address("ANNA@example.org"), vault=VAULT) == FoundPerson(Subscriber.objects.get().id)
    assert counts() == {"pending": 0, "active": 1, "left": 0}
    erase(ANNA, **now_and_vault(), forget=forget, actor=ACTOR)
    assert look_up(ANNA, vault=VAULT) == FoundPerson(None, "erased")
