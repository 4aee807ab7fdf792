"""Commands for archives, incidents and OPML files: what they print, and how they end."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter import cli
from newsletter.feeds.catalogue import manage
from newsletter.feeds.storage import incidents
from newsletter.models import Feed, Incident
from tests import factories
from tests.factories import ACTOR
from tests.feeds.fake_archive import Archive
from tests.journey import road

pytestmark = pytest.mark.django_db(transaction=True)


class Done:
    """How a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def json(self) -> object:
        return json.loads(self.out)


Command = Callable[..., Done]


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings,
    httpserver: HTTPServer,
    tmp_path: Path,
) -> Iterator[Command]:
    """`newsletter feeds WORDS` in this process."""
    place = urlsplit(httpserver.url_for("/"))
    allowed = frozenset({(place.hostname or "", place.port or 0)})

    def run(*words: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        code = cli.invoke(["feeds", *words])
        told = capsys.readouterr()
        return Done(code, told.out, told.err)

    with road.configured(settings, data_dir=tmp_path, feed_allow=allowed):
        yield run


@pytest.fixture
def archive(httpserver: HTTPServer) -> Archive:
    made = Archive(45)
    for path in ("/feed/", "/wp-json/wp/v2/posts"):
        httpserver.expect_request(path).respond_with_handler(made.answer)
    return made


def polled(url: str) -> int:
    from newsletter import wiring
    from newsletter.lib import db
    from newsletter.worker import run_once, startup

    startup.prepare()
    added = manage.add(url, announce="all", fetcher=wiring.fetcher(), now=db.now(), actor=ACTOR)
    assert isinstance(added, manage.AddedFeed)
    run_once.once(wait=factories.timedelta(0))
    return added.feed_id


def test_an_archive_is_read_in_parts_and_to_its_end(command: Command, archive: Archive, httpserver: HTTPServer) -> None:
    url = httpserver.url_for("/feed/")
    feed_id = str(polled(url))
    part = command("backfill", feed_id, "--pages", "2", "--pause", "0", "--json")
    assert part.code == 0
    said = part.json()
    assert isinstance(said, dict)
    assert (said["status"], said["pages"], said["items"], said["pages_in_all"]) == ("more", 2, 20, 2)
    rest = command("backfill", url, "--pause", "0")
    assert (rest.code, rest.out.splitlines()) == (
        0,
        [
            f"feed {feed_id}: 2 pages read, 15 new entries, 15 new items.",
            "Its archive (4 older pages) is read to the end; --restart reads it again.",
        ],
    )
    assert "reading the archive" in rest.err
    again = command("backfill", feed_id)
    assert (again.code, "read to the end" in again.out) == (0, True)


def test_a_broken_page_ends_with_one_line_that_says_what_to_do(
    command: Command, archive: Archive, httpserver: HTTPServer
) -> None:
    def broken(_archive: Archive, request: Request) -> Response | None:
        return Response(status=502) if request.args.get("paged") == "3" else None

    feed_id = str(polled(httpserver.url_for("/feed/")))
    archive.on_request = broken
    done = command("backfill", feed_id, "--pause", "0")
    assert done.code == 1
    last = done.err.splitlines()[-1]
    assert last.startswith(f"newsletter: feed {feed_id}, after 1 older page: ")
    assert "--skip" in last
    assert command("backfill", feed_id, "--pause", "0", "--skip").code == 0


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("backfill", "99"), 1, "newsletter feeds list"),
        (("backfill", "1", "--pages", "0"), 2, "--pages"),
        (("backfill",), 2, "'ID|URL'"),
        (("incidents", "close", "99"), 1, "newsletter feeds incidents"),
        (("incidents", "close", "x"), 2, "'ID'"),
        (("import", "/nowhere/at/all.opml"), 1, "No such file"),
        (("import", "/"), 1, "directory"),
        (("import", "-", "--announce", "loudly"), 2, "announce"),
        (("import", "-"), 1, "empty"),
        (("export", "/nowhere/at/all.opml"), 1, "No such file"),
    ],
)
def test_what_goes_wrong_is_one_line(command: Command, words: tuple[str, ...], code: int, says: str) -> None:
    done = command(*words)
    assert (done.code, done.out) == (code, "")
    assert done.err.count("\n") == 1, done.err
    assert says in done.err


def test_a_feed_that_was_never_polled_is_polled_first(
    command: Command, archive: Archive, httpserver: HTTPServer
) -> None:
    feed = Feed.objects.create(url=httpserver.url_for("/feed/"), next_fetch_at=factories.NOW, created_at=factories.NOW)
    done = command("backfill", str(feed.id), "--pause", "0")
    assert (done.code, done.out) == (1, "")
    assert f"newsletter feeds refresh {feed.id}" in done.err.splitlines()[-1]


def test_incidents_are_listed_and_closed(command: Command) -> None:
    assert command("incidents").out == "No incidents.\n"
    feed = Feed.objects.create(
        url="https://a.example/", title="Harbour", next_fetch_at=factories.NOW, created_at=factories.NOW
    )
    incidents.open_(feed.id, Incident.Kind.GAP, f"run 'newsletter feeds backfill {feed.id}'", factories.NOW)
    listed = command("incidents", "--json").json()
    assert isinstance(listed, list)
    assert [(one["kind"], one["feed_title"], one["closed_at"]) for one in listed] == [("gap", "Harbour", None)]
    assert "Harbour" in command("incidents").out
    closed = command("incidents", "close", str(listed[0]["id"]), "--json")
    assert (closed.code, closed.json()) == (0, {"closed": listed[0]["id"]})
    assert command("incidents", "--json").json() == []
    assert "gap" in command("incidents", "--all").out


def test_feeds_go_out_and_come_back(command: Command, tmp_path: Path) -> None:
    for number in range(3):
        Feed.objects.create(
            url=f"https://{number}.example/feed",
            title=f"哈 {number}",
            next_fetch_at=factories.NOW,
            created_at=factories.NOW,
        )
    file = tmp_path / "feeds.opml"
    written = command("export", str(file), "--json")
    assert (written.code, written.json()) == (0, {"file": str(file)})
    text = file.read_bytes().partition(b"<body>")[2]
    assert command("export").out.encode().partition(b"<body>")[2] == text
    said = command("export", "--json").json()
    assert isinstance(said, dict)
    assert said["opml"].encode().partition(b"<body>")[2] == text
    Feed.objects.exclude(url="https://1.example/feed").delete()
    done = command("import", "-", "--announce", "all", stdin=file.read_bytes())
    assert (done.code, done.out) == (0, "2 feeds added, 1 exist already, 0 repeated in the file\n")
    assert Feed.objects.filter(announce="all").count() == 2
    assert set(Feed.objects.values_list("title", flat=True)) == {"哈 0", "哈 1", "哈 2"}


def test_checked_feeds_are_read_first(
    command: Command, archive: Archive, httpserver: HTTPServer, tmp_path: Path
) -> None:
    file = tmp_path / "feeds.opml"
    good, bad = httpserver.url_for("/feed/"), httpserver.url_for("/nothing")
    file.write_text(
        f"<opml version='1.0'><body><outline xmlUrl='{good}'/>\n<outline xmlUrl='{bad}'/>\n<outline type='rss'/></body></opml>"
    )
    done = command("import", str(file), "--check", "--json")
    assert done.code == 0
    said = done.json()
    assert isinstance(said, dict)
    assert [problem["line"] for problem in said["problems"]] == [2, 3]
    assert f"{file}, line 3: it has no xmlUrl" in done.err
    assert Feed.objects.get().title == "Harbour archive"
    file.write_text(f"<opml><body><outline xmlUrl='{bad}'/></body></opml>")
    assert command("import", str(file), "--check").code == 1


def test_a_check_names_the_topics_that_a_feed_would_match(command: Command, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/feed/").respond_with_handler(Archive(3).answer)
    factories.follow(factories.subscriber(), factories.topic("Cables"))
    done = command("check", httpserver.url_for("/feed/"), "--topics")
    assert done.code == 0 and "topics: Cables" in done.out
    assert "--announce all: 3 of 3 items match a topic, which fewer than 10 people follow" in done.out
    choices = command("check", httpserver.url_for("/feed/"), "--topics", "--json").json()["choices"]  # type: ignore[index,call-overload]
    assert [choice["announce"] for choice in choices] == ["none", "latest", "all"]
    assert not Feed.objects.exists()


def test_an_archive_is_left_to_a_worker(command: Command) -> None:
    feed = Feed.objects.create(
        url="https://a.example/", next_fetch_at=factories.NOW, created_at=factories.NOW, started_at=factories.NOW
    )
    done = command("backfill", str(feed.id), "--later", "--pages", "5")
    assert done.code == 0 and "a worker reads its archive" in done.out
    assert command("backfill", str(feed.id), "--later").code == 1
    assert Feed.objects.get().backfill_until == 5
