"""Row 45: after three weeks nothing joins a person and an item, or an own keyword and an item; few followers are no number."""

from datetime import timedelta

import pytest

from newsletter.lib import db
from newsletter.matching.topics import topic_status
from newsletter.models import Delivery, DeliveryItem, EditionBody, Match, Subscription
from newsletter.worker import retention
from tests.security import installation

pytestmark = pytest.mark.django_db(transaction=True)


def test_after_21_days_nothing_tells_who_got_what_and_why(settings, httpserver, tmp_path) -> None:
    with installation.installed(settings, httpserver, tmp_path):
        installation.lived_in()
        assert DeliveryItem.objects.exists() and Match.objects.filter(topic__kind="own").exists()
        now = db.now()
        retention.prune(now=now + timedelta(days=8))
        assert not EditionBody.objects.exists() and Delivery.objects.exists()
        retention.prune(now=now + timedelta(days=21, hours=1))
        assert not Delivery.objects.exists() and not DeliveryItem.objects.exists()
        assert not Match.objects.filter(topic__kind="own").exists()
        assert Subscription.objects.filter(topic__kind="own").exists()  # it is looked for as before


def test_fewer_than_ten_followers_are_no_number(settings, httpserver, tmp_path) -> None:
    with installation.installed(settings, httpserver, tmp_path):
        for number in range(10):
            shown = {one.name: one.followers.shown for one in topic_status.list_topics(small_number=10)}
            assert shown == {"Uyghur": None, "Huawei": None}, number
            installation.road.subscribe(f"reader{number}@example.org", "Uyghur")
        assert {one.name: one.followers.shown for one in topic_status.list_topics(small_number=10)} == {
            "Uyghur": 10,
            "Huawei": None,
        }
