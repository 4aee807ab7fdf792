"""An archive that somebody asked for on a page is read in a worker, some pages at a time, and can be stopped."""

import itertools
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from newsletter.audit.actor import Actor
from newsletter.feeds import poll, requested_backfill
from newsletter.feeds.catalogue.archive_requests import progress_of, request_archive, stop_archive
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.feeds.sandbox.sandboxed_parse import parse_in_sandbox
from newsletter.lib.refused import Refused
from newsletter.models import AuditEntry, Entry, Feed, Item
from newsletter.worker import run_once, stages
from tests import factories
from tests.feeds.fake_archive import Archive

pytestmark = pytest.mark.django_db
NOW = factories.NOW
ED = Actor("admin", "ed")


@pytest.fixture
def archive(httpserver):
    """A feed of ten with an archive of 95, polled once."""
    made = Archive(95)
    httpserver.expect_request("/feed/").respond_with_handler(made.answer)
    place = urlsplit(httpserver.url_for("/"))
    made.fetcher = Fetcher(allow=frozenset({(place.hostname or "", place.port or 0)}), user_agent="newsletter/test")
    made.feed = Feed.objects.create(url=httpserver.url_for("/feed/"), next_fetch_at=NOW, created_at=NOW)
    list(poll.poll_due(clock=lambda: NOW, fetcher=made.fetcher))
    assert Entry.objects.count() == 10
    return made


def turn(archive, minutes: int = 0):
    return requested_backfill.read_next(
        clock=lambda: NOW + timedelta(minutes=minutes), fetcher=archive.fetcher, pause=0
    )


def test_an_archive_is_read_to_its_end_in_turns(archive):
    feed = archive.feed
    assert turn(archive) is None, "nobody asked"
    assert request_archive(feed.id, now=NOW, actor=ED) is None
    assert isinstance(request_archive(feed.id, now=NOW, actor=ED), Refused), "twice"
    seen = []
    while (done := turn(archive)) is not None:
        seen.append((done.pages, progress_of(feed.id).pages, progress_of(feed.id).items))
    assert seen[0] == (requested_backfill.PAGES, 4, 40)
    progress = progress_of(feed.id)
    assert (progress.state, progress.is_read, progress.items) == ("finished", True, 85)
    assert Entry.objects.count() == 95 and not Item.objects.filter(announced=True).exists()
    assert [entry.action for entry in AuditEntry.objects.all()] == ["feed.backfill"]
    assert "read to the end" in request_archive(feed.id, now=NOW, actor=ED).reason
    assert request_archive(feed.id, restart=True, now=NOW, actor=ED) is None


def test_it_ends_at_the_pages_that_were_asked_for_and_goes_on_from_there(archive):
    request_archive(archive.feed.id, pages=2, now=NOW, actor=ED)
    assert turn(archive).pages == 2 and turn(archive) is None
    assert (progress_of(archive.feed.id).state, progress_of(archive.feed.id).begun) == ("more", True)
    request_archive(archive.feed.id, pages=1, now=NOW, actor=ED)
    assert turn(archive).pages_in_all == 3 and turn(archive) is None


def test_a_request_that_is_stopped_is_not_read_on(archive):
    feed, calls = archive.feed, itertools.count()

    def parse_and_stop(*body, **options):
        if next(calls) == 2:
            assert stop_archive(feed.id, now=NOW, actor=ED) is None
        return parse_in_sandbox(*body, **options)

    request_archive(feed.id, now=NOW, actor=ED)
    requested_backfill.read_next(clock=lambda: NOW, fetcher=archive.fetcher, parse=parse_and_stop, pause=0)
    assert progress_of(feed.id).state == "stopped" and turn(archive) is None


def test_one_worker_reads_an_archive_and_another_takes_over_when_it_dies(archive):
    request_archive(archive.feed.id, now=NOW, actor=ED)
    Feed.objects.update(backfill_due_at=NOW + requested_backfill.LEASE)  # as a worker does that dies then
    assert turn(archive) is None
    assert turn(archive, minutes=6).pages == 4


def test_a_page_that_fails_is_told_and_can_be_tried_again(archive):
    request_archive(archive.feed.id, now=NOW, actor=ED)
    archive.on_request = lambda _archive, _request: (_ for _ in ()).throw(RuntimeError("no answer"))
    turn(archive)
    progress = progress_of(archive.feed.id)
    assert progress.state == "failed" and progress.error and not progress.is_running
    archive.on_request = lambda _archive, _request: None
    assert request_archive(archive.feed.id, pages=1, now=NOW, actor=ED) is None
    assert turn(archive).pages == 1


def test_the_stage_reads_in_turns(archive, monkeypatch):
    monkeypatch.setattr(stages.wiring, "fetcher", lambda: archive.fetcher)
    request_archive(archive.feed.id, pages=1, now=NOW, actor=ED)
    run_once.Pass(timedelta(0)).run(stages.BY_NAME["archives"])
    assert progress_of(archive.feed.id).pages == 1
