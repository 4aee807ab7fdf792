"""How feeds are: in one word each, with what they did and what an operator should know."""

from datetime import timedelta

import pytest

from newsletter.feeds.catalogue import feed_status, manage
from newsletter.feeds.catalogue.feed_health import health
from newsletter.feeds.storage import retention
from newsletter.lib.refused import Refused
from newsletter.models import Feed, Fetch, Host, Incident
from tests import factories
from tests.factories import ACTOR

NOW = factories.NOW
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ({}, "well"),
        ({"state": "paused", "failures": 3}, "paused"),
        ({"state": "ended"}, "ended"),
        ({"state": "quarantined"}, "quarantined"),
        ({"failures": 1}, "broken"),
        ({"failures": 1, "next_fetch_at": NOW - DAY}, "broken"),
        ({"next_fetch_at": NOW - HOUR}, "late"),
        ({"next_fetch_at": NOW}, "due"),
        ({"started_at": None}, "new"),
        ({"posts_every": 3600, "newest_at": NOW - 5 * DAY}, "silent"),
        ({"posts_every": 3600, "newest_at": NOW - 2 * DAY}, "well"),
        ({"posts_every": 86_400 * 7, "newest_at": NOW - 5 * DAY}, "well"),
    ],
)
def test_health_is_one_word(columns: dict[str, object], word: str) -> None:
    feed = Feed(**{"state": "active", "next_fetch_at": NOW + HOUR, "started_at": NOW - DAY, "failures": 0, **columns})
    assert health(feed, NOW) == word


@pytest.mark.django_db
def test_pausing_and_resuming() -> None:
    feed = Feed.objects.create(url="https://a.example/", next_fetch_at=NOW - HOUR, created_at=NOW)
    manage.pause(feed.id, now=NOW, actor=ACTOR)
    assert [row.health for row in feed_status.listing(now=NOW)] == ["paused"]
    manage.resume(feed.id, now=NOW, actor=ACTOR)
    assert [row.health for row in feed_status.listing(now=NOW)] == ["due"]
    assert isinstance(manage.pause(feed.id + 1, now=NOW, actor=ACTOR), Refused)


@pytest.mark.django_db
def test_the_record_of_fetches_ends_after_a_month() -> None:
    feed = Feed.objects.create(url="https://a.example/", next_fetch_at=NOW, created_at=NOW)
    for days in (1, 29, 31, 300):
        Fetch.objects.create(feed=feed, at=NOW - days * DAY)
        Host.objects.create(name=f"{days}.example", free_at=NOW - days * DAY)
        closed = Incident(feed=feed, kind="gap", opened_at=NOW - 400 * DAY, closed_at=NOW - days * DAY)
        closed.save()
    Incident.objects.create(feed=feed, kind="gap", opened_at=NOW - 400 * DAY)
    assert retention.prune(now=NOW) == {"fetch": 2, "incident": 2, "host": 2}
    assert Incident.objects.filter(closed_at=None).count() == 1
