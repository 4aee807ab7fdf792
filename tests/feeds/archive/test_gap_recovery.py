"""Entries that came and went between two polls are fetched from older pages, and what stays missing is told."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer

from newsletter.feeds import poll as feeds_poll
from newsletter.feeds.archive import gap_recovery
from newsletter.feeds.catalogue import feed_status, manage
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.models import Entry, Feed, Incident, Item
from tests import factories
from tests.factories import ACTOR
from tests.feeds.fake_archive import Archive
from tests.feeds.poll_one import poll_one

NOW = factories.NOW
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gap_recovery, "PAUSE", 0.0)


class Site:
    """An archive on a real server, polled by hand."""

    def __init__(self, server: HTTPServer, archive: Archive) -> None:
        site = urlsplit(server.url_for("/"))
        self.archive = archive
        self.fetcher = Fetcher(allow=frozenset({(site.hostname or "", site.port or 0)}))
        server.expect_request("/feed/").respond_with_handler(archive.answer)
        added = manage.add(server.url_for("/feed/"), fetcher=self.fetcher, now=NOW, actor=ACTOR)
        assert isinstance(added, manage.AddedFeed), added
        self.feed_id, self.hours = added.feed_id, 0

    def poll(self) -> feeds_poll.PollResult:
        self.hours += 1
        at = NOW + timedelta(hours=self.hours)
        manage.mark_due(self.feed_id, now=at)
        self.archive.requests.clear()
        return poll_one(self.feed_id, now=at, fetcher=self.fetcher)


def test_missing_entries_are_fetched_and_are_news(httpserver: HTTPServer) -> None:
    site = Site(httpserver, Archive(total=30))
    assert site.poll().new == 10
    site.archive.total = 65
    assert site.poll().new == 35
    assert Entry.objects.count() == 45
    assert Item.objects.filter(announced=True).count() == 35
    assert not Incident.objects.exists()
    assert len(site.archive.requests) == 4
    assert site.poll().status in ("unchanged", "read")
    assert len(site.archive.requests) == 1


def test_without_older_pages_an_incident_says_that_entries_are_missing(httpserver: HTTPServer) -> None:
    site = Site(httpserver, Archive(total=30, counted_by=None))
    site.poll()
    site.archive.total = 65
    done = site.poll()
    assert done.new == 10
    incident = Incident.objects.get(closed_at=None)
    assert incident.kind == Incident.Kind.GAP
    assert f"feeds backfill {site.feed_id}" in incident.detail
    (row,) = feed_status.listing(now=NOW)
    assert row.incidents == (incident.detail,)


def test_an_overlap_needs_no_older_page(httpserver: HTTPServer) -> None:
    site = Site(httpserver, Archive(total=30))
    site.poll()
    site.archive.total = 36
    assert site.poll().new == 6
    assert len(site.archive.requests) == 1


def test_a_newest_entry_that_was_taken_back_is_no_gap(httpserver: HTTPServer) -> None:
    site = Site(httpserver, Archive(total=30, counted_by=None))
    site.poll()
    site.archive.gone = {30}
    site.archive.total = 33
    assert site.poll().new == 3
    assert not Incident.objects.exists()
    assert len(site.archive.requests) == 1


def test_a_pinned_entry_hides_no_gap(httpserver: HTTPServer) -> None:
    site = Site(httpserver, Archive(total=30, pinned=(3,)))
    site.poll()
    site.archive.total = 60
    site.poll()
    assert set(range(21, 61)) <= {
        int(url.rstrip("/").rpartition("-")[2].rpartition("/")[2])
        for url in Entry.objects.values_list("url", flat=True)
    }


def test_a_first_poll_has_no_gap(httpserver: HTTPServer) -> None:
    site = Site(httpserver, Archive(total=30))
    site.poll()
    assert len(site.archive.requests) == 1
    assert Feed.objects.get().started_at is not None
