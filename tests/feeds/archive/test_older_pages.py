"""Older pages of feeds: found however the site counts them, read until something known is met, and never in a circle."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter.feeds.archive import older_pages, page_urls
from newsletter.feeds.fetching.http_client import Fetched, Fetcher
from newsletter.feeds.parsing.model import ParsedEntry, ParsedFeed
from newsletter.feeds.parsing.parse_feed import parse
from tests import factories
from tests.feeds.fake_archive import Archive, guid, moment

EMPTY = ParsedFeed("A digest", "en", "https://digest.example/", ())


def entry(name: str, url: str = "") -> ParsedEntry:
    return ParsedEntry(name, url or f"https://digest.example/{name}", name, "", "", "", (), None, "")


def said(*guids: str, older: str = "") -> ParsedFeed:
    return replace(EMPTY, entries=tuple(map(entry, guids)), older=older)


class Site:
    """Pages by URL in place of a network; what is not there answers as `Fetcher` would."""

    def __init__(self, pages: dict[str, ParsedFeed]) -> None:
        self.pages, self.asked = pages, list[str]()

    def reader(self) -> older_pages.PageReader:
        return older_pages.PageReader(self, self.parse, factories.NOW, pause=0)  # type: ignore[arg-type]

    def get(self, url: str) -> Fetched | older_pages.RequestFailed:
        self.asked.append(url)
        if url not in self.pages:
            return older_pages.RequestFailed("there is nothing at this address: check the URL (HTTP 404)", 404)
        return Fetched(url, 200, b"", "", "", "")

    def parse(self, _body: bytes, *, url: str, **_: object) -> ParsedFeed:
        return self.pages[url]


@pytest.fixture
def served(httpserver: HTTPServer):
    """An archive on a real server: its feed's URL, what the feed says, and a reader."""

    def serve(archive: Archive, path: str = "/feed/") -> tuple[str, ParsedFeed, older_pages.PageReader]:
        httpserver.clear()
        httpserver.expect_request(path).respond_with_handler(archive.answer)
        httpserver.expect_request("/wp-json/wp/v2/posts").respond_with_handler(archive.answer)
        site = urlsplit(httpserver.url_for("/"))
        fetcher = Fetcher(allow=frozenset({(site.hostname or "", site.port or 0)}), user_agent="newsletter/test")
        reader = older_pages.PageReader(fetcher, parse, factories.NOW, pause=0)
        first = reader.read(httpserver.url_for(path))
        assert isinstance(first, ParsedFeed), first
        archive.requests.clear()
        return httpserver.url_for(path), first, reader

    return serve


def guids(entries: tuple[ParsedEntry, ...]) -> list[str]:
    return [one.guid for one in entries]


def numbered(*numbers: int) -> list[str]:
    return [guid(one) for one in numbers]


@pytest.mark.parametrize(
    ("url", "feed", "ways"),
    [
        ("https://a.example/rss", replace(EMPTY, older="https://a.example/p/2"), ["https://a.example/p/2"]),
        ("https://a.example/x.xml?k=1", EMPTY, ["https://a.example/x.xml?k=1&page=1"]),
        ("https://a.example/author/lld/feed/", EMPTY, ["https://a.example/author/lld/feed/?paged=2"]),
        ("https://a.example/?feed=rss2&cat=3", EMPTY, ["https://a.example/?feed=rss2&cat=3&paged=2"]),
        (
            "https://b.example/feeds/posts/default?alt=rss",
            replace(said("a", "b", "c"), generator="Blogger"),
            ["https://b.example/feeds/posts/default?alt=rss&start-index=4&max-results=25"],
        ),
        (
            "https://www.digest.example/feed/atom/",
            EMPTY,
            [
                "https://www.digest.example/feed/atom/?paged=2",
                "https://www.digest.example/wp-json/wp/v2/posts?per_page=25&page=1&_embed=author,wp:term",
            ],
        ),
        (
            "https://digest.example/?feed=rss2",
            EMPTY,
            [
                "https://digest.example/?feed=rss2&paged=2",
                "https://digest.example/?rest_route=/wp/v2/posts&per_page=25&page=1&_embed=author,wp:term",
            ],
        ),
        (
            "https://digest.example/blog/rss.xml",
            replace(EMPTY, site_url="https://digest.example/blog", generator="https://wordpress.org/?v=6.8"),
            [
                "https://digest.example/blog/rss.xml?paged=2",
                "https://digest.example/blog/wp-json/wp/v2/posts?per_page=25&page=1&_embed=author,wp:term",
            ],
        ),
    ],
)
def test_first_page_candidates(url: str, feed: ParsedFeed, ways: list[str]) -> None:
    found = page_urls.first_page_candidates(url, feed)
    assert list(found[: len(ways)]) == ways
    if not feed.older:
        assert len(found) == len(ways)


@pytest.mark.parametrize(
    ("url", "next_one"),
    [
        ("https://a.example/feed/?x=%26&paged=2", "https://a.example/feed/?x=%26&paged=3"),
        ("https://a.example/rss?page=0", "https://a.example/rss?page=1"),
        ("https://a.example/f?start-index=26&max-results=25", "https://a.example/f?start-index=51&max-results=25"),
        ("https://a.example/f?start-index=26&max-results=none", "https://a.example/f?start-index=27&max-results=none"),
        (
            "https://a.example/f?t%5B%5D=1&t%5B%5D=2&q=%B1%BE&page=7",
            "https://a.example/f?t%5B%5D=1&t%5B%5D=2&q=%B1%BE&page=8",
        ),
        ("https://a.example/rss?page=two", ""),
        ("https://a.example/archive/2026/10", ""),
    ],
)
def test_next_numbered_page(url: str, next_one: str) -> None:
    assert page_urls.next_numbered_page(url) == next_one
    assert page_urls.next_page(url, said("a", older="https://a.example/named")) == "https://a.example/named"


def test_what_a_page_names_is_followed_and_never_in_a_circle() -> None:
    site = Site(
        {
            "https://d.example/2": said("c", "b", older="https://d.example/1"),
            "https://d.example/1": said("a", older="https://d.example/2"),
        }
    )
    steps = list(older_pages.older_pages("https://d.example/", said("d", older="https://d.example/2"), site.reader()))
    assert [guids(step.feed.entries) for step in steps[:-1] if isinstance(step, older_pages.Page)] == [
        ["c", "b"],
        ["a"],
    ]
    assert steps[-1] == older_pages.NoMorePages(had_pages=True)
    assert site.asked == ["https://d.example/2", "https://d.example/1"]


@pytest.mark.parametrize("counted_from", [0, 1])
def test_pages_counted_from_nought_or_one_are_all_read(counted_from: int) -> None:
    pages = [said("f", "e"), said("d", "c"), said("b", "a")]
    site = Site({f"https://d.example/x?page={n}": page for n, page in enumerate(pages, counted_from)})
    steps = list(older_pages.older_pages("https://d.example/x", pages[0], site.reader()))
    assert [guids(step.feed.entries) for step in steps if isinstance(step, older_pages.Page)] == [
        ["d", "c"],
        ["b", "a"],
    ]


def test_a_site_that_repeats_its_last_page_for_ever_ends(served) -> None:
    def clamp(archive: Archive, request: Request) -> Response | None:
        if int(request.args.get("paged", 1)) > 3:
            request.args = {"paged": "3"}  # type: ignore[assignment,misc]
        return None

    archive = Archive(30, on_request=clamp)
    steps = list(older_pages.older_pages(*served(archive)))
    assert sum(len(step.feed.entries) for step in steps if isinstance(step, older_pages.Page)) == 20
    assert steps[-1] == older_pages.NoMorePages(had_pages=True)
    assert len(archive.requests) == 4


def test_a_site_without_pages_is_asked_little(served) -> None:
    archive = Archive(30, counted_by=None)
    assert list(older_pages.older_pages(*served(archive, "/digest.xml"))) == [older_pages.NoMorePages(had_pages=False)]
    assert len(archive.requests) == 2


def test_the_rest_interface_continues_a_feed_that_has_no_pages(served) -> None:
    archive = Archive(60, counted_by=None, rest=True)
    url, first, reader = served(archive)
    recovered = older_pages.read_until_known(url, first, frozenset(numbered(*range(1, 8))), reader)
    assert recovered.reached_known
    assert guids(recovered.entries) == numbered(*range(50, 7, -1))
    one = recovered.entries[0]
    assert (one.title, one.url, one.published_at) == ("Ship 50 & cargo", "https://archive.example/50/", moment(50))
    assert (one.author, one.categories) == ("Lee L. Dunn", ("Harbour", "cables"))
    assert "Ship number 50" in one.html


def test_the_rest_interface_of_something_else_is_left_alone(served) -> None:
    other = Archive(30, counted_by=None, rest=True)

    def shifted(archive: Archive, request: Request) -> Response | None:
        archive.total = 900 if "/wp-json/" in request.path else 30
        return None

    other.on_request = shifted
    assert list(older_pages.older_pages(*served(other))) == [older_pages.NoMorePages(had_pages=False)]


def test_missing_entries_are_those_above_the_last_known_one(served) -> None:
    archive = Archive(100)
    url, first, reader = served(archive)
    known = frozenset(numbered(*range(64, 75)))
    recovered = older_pages.read_until_known(url, first, known, reader)
    assert (recovered.reached_known, recovered.pages, recovered.error) == (True, 2, "")
    assert guids(recovered.entries) == numbered(*range(90, 74, -1))
    # known by its link alone
    by_link = older_pages.read_until_known(url, first, frozenset({"https://archive.example/85/"}), reader)
    assert guids(by_link.entries) == numbered(90, 89, 88, 87, 86)


def test_entries_between_two_known_ones_are_missing_too() -> None:
    site = Site({"https://d.example/2": said("e", "known", "d", "old", "history")})
    recovered = older_pages.read_until_known(
        "https://d.example/", said("f", older="https://d.example/2"), frozenset({"known", "old"}), site.reader()
    )
    assert (guids(recovered.entries), recovered.reached_known) == (["e", "d"], True)


def test_a_post_pinned_to_the_top_is_not_taken_for_the_end(served) -> None:
    archive = Archive(60, pinned=(3,))
    url, first, reader = served(archive)
    assert first.entries[0].guid == guid(3)
    recovered = older_pages.read_until_known(url, first, frozenset(numbered(3, *range(20, 31))), reader)
    assert recovered.reached_known
    assert guids(recovered.entries) == numbered(*range(50, 30, -1))


def test_exactly_one_page_of_new_posts_in_between_is_not_taken_for_the_end(served) -> None:
    def burst(archive: Archive, _request: Request) -> None:
        archive.total = 70

    archive = Archive(60)
    url, first, reader = served(archive)
    archive.on_request = burst
    recovered = older_pages.read_until_known(url, first, frozenset(numbered(*range(1, 41))), reader)
    assert recovered.reached_known
    assert set(numbered(*range(50, 40, -1))) <= set(guids(recovered.entries))


@given(
    total=st.integers(0, 70),
    trickle=st.lists(st.integers(0, 9), max_size=10),
    burst=st.tuples(st.integers(0, 9), st.integers(0, 80)),
)
@example(total=40, trickle=[], burst=(0, 10))  # page two is what the feed was
@example(total=40, trickle=[], burst=(0, 20))  # two pages in a row without anything new
def test_whatever_is_posted_meanwhile_every_older_post_is_read(
    total: int, trickle: list[int], burst: tuple[int, int]
) -> None:
    growing = _Growing(total, trickle, burst)
    reader = older_pages.PageReader(growing, growing.parse, factories.NOW, pause=0)  # type: ignore[arg-type]
    steps = list(older_pages.older_pages("https://d.example/feed/", growing.page(1), reader))
    read = [one.guid for step in steps if isinstance(step, older_pages.Page) for one in step.feed.entries]
    assert {str(number) for number in range(1, total - 9)} <= set(read)
    assert isinstance(steps[-1], older_pages.NoMorePages)


class _Growing(Site):
    """`total` posts in pages of ten; before each answer a few more are posted, and once a whole burst."""

    def __init__(self, total: int, trickle: list[int], burst: tuple[int, int]) -> None:
        super().__init__({})
        self.total, self.trickle, self.burst = total, trickle, burst

    def get(self, url: str) -> Fetched | older_pages.RequestFailed:
        asked = len(self.asked)
        more = self.trickle[asked] if asked < len(self.trickle) else 0
        self.total += self.burst[1] if asked == self.burst[0] else more
        number = int(url.rpartition("paged=")[2]) if "paged=" in url else 0
        self.pages = {url: self.page(number)} if number and self.page(number).entries else {}
        return super().get(url)

    def page(self, number: int) -> ParsedFeed:
        shown = range(self.total - 10 * (number - 1), max(0, self.total - 10 * number), -1)
        return said(*map(str, shown))


def test_reading_stops_after_so_many_pages_with_an_error(served) -> None:
    archive = Archive(1000)
    url, first, reader = served(archive)
    recovered = older_pages.read_until_known(url, first, frozenset({guid(1)}), reader, most_pages=4)
    assert (recovered.reached_known, recovered.pages, len(recovered.entries)) == (False, 4, 40)
    assert "4 older pages" in recovered.error
    assert len(archive.requests) == 4


@pytest.mark.parametrize(
    ("status", "body", "says"), [(503, "busy", "trouble"), (429, "", "fewer"), (200, "<html>hello", "web page")]
)
def test_a_page_that_cannot_be_read_keeps_what_was_read_before(served, status: int, body: str, says: str) -> None:
    def broken(_archive: Archive, request: Request) -> Response | None:
        return Response(body, status=status) if request.args.get("paged") == "4" else None

    archive = Archive(100, on_request=broken)
    url, first, reader = served(archive)
    recovered = older_pages.read_until_known(url, first, frozenset({guid(1)}), reader)
    assert (recovered.reached_known, recovered.pages, len(recovered.entries)) == (False, 2, 20)
    assert says in recovered.error


def test_an_archive_that_ends_before_a_known_entry_is_an_error(served) -> None:
    url, first, reader = served(Archive(25))
    recovered = older_pages.read_until_known(url, first, frozenset({"deleted meanwhile"}), reader)
    assert (recovered.reached_known, len(recovered.entries)) == (False, 15)
    assert "ends before" in recovered.error
    url, first, reader = served(Archive(5))
    assert "no older pages" in older_pages.read_until_known(url, first, frozenset({"x"}), reader).error


def test_entries_that_share_one_link_are_different_ones() -> None:
    first = replace(EMPTY, entries=(entry("c", "https://d.example/log"),), older="https://d.example/2")
    second = replace(EMPTY, entries=(entry("b", "https://d.example/log"), entry("a", "https://d.example/log")))
    site = Site({"https://d.example/2": second})
    recovered = older_pages.read_until_known("https://d.example/", first, frozenset({"a"}), site.reader())
    assert (guids(recovered.entries), recovered.reached_known) == (["b"], True)


def test_entries_that_share_one_guid_are_different_ones() -> None:
    first = replace(EMPTY, entries=(replace(entry("log"), title="c"),), older="https://d.example/2")
    second = replace(EMPTY, entries=(replace(entry("log", "https://d.example/b"), title="b"), entry("a")))
    recovered = older_pages.read_until_known(
        "https://d.example/", first, frozenset({"a"}), Site({"https://d.example/2": second}).reader()
    )
    assert ([one.title for one in recovered.entries], recovered.reached_known) == (["b"], True)


def test_a_pause_is_kept_before_every_page(served, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = list[float]()
    monkeypatch.setattr(older_pages.time, "sleep", pauses.append)
    url, first, reader = served(Archive(35))
    pauses.clear()
    list(older_pages.older_pages(url, first, replace(reader, pause=2.5)))
    assert pauses == [2.5] * 4  # pages two to four, and the one that is not there


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2]",
        '[{"guid": "x"}]',
        "[" * 100_000,
        '[{"guid": {"rendered": "x"}}]',
        "[]",
        '[{"guid":{"rendered":"g"},"content":"x"}]',
    ],
)
def test_a_list_that_is_no_list_of_posts_is_no_feed(text: str) -> None:
    parsed = parse(text.encode(), url="https://d.example/data.json", now=factories.NOW)
    assert not isinstance(parsed, ParsedFeed)
    assert parsed.reason


def test_a_post_with_odd_fields_is_read_as_far_as_it_goes() -> None:
    text = """[{"guid":{"rendered":"g"},"content":{"rendered":null},"title":7,"link":"javascript:alert(1)","date_gmt":"soon",
        "_embedded":{"author":{"name":"x"},"wp:term":[{"name":"x"},[null,{"name":"Kept"}]]}}]"""
    parsed = parse(text.encode(), url="https://d.example/wp-json/wp/v2/posts", now=factories.NOW + timedelta(0))
    assert isinstance(parsed, ParsedFeed)
    (one,) = parsed.entries
    assert (one.guid, one.title, one.url, one.published_at, one.author) == ("g", "", "", None, "")
    assert one.categories == ("Kept",)
