"""The list of feeds as pages show it: what needs somebody first, one story told by pages and commands."""

from datetime import timedelta

import pytest

from newsletter.feeds.catalogue import feed_list, feed_status
from newsletter.feeds.catalogue.unwell_feeds import feeds_in_need
from newsletter.models import Entry, Feed, Fetch, Incident, Item
from tests import factories

pytestmark = pytest.mark.django_db
NOW = factories.NOW
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def feed(title: str, **columns) -> Feed:
    values = {"next_fetch_at": NOW + HOUR, "started_at": NOW - DAY, "created_at": NOW - DAY, **columns}
    return Feed.objects.create(url=f"https://{title.lower().replace(' ', '-')}.example/feed", title=title, **values)


def titles(**wanted) -> list[str]:
    return [listed.row.title for listed in feed_list.list_feeds(now=NOW, **wanted).feeds]


def test_what_needs_somebody_comes_first_and_says_why():
    feed("A well")
    paused = feed("B paused", state="paused")
    Incident.objects.create(feed=paused, kind="truncated", opened_at=NOW, detail="it has more entries than are read")
    silent = feed("C silent", posts_every=6 * 3600, newest_at=NOW - 5 * DAY)
    broken = feed("D broken", failures=3, failing_since=NOW - 2 * DAY, read_at=NOW - 3 * DAY)
    Fetch.objects.create(feed=broken, at=NOW - HOUR, error="there is nothing at this address (HTTP 404)")
    gap = feed("E gap")
    Incident.objects.create(feed=gap, kind="gap", opened_at=NOW, detail="entries came and went")
    page = feed_list.list_feeds(now=NOW)
    assert [listed.row.title for listed in page.feeds] == ["D broken", "C silent", "E gap", "A well", "B paused"]
    first, second = page.feeds[0].row, page.feeds[1].row
    assert first.reason == "reading it failed 3 times in a row: there is nothing at this address (HTTP 404)"
    assert (first.failing_since, first.read_at) == (NOW - 2 * DAY, NOW - 3 * DAY)
    assert second.reason == "nothing new for 5 days, usually about every 6 h"
    assert page.by_health == {"trouble": 3, "broken": 1, "silent": 1, "well": 2, "paused": 1}
    assert feeds_in_need(now=NOW) == 3, "the number beside Feeds on every page"
    assert titles(wanted="trouble") == ["D broken", "C silent", "E gap"]
    assert titles(wanted="well", words="A") == ["E gap", "A well"]
    assert titles(words="silent EXAMPLE") == ["C silent"]
    assert feed_status.row_of(silent.id, now=NOW).reason == second.reason


def test_pages_follow_each_other_without_a_gap():
    for number in range(5):
        feed(f"Feed {number}")
    first = feed_list.list_feeds(now=NOW, size=3)
    second = feed_list.list_feeds(now=NOW, size=3, after=first.after)
    assert [row.row.title for row in (*first.feeds, *second.feeds)] == [f"Feed {number}" for number in range(5)]
    assert second.after is None and len(second.ids) == 5


def test_items_are_counted_by_the_day_on_which_they_were_published():
    made = feed("A")
    for days in (0, 1, 1, 40):
        entry = Entry.objects.create(
            feed=made, guid=str(Entry.objects.count()), published_at=NOW - days * DAY, raw_hash=b"",
            first_seen_at=NOW, last_seen_at=NOW,
        )  # fmt: skip
        Item.objects.create(entry=entry, key=b"whole", first_seen_at=NOW)
    counted = feed_list.list_feeds(now=NOW).feeds[0].items_per_day
    assert [n for _, n in counted[-3:]] == [0, 2, 1] and len(counted) == 30


def test_the_list_costs_the_same_for_any_number_of_feeds(django_assert_num_queries):
    for number in range(20):
        feed(f"Feed {number}", failures=number % 3)
    with django_assert_num_queries(6):
        feed_list.list_feeds(now=NOW)
