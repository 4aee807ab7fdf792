"""What the ledger forgets of somebody at once."""

import pytest

from newsletter.delivery import erasure
from newsletter.models import Delivery, DeliveryItem, EditionBody
from tests import factories

pytestmark = pytest.mark.django_db


def test_words_that_only_they_got_go_and_those_of_others_stay() -> None:
    gone, stays = factories.subscriber(), factories.subscriber()
    alone, together, others = factories.planned([gone]), factories.planned([gone, stays]), factories.planned([stays])
    erasure.erase_mails(gone.id)
    worded = set(EditionBody.objects.values_list("edition__delivery__batch_id", flat=True))
    assert worded == {*together.batch_ids, *others.batch_ids}
    assert worded.isdisjoint(alone.batch_ids)
    assert set(DeliveryItem.objects.values_list("subscriber_id", "item_id")) == {
        (stays.id, together.item.id),
        (stays.id, others.item.id),
    }
    assert Delivery.objects.filter(subscriber_id=gone.id).count() == 2  # by a number that leads to nobody


def test_nothing_was_ever_mailed() -> None:
    erasure.erase_mails(factories.subscriber().id)
