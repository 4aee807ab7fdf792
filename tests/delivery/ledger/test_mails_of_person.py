"""What one person was mailed, and how many articles of each of their topics."""

from datetime import timedelta

import pytest

from newsletter.delivery.erasure import MailsOfErased, erase_mails, mails_of_erased
from newsletter.delivery.ledger.mails_of_person import given_articles, mails_of
from newsletter.models import Batch, DeliveryItem
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def test_only_their_own_mails_the_newest_first() -> None:
    anna, other = factories.subscriber(), factories.subscriber()
    first, second = factories.planned([anna, other]), factories.planned([anna], kind="digest")
    factories.planned([other])
    Batch.objects.filter(id__in=second.batch_ids).update(state="parked", reason="no room")
    mails = mails_of(anna.id)
    assert [(mail.kind, mail.state, mail.reason, mail.articles, mail.topic_ids) for mail in mails] == [
        ("digest", "parked", "no room", 1, (1,)),
        ("alert", "planned", None, 1, (1,)),
    ]
    assert mails_of(anna.id, limit=1) == mails[:1] and first.batch_ids
    assert mails_of(999) == []


def test_articles_of_21_days_by_topic() -> None:
    anna, topic, other = factories.subscriber(), factories.topic(), factories.topic()
    for ago, topics in ((1, [topic]), (20, [topic, other]), (22, [topic])):
        item = factories.item(seen=NOW - timedelta(days=ago))
        DeliveryItem.objects.create(item_id=item.id, subscriber_id=anna.id, version=1)
        for met in topics:
            factories.match(item, met, owed_at=None)
    given = given_articles(anna.id, [topic.id, other.id], now=NOW)
    assert (given.count, given.by_topic) == (2, {topic.id: 2, other.id: 1})


def test_what_erasing_concerns_is_what_it_does() -> None:
    gone, stays = factories.subscriber(), factories.subscriber()
    factories.planned([gone]), factories.planned([gone, stays])
    assert mails_of_erased(gone.id) == MailsOfErased(bodies=1, articles=2, deliveries=2)
    erase_mails(gone.id)
    assert mails_of_erased(gone.id) == MailsOfErased(bodies=0, articles=0, deliveries=2)
