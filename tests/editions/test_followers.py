"""How many people follow one of some topics and may be mailed."""

from datetime import timedelta

import pytest

from newsletter.editions.owed import followers
from newsletter.models import Cadence, Subscription
from tests import factories

pytestmark = pytest.mark.django_db
NOW = factories.NOW


def test_each_is_counted_once_and_only_who_may_be_mailed():
    one, two = factories.topic("One"), factories.topic("Two")
    both = factories.subscriber()
    factories.follow(both, one)
    factories.follow(both, two, Cadence.WEEKLY)
    factories.follow(factories.subscriber(state="pending"), one)
    factories.follow(factories.subscriber(paused_until=NOW + timedelta(days=1)), one)
    factories.follow(factories.subscriber(paused_until=NOW - timedelta(days=1)), two)
    gone = factories.follow(factories.subscriber(), two)
    Subscription.objects.filter(id=gone.id).update(ended_at=NOW, ended_reason="reader")
    assert followers([one.id, two.id], now=NOW) == 2
    assert followers([one.id], now=NOW) == 1
    assert followers([], now=NOW) == 0
