"""Backfills: an archive of thousands read page by page, stopped anywhere, and nothing of it mailed to anybody."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter import wiring
from newsletter.feeds import backfill as door
from newsletter.feeds.backfill import Backfilled, Options, backfill
from newsletter.feeds.fetching.http_client import Fetched, Fetcher
from newsletter.feeds.parsing.model import ParsedEntry, ParsedFeed
from newsletter.feeds.parsing.parse_feed import parse
from newsletter.feeds.storage import diff, incidents
from newsletter.feeds.storage.save import save_poll
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.models import Entry, Feed, Incident, Item, ItemVersion, Match
from newsletter.worker import run_once, startup
from tests import factories
from tests.factories import ACTOR
from tests.feeds.fake_archive import Archive, guid, moment
from tests.journey import road

pytestmark = pytest.mark.django_db
NOW = factories.NOW
ROOT = Path(__file__).parents[2]


class Site:
    """A feed of `archive` on a real server, polled once, and its backfill."""

    def __init__(self, server: HTTPServer, archive: Archive) -> None:
        server.expect_request("/feed/").respond_with_handler(archive.answer)
        server.expect_request("/wp-json/wp/v2/posts").respond_with_handler(archive.answer)
        place = urlsplit(server.url_for("/"))
        self.archive = archive
        self.fetcher = Fetcher(allow=frozenset({(place.hostname or "", place.port or 0)}), user_agent="newsletter/test")
        self.feed = Feed.objects.create(
            url=server.url_for("/feed/"), next_fetch_at=NOW, created_at=NOW, etag='"kept"', announce="all"
        )

    def polled(self, after: timedelta = timedelta(0), page: int = 1) -> "Site":
        """What a poll stores, or what one stores that catches up."""
        got = self.fetcher.get(f"{self.feed.url}?paged={page}")
        assert isinstance(got, Fetched)
        said = parse(got.body, url=got.url, content_type=got.content_type, now=NOW)
        assert isinstance(said, ParsedFeed)
        save_poll(self.feed, diff.compare(self.feed, said), said.language, NOW + after)
        Feed.objects.filter(id=self.feed.id, started_at=None).update(started_at=NOW)
        self.archive.requests.clear()
        return self

    def run(self, **options: object) -> Backfilled:
        done = self.answer(**options)
        assert isinstance(done, Backfilled), done
        return done

    def answer(self, **options: object) -> Backfilled | Refused:
        more = {name: options.pop(name) for name in ("parse", "progress") if name in options}
        given = {"fetcher": self.fetcher, "clock": lambda: NOW + timedelta(hours=2), "parse": parse, **more}
        return backfill(self.feed.id, Options(pause=0, **options), **given, actor=ACTOR)  # type: ignore[arg-type]

    def numbers(self, **conditions: object) -> list[int]:
        """Of the stored posts."""
        found = Entry.objects.filter(feed=self.feed, **conditions).values_list("guid", flat=True)
        return sorted(int(one.rpartition("=")[2]) for one in found)


@pytest.fixture
def site(httpserver: HTTPServer) -> Callable[..., Site]:
    return lambda archive: Site(httpserver, archive)


def to(number: int, start: int = 1) -> list[int]:
    return list(range(start, number + 1))


class Killed(BaseException):
    """What stops a process anywhere."""


def test_74_pages_killed_and_resumed_are_stored_once_each(site) -> None:
    one = site(Archive(740)).polled()
    before = Feed.objects.values("next_fetch_at", "etag", "started_at", "newest_at", "title").get()
    seen = dict(Entry.objects.values_list("guid", "last_seen_at"))

    def kill(_archive: Archive, request: Request) -> None:
        if request.args.get("paged") == "31":
            raise_in_client.append(True)

    raise_in_client = list[bool]()
    one.archive.on_request = kill

    def parsing(body: bytes, **more: object) -> object:
        if raise_in_client:
            raise Killed
        return parse(body, **more)  # type: ignore[arg-type]

    with pytest.raises(Killed):
        one.run(parse=parsing)
    assert one.numbers() == to(740, 441)
    raise_in_client.clear()
    one.archive.on_request = lambda _archive, _request: None
    one.archive.requests.clear()
    done = one.run()
    assert (done.status, done.pages, done.pages_in_all, done.entries, done.bad) == ("finished", 44, 73, 440, 0)
    assert one.archive.requests[1] == "/feed/?paged=31"
    assert one.numbers() == to(740)
    assert Item.objects.filter(announced=True).count() == 10
    assert Item.objects.filter(announced=False).count() == 730
    assert Feed.objects.values(*before).get() == before
    assert dict(Entry.objects.filter(guid__in=seen).values_list("guid", "last_seen_at")) == seen
    assert Entry.objects.get(guid=guid(7)).published_at == moment(7)
    # finished: nothing is asked, until somebody wants it anew
    one.archive.requests.clear()
    assert one.run() == Backfilled(one.feed.id, "finished", pages_in_all=73)
    assert one.archive.requests == []
    again = one.run(restart=True, most_pages=2)
    assert (again.status, again.pages, again.entries) == ("more", 2, 0)


def test_new_posts_shift_the_pages_and_nothing_is_missed_or_doubled_or_taken_for_history(site) -> None:
    one = site(Archive(200)).polled()
    arriving = [0, 3, 10, 1, 0, 20, 2]

    def grow(archive: Archive, _request: Request) -> None:
        archive.total += arriving.pop(0) if arriving else 0

    one.archive.on_request = grow
    done = one.run()
    assert done.status == "finished"
    assert one.numbers() == to(200)
    assert Entry.objects.count() == Item.objects.count() == 200
    one.polled(timedelta(hours=3))
    assert one.numbers(item__announced=True) == to(200, 191) + to(236, 227)


def test_news_that_no_poll_has_seen_are_left_to_the_poll_even_on_a_later_page(site) -> None:
    archive = Archive(40, pinned=(3,))
    one = site(archive).polled()
    Entry.objects.update(last_seen_at=moment(40))
    archive.total = 65  # fifteen of them are not in the feed any more
    assert one.run().status == "finished"
    assert one.numbers() == to(40)


def test_news_without_dates_that_are_shifted_to_a_later_page_are_left_to_the_poll(site) -> None:
    def shift(archive: Archive, request: Request) -> None:
        archive.total = 52 if request.args.get("paged") == "2" else archive.total

    one = site(Archive(40, dated=False, on_request=shift)).polled()
    one.archive.total = 44
    assert one.run().status == "finished"
    assert one.numbers() == to(40)


def test_a_feed_that_was_never_polled_is_refused_so_that_its_news_are_not_history(site) -> None:
    one = site(Archive(40))
    refused = one.answer()
    assert isinstance(refused, Refused)
    assert f"newsletter feeds refresh {one.feed.id}" in refused.reason
    one.polled()
    one.archive.total = 60  # all that the feed holds is new
    assert isinstance(one.answer(), Refused)
    assert one.numbers() == to(40, 31)


def test_what_is_known_stays_as_it_is_whatever_the_archive_says(site) -> None:
    one = site(Archive(30)).polled()
    ItemVersion.objects.update(meaning_hash=b"another wording")
    Entry.objects.update(raw_hash=b"another")
    Item.objects.update(matched_at=NOW)
    one.archive.total = 33  # three known ones are on page two
    assert one.run().status == "finished"
    assert Item.objects.filter(version=1, matched_at=NOW).count() == 10
    assert not Item.objects.exclude(version=1).exists()
    assert Entry.objects.filter(last_seen_at=NOW).count() == 10


def test_an_entry_that_is_known_by_another_name_is_not_stored_again(site) -> None:
    def twice(_archive: Archive, request: Request) -> Response | None:
        if request.args.get("paged") != "2":
            return None
        links = "".join(
            f"<item><title>Ship {number}</title><link>https://archive.example/{number}/</link>"
            f"<guid isPermaLink='false'>{guid(25).replace('&', '&amp;')}</guid><description>Edited.</description></item>"
            for number in (25, 999)
        )
        return Response(f"<rss version='2.0'><channel><title>x</title>{links}</channel></rss>")

    one = site(Archive(30, on_request=twice)).polled()
    assert one.run(most_pages=1).entries == 1
    assert Entry.objects.filter(url="https://archive.example/25/").count() == 1


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [(500, "", "trouble"), (429, "", "fewer"), (403, "", "let us in"), (200, "<html>", "web page")],
)
def test_a_broken_page_is_reported_and_retried_or_skipped_by_the_next_run(
    site, status: int, body: str, says: str
) -> None:
    def broken(_archive: Archive, request: Request) -> Response | None:
        return Response(body, status=status) if request.args.get("paged") == "3" else None

    one = site(Archive(50)).polled()
    assert isinstance(one.answer(skip=True), Refused)
    one.archive.on_request = broken
    done = one.run()
    assert (done.status, done.pages) == ("failed", 1)
    assert says in done.error
    assert one.run().status == "failed"
    done = one.run(skip=True)
    assert (done.status, done.pages_in_all) == ("finished", 3)
    assert one.numbers() == to(20) + to(50, 31)
    one.archive.on_request = lambda _archive, _request: None
    assert one.run(restart=True).entries == 10
    assert one.numbers() == to(50)


def test_a_page_with_an_entry_that_cannot_be_read_keeps_the_others(site, monkeypatch: pytest.MonkeyPatch) -> None:
    one = site(Archive(30)).polled()
    cut = diff.cut_entry

    def break_on_one(entry: ParsedEntry, mode: str) -> object:
        if entry.title.startswith("Ship 15 "):
            raise ValueError(entry.title)
        return cut(entry, mode)

    monkeypatch.setattr(diff, "cut_entry", break_on_one)
    done = one.run()
    assert (done.status, done.entries, done.bad) == ("finished", 19, 1)


def test_a_feed_without_older_pages_says_so(site) -> None:
    one = site(Archive(30, counted_by=None)).polled()
    assert one.run() == Backfilled(one.feed.id, "finished")
    assert isinstance(one.answer(most_pages=1), Backfilled)
    assert isinstance(backfill(10**6, Options(), fetcher=one.fetcher, clock=lambda: NOW, actor=ACTOR), Refused)


def test_two_concurrent_backfills_store_each_page_once(site) -> None:
    one = site(Archive(60)).polled()
    inner = list[Backfilled]()

    def another(_archive: Archive, request: Request) -> None:
        if request.args.get("paged") == "3" and not inner:
            inner.append(Backfilled(0, "more"))
            wanted.append(True)

    wanted = list[bool]()
    one.archive.on_request = another

    def parsing(body: bytes, **more: object) -> object:
        if wanted:
            wanted.clear()
            inner[0] = one.run(most_pages=2)
        return parse(body, **more)  # type: ignore[arg-type]

    outer = one.run(parse=parsing)
    assert (outer.status, outer.pages, inner[0].status, inner[0].pages) == ("overtaken", 1, "more", 2)
    assert one.numbers() == to(60, 21)
    assert one.run().status == "finished"
    assert one.numbers() == to(60)
    assert Item.objects.count() == 60


def test_an_entry_that_a_poll_stores_meanwhile_stays_announced(site, monkeypatch: pytest.MonkeyPatch) -> None:
    one = site(Archive(30)).polled()
    real = diff.compare

    def read(feed: Feed, parsed: ParsedFeed) -> diff.PollDiff:
        poll = real(feed, parsed)
        if any(entry.guid == guid(20) for entry in parsed.entries):
            (new,) = (new for new in poll.changed if new.identified.guid == guid(20))
            told = tuple(replace(change, announced=True) for change in new.changes)
            news = (replace(new, changes=told),)
            save_poll(feed, diff.PollDiff(news, (), 0), "", NOW)
        return poll

    monkeypatch.setattr(door.diff, "compare", read)
    done = one.run()
    assert (done.status, done.entries, done.bad) == ("finished", 19, 0)
    assert Item.objects.get(entry__guid=guid(20)).announced


def test_a_removed_feed_stops_its_backfill(site) -> None:
    one = site(Archive(60)).polled()
    done = one.run(progress=lambda so_far: Feed.objects.all().delete() if so_far.pages == 2 else None)
    assert (done.status, done.pages) == ("overtaken", 2)
    assert Entry.objects.count() == 0


@pytest.mark.parametrize("pinned", [(), (3,)])
def test_a_gap_is_closed_when_an_entry_from_before_it_is_reached(site, pinned: tuple[int, ...]) -> None:
    one = site(Archive(30, pinned=pinned)).polled()
    assert one.run(most_pages=1).status == "more"
    one.archive.total = 80
    one.polled(timedelta(hours=1)).polled(timedelta(hours=1), page=2)
    assert incidents.open_(one.feed.id, Incident.Kind.GAP, "run a backfill", NOW + timedelta(hours=1))
    done = one.run()
    assert (done.status, done.pages) == ("met", 5)
    assert one.numbers() == [*pinned, *to(80, 11)]
    assert incidents.listing() == ()
    # what lies below was no part of the gap: the next run goes on
    assert one.run().status == "finished"
    assert one.numbers() == to(80)
    polled = {*pinned, *to(30, 21), *to(80, 61)}
    assert one.numbers(item__announced=False) == [number for number in to(80) if number not in polled]


def test_a_gap_is_closed_at_the_end_of_the_archive(site) -> None:
    archive = Archive(50)
    one = site(archive).polled()
    incidents.open_(one.feed.id, Incident.Kind.GAP, "", NOW)
    archive.gone = set(to(20))
    assert one.run().status == "finished"
    assert incidents.listing() == ()


def test_a_gap_that_cannot_be_filled_stays_open(site) -> None:
    one = site(Archive(50, counted_by=None)).polled()
    incidents.open_(one.feed.id, Incident.Kind.GAP, "", NOW)
    assert one.run().status == "finished"
    assert [row.kind for row in incidents.listing()] == ["gap"]


def test_the_archive_by_wordpress_rest_has_the_same_entries_as_the_feed(site) -> None:
    one = site(Archive(120, counted_by=None, rest=True)).polled()
    done = one.run()
    assert (done.status, done.entries) == ("finished", 110)
    assert one.numbers() == to(120)
    assert Entry.objects.get(guid=guid(7)).author == "Lee L. Dunn"


@pytest.mark.django_db(transaction=True)
def test_entries_of_a_backfill_are_mailed_to_nobody(site, settings, tmp_path: Path) -> None:
    one = site(Archive(40))
    place = urlsplit(one.feed.url)
    allowed = frozenset({(place.hostname or "", place.port or 0)})
    with road.configured(settings, data_dir=tmp_path, feed_allow=allowed):
        startup.prepare()
        topic = road.topics.add_topic("Huawei", "Huawei", now=NOW, actor=ACTOR)
        assert topic
        road.subscribe("alert@example.org", "Huawei")
        road.subscribe("weekly@example.org", "Huawei", cadence=factories.Cadence.WEEKLY)
        assert run_once.once(wait=timedelta(0)).accepted == 1
        done = backfill(one.feed.id, Options(pause=0), fetcher=wiring.fetcher(), clock=db.now, parse=parse, actor=ACTOR)
        assert isinstance(done, Backfilled)
        assert (done.status, done.items) == ("finished", 30)
        delivered = run_once.deliver(wait=timedelta(0))
        assert (delivered.matches, delivered.accepted, delivered.gatherings) == (30, 0, 0)
        assert Match.objects.filter(item__announced=False).count() == 30
        assert not Match.objects.filter(item__announced=False).exclude(owed_at=None).exists()
        factories.Rhythm.objects.update(due_at=NOW - timedelta(days=1))
        run_once.deliver(wait=timedelta(0))
        weekly = [mail for mail in (tmp_path / "outbox").glob("*.eml") if "weekly@" in mail.read_text()]
        assert all(f"Ship {old} " not in mail.read_text() for mail in weekly for old in to(30))


SCRIPT = """
import sys
from newsletter.worker import tasks  # first: it sets Django up
from newsletter import wiring
from newsletter.audit import actor
from newsletter.lib import db
from newsletter.feeds import backfill
done = backfill.backfill(
    int(sys.argv[1]), backfill.Options(pause=0), fetcher=wiring.fetcher(), clock=db.now, actor=actor.from_command()
)
print(done.status)
"""


def test_a_process_killed_in_the_middle_of_a_page_loses_nothing(httpserver: HTTPServer, tmp_path: Path) -> None:
    archive = Archive(80)
    for path in ("/feed/", "/wp-json/wp/v2/posts"):
        httpserver.expect_request(path).respond_with_handler(archive.answer)
    place = urlsplit(httpserver.url_for("/"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    environment = {
        **kept,
        "PYTHONPATH": str(ROOT),
        "NEWSLETTER_DATA_DIR": str(tmp_path),
        "NEWSLETTER_FEED_ALLOW": f"{place.hostname}:{place.port}",
    }
    running = list[subprocess.Popen[str]]()

    def start(*words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *words], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )

    def command(*words: str) -> None:
        assert start("-m", "newsletter", *words).wait(60) == 0

    command("feeds", "add", httpserver.url_for("/feed/"))
    command("feeds", "refresh")

    def kill(_archive: Archive, request: Request) -> None:
        if request.args.get("paged") == "5" and running:
            running.pop().send_signal(signal.SIGKILL)

    archive.on_request = kill
    running.append(start("-c", SCRIPT, "1"))
    assert running[0].wait(60) == -signal.SIGKILL
    archive.requests.clear()
    told, _ = start("-c", SCRIPT, "1").communicate(timeout=60)
    assert told == "finished\n"
    asked = [one for one in archive.requests if "paged" in one]
    assert asked == [f"/feed/?paged={number}" for number in (5, 6, 7, 8, 9)]
