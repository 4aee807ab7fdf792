"""The numbers of a day add up, in anybody's zone; a day before there was anything is a gap."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.lib import db
from newsletter.lib.mail.provider_interface import ReportKind
from newsletter.models import (
    Attempt,
    Cadence,
    Delivery,
    DeliveryState,
    Event,
    Gathering,
    Item,
    Match,
    Occasion,
    Rhythm,
    Subscriber,
    Subscription,
    Topic,
)
from newsletter.status.days import DAYS, last_days
from newsletter.status.next_digests import next_digests
from newsletter.status.remembered import Remembered
from newsletter.status.slowest_alert import slowest_alert
from newsletter.worker import startup
from tests import factories
from tests.delivery.helpers import handed_over

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Asia/Kathmandu")


@pytest.fixture(autouse=True)
def _forget() -> None:
    Remembered.forget_all()
    startup.prepare()


def test_mails_are_accepted_or_came_back_or_failed_or_are_in_doubt() -> None:
    mails = handed_over(6)
    now = db.now()
    Attempt.objects.update(ended_at=now)
    Item.objects.update(first_seen_at=now)
    Delivery.objects.filter(id=mails[0].id).update(state=DeliveryState.UNKNOWN)
    Delivery.objects.filter(id=mails[1].id).update(state=DeliveryState.FAILED)
    Delivery.objects.filter(id=mails[2].id).update(state=DeliveryState.CANCELLED)
    for number in (3, 3, 4):
        Event.objects.create(
            fingerprint=Event.objects.count().to_bytes(32, "big"),
            delivery_id=mails[number].id,
            kind=ReportKind.BOUNCE if number == 3 else ReportKind.COMPLAINT,
            at=now,
            received_at=now,
        )
    days = last_days(ZONE, now=now)
    today = days[-1]
    assert len(days) == DAYS and today.day == now.astimezone(ZONE).date()
    assert (today.accepted, today.bounced, today.failed, today.unknown, today.mails) == (2, 1, 1, 1, 5)
    assert today.known and not any(day.known or day.mails for day in days[:-1]), "installed today: the rest is a gap"
    topic = factories.topic("Cable")
    own = Topic.objects.create(kind="own", query_index=b"mast", query_cipher=b"x", key_id=1, created_at=now)
    item = Item.objects.get()
    for one in (own, topic):
        assert last_days(ZONE, now=now)[-1].matched == 0, "what readers' own keywords match is not told"
        Match.objects.create(
            item=item, topic=one, item_version=1, revision_id=1, matched_at=now, owe_until=now + timedelta(days=10)
        )
    assert (last_days(ZONE, now=now)[-1].items, last_days(ZONE, now=now)[-1].matched) == (1, 1)


def test_a_day_of_somebody_ends_at_their_midnight() -> None:
    handed_over(2)
    now = db.now()
    midnight = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    Attempt.objects.update(ended_at=midnight - timedelta(seconds=1))
    days = last_days(ZONE, now=now)
    assert [day.mails for day in days[-2:]] == [2, 0] and days[-2].known
    with CaptureQueriesContext(connection) as captured:
        last_days(ZONE, now=now)
    assert len(captured) == 5, "the days before today are remembered"


def test_the_next_digests_count_those_who_get_one() -> None:
    people = [factories.subscriber(f"r{number}@example.org") for number in range(3)]
    topic = factories.topic("Cable")
    now = db.now()
    for person, cadence in zip(people, (Cadence.DAILY, Cadence.DAILY, Cadence.IMMEDIATE), strict=True):
        Subscription.objects.filter(subscriber=person).delete()
        Subscription.objects.create(
            subscriber=person,
            topic=topic,
            cadence=cadence,
            owed_from=now,
            changed_at=now,
            created_at=now,
            source="page",
        )
    Rhythm.objects.filter(cadence=Cadence.DAILY).update(due_at=now + timedelta(hours=2))
    Subscriber.objects.filter(id=people[1].id).update(paused_until=now + timedelta(days=2))
    ((due_at, count),) = [(slot.due_at, slot.people) for slot in next_digests(now=now)]
    assert (due_at, count) == (now + timedelta(hours=2), 1)


def test_the_slowest_alert_is_measured_from_the_article_to_the_last_mail() -> None:
    planned = factories.planned(2)
    now = db.now()
    occasion = Occasion.objects.get()
    assert slowest_alert(since=now - timedelta(hours=1)) is None
    gathering = Gathering.objects.filter(occasion=occasion).first() or Gathering.objects.create(
        occasion=occasion, cut_at=now
    )
    Item.objects.filter(id=planned.item.id).update(first_seen_at=now - timedelta(minutes=4))
    Match.objects.create(
        item=planned.item,
        topic=factories.topic("Cable"),
        item_version=1,
        revision_id=1,
        matched_at=now,
        owe_until=now + timedelta(days=6),
        gathering_id=gathering.id,
    )
    for batch_id in planned.batch_ids:
        Attempt.objects.create(batch_id=batch_id, n=1, provider=1, began_at=now, ended_at=now, outcome="accepted")
    found = slowest_alert(since=now - timedelta(hours=1))
    assert found is not None and (found.occasion_id, found.took) == (occasion.id, timedelta(minutes=4))
