"""What the network may answer, and what is made of it."""

import gzip
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter.feeds import poll
from newsletter.feeds.catalogue import manage
from newsletter.feeds.fetching import http_client
from newsletter.feeds.fetching.decompress import BoundedDecompressor, TooLarge
from newsletter.feeds.fetching.http_client import Fetched, Fetcher, NotModified, RequestFailed
from newsletter.feeds.polling import record_result
from newsletter.models import Entry, Feed, Fetch, Host, Incident, Item
from tests import factories
from tests.factories import ACTOR
from tests.feeds.poll_one import poll_one
from tests.journey import road

NOW = factories.NOW
HOUR = timedelta(hours=1)


def fetcher_for(server: HTTPServer, **limits: float) -> Fetcher:
    site = urlsplit(server.url_for("/"))
    return Fetcher(allow=frozenset({(site.hostname or "", site.port or 0)}), **limits)  # type: ignore[arg-type]


@pytest.fixture
def fetcher(httpserver: HTTPServer) -> Fetcher:
    return fetcher_for(httpserver)


def jump(server: HTTPServer, path: str, to: str, status: int) -> None:
    server.expect_request(path).respond_with_data("", status=status, headers={"Location": to})


def test_validators_go_back_as_they_came(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    seen: list[tuple[str | None, str | None]] = []
    odd = {"ETag": 'W/"a b\'é"'.encode().decode("latin-1"), "Last-Modified": "Yesterday, more or less"}

    def answer(request: Request) -> Response:
        seen.append((request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")))
        return Response(status=304) if seen[-1][1] else Response("x", headers=odd)

    httpserver.expect_request("/feed").respond_with_handler(answer)
    first = fetcher.get(httpserver.url_for("/feed"))
    assert isinstance(first, Fetched)
    again = fetcher.get(httpserver.url_for("/feed"), etag=first.etag, last_modified=first.last_modified)
    assert isinstance(again, NotModified)
    assert seen == [(None, None), (odd["ETag"], odd["Last-Modified"])]


@pytest.mark.parametrize(
    ("hops", "moved"),
    [
        ((301,), "/1"),
        ((308, 301), "/2"),
        ((302,), ""),
        ((301, 307), "/1"),
        ((302, 301), ""),
        ((303, 308), ""),
    ],
)
def test_only_permanent_redirects_from_the_start_move_a_feed(
    httpserver: HTTPServer, fetcher: Fetcher, hops: tuple[int, ...], moved: str
) -> None:
    for number, status in enumerate(hops):
        jump(httpserver, f"/{number}", f"/{number + 1}", status)
    httpserver.expect_request(f"/{len(hops)}").respond_with_data("x")
    got = fetcher.get(httpserver.url_for("/0"))
    assert isinstance(got, Fetched)
    assert got.url == httpserver.url_for(f"/{len(hops)}")
    assert got.moved_to == (httpserver.url_for(moved) if moved else "")


def test_a_circle_of_redirects_ends(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    jump(httpserver, "/a", "/b", 301)
    jump(httpserver, "/b", "/a", 301)
    got = fetcher.get(httpserver.url_for("/a"))
    assert isinstance(got, RequestFailed)
    assert "redirects" in got.reason


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Cache-Control": "public, max-age=3600"}, 3600),
        ({"Cache-Control": 'max-age="60"'}, 60),
        ({"Cache-Control": "s-maxage=99"}, 0),
        ({"Cache-Control": "no-cache, max-age=99"}, 0),
        ({"Cache-Control": "max-age=99999999"}, 86_400),
        ({"Cache-Control": "max-age=soon"}, 0),
    ],
)
def test_how_long_an_answer_is_fresh(
    httpserver: HTTPServer, fetcher: Fetcher, headers: dict[str, str], seconds: int
) -> None:
    httpserver.expect_request("/feed").respond_with_data("x", headers=headers)
    got = fetcher.get(httpserver.url_for("/feed"))
    assert isinstance(got, Fetched)
    assert got.max_age == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("999999999999", 86_400),
        ("Tue, 24 Nov 2026 10:00:00 GMT", 3600),
        ("Tue, 24 Nov 2026 08:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_how_long_a_site_wants_to_be_left_alone(
    httpserver: HTTPServer, fetcher: Fetcher, value: str, seconds: float | None
) -> None:
    headers = {"Retry-After": value, "Date": "Tue, 24 Nov 2026 09:00:00 GMT"}
    httpserver.expect_request("/feed").respond_with_data("", status=503, headers=headers)
    got = fetcher.get(httpserver.url_for("/feed"))
    assert isinstance(got, RequestFailed)
    assert (got.status, got.retry_after) == (503, seconds)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("gzip", lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:]) + b"\0" * 8),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("identity", bytes),
    ],
)
def test_codings_that_were_asked_for_are_decoded(
    httpserver: HTTPServer, fetcher: Fetcher, coding: str, pack: Callable[[bytes], bytes]
) -> None:
    body = "<rss>Füße</rss>".encode() * 100
    httpserver.expect_request("/feed").respond_with_data(pack(body), headers={"Content-Encoding": coding})
    got = fetcher.get(httpserver.url_for("/feed"))
    assert isinstance(got, Fetched)
    assert got.body == body


@pytest.mark.parametrize("coding", ["br", "zstd", "UTF-8", "gzip, br", "compress"])
def test_codings_that_were_not_asked_for_are_refused(httpserver: HTTPServer, fetcher: Fetcher, coding: str) -> None:
    httpserver.expect_request("/feed").respond_with_data(b"\x1b\x00", headers={"Content-Encoding": coding})
    got = fetcher.get(httpserver.url_for("/feed"))
    assert isinstance(got, RequestFailed)
    assert "not asked for" in got.reason


PLAIN = "<?xml version='1.0'?><rss>Füße</rss>".encode() * 100


@pytest.mark.parametrize("name", ["/feed", "/chunks"])
@pytest.mark.parametrize(
    ("coding", "sent"),
    [
        *(
            (name, PLAIN)
            for name in ("UTF-8", "none", "aws-chunked", "binary", "8bit", "text/xml", "", "identity, UTF-8")
        ),
        *((name, PLAIN) for name in ("gzip", "deflate", "br", "zstd", "compress", "gzip, br")),
        *((name, "<rss>Füße</rss>".encode("utf-16")) for name in ("UTF-16", "gzip")),
        *(
            (name, gzip.compress(PLAIN))
            for name in ("gzip,aws-chunked", "aws-chunked, gzip", "", "UTF-8", "deflate", "br")
        ),
        ("gzip", gzip.compress(PLAIN) + b"</html><!-- served in 3 ms -->"),
        ("gzip, gzip", gzip.compress(gzip.compress(PLAIN))),
        ("", gzip.compress(gzip.compress(PLAIN))),
        ("", zlib.compress(PLAIN)),
        ("gzip", zlib.compress(PLAIN)),
        ("deflate, aws-chunked", raw_deflate(PLAIN)),
        ("deflate", zlib.compress(PLAIN, 3)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_bytes_decide_the_coding_of_a_body_whatever_its_header_says(
    httpserver: HTTPServer, fetcher: Fetcher, coding: str, sent: bytes, name: str
) -> None:
    parts = [sent] if name == "/feed" else [sent[at : at + 7] for at in range(0, len(sent), 7)]
    answer = Response(iter(parts), headers={"Content-Encoding": coding} if coding else {})
    httpserver.expect_request(name).respond_with_response(answer)
    got = fetcher.get(httpserver.url_for(name))
    assert isinstance(got, Fetched), got
    assert got.body in (PLAIN, "<rss>Füße</rss>".encode("utf-16"))


@given(
    st.binary(max_size=3000),
    st.lists(st.sampled_from((gzip.compress, zlib.compress)), max_size=2),
    st.lists(st.integers(1, 400), max_size=20),
)
def test_the_decoded_body_does_not_depend_on_the_chunks(
    data: bytes, packs: list[Callable[[bytes], bytes]], sizes: list[int]
) -> None:
    sent = PLAIN + data
    for pack in packs:
        sent = pack(sent)
    body, at = BoundedDecompressor("gzip" if packs else "", 1_000_000), 0
    for size in [*sizes, len(sent)]:
        body.add(sent[at : at + size])
        at += size
    assert body.decoded() == PLAIN + data


def test_nested_decompression_bombs_are_stopped() -> None:
    bomb = gzip.compress(gzip.compress(gzip.compress(bytes(50_000_000))))
    body = BoundedDecompressor("gzip", 1_000_000)
    with pytest.raises(TooLarge):
        body.add(bomb)
        body.decoded()


@pytest.mark.parametrize(("location", "path"), [("/my feed.xml", "/my%20feed.xml"), ("/a|b", "/a%7Cb")])
def test_a_redirect_is_followed_as_browsers_do(
    httpserver: HTTPServer, fetcher: Fetcher, location: str, path: str
) -> None:
    jump(httpserver, "/feed", location, 302)
    httpserver.expect_request(unquote(path)).respond_with_data("<rss/>")
    got = fetcher.get(httpserver.url_for("/feed"))
    assert isinstance(got, Fetched), got
    assert urlsplit(got.url).path == path


def test_a_location_may_be_in_utf_8() -> None:
    """The server of these tests would encode it."""
    base = httpx2.URL("https://a.example/feed")
    for header, url in (("/fü".encode(), "/f%C3%BC"), (b"/f\xfc", "/f%C3%BC"), (b"\\\\b.example/x", None)):
        assert http_client._joined(base, header.decode("latin-1")) == (
            f"https://a.example{url}" if url else "https://b.example/x"
        )


def test_a_decompression_bomb_is_stopped_at_the_cap(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    httpserver.expect_request("/feed").respond_with_data(bomb, headers={"Content-Encoding": "gzip"})
    monkeypatch.setattr(http_client, "BODY_CAP", 1_000_000)
    got = fetcher_for(httpserver).get(httpserver.url_for("/feed"))
    assert isinstance(got, RequestFailed)
    assert "1 MB" in got.reason


def test_broken_data_and_large_headers_are_failures_with_a_reason(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    httpserver.expect_request("/broken").respond_with_data(b"\x1f\x8b\x08broken", headers={"Content-Encoding": "gzip"})
    httpserver.expect_request("/headers").respond_with_data("x", headers={f"X-{n}": "y" * 900 for n in range(90)})
    for path in ("/broken", "/headers"):
        got = fetcher.get(httpserver.url_for(path))
        assert isinstance(got, RequestFailed)
        assert got.reason


def test_the_deadline_counts_for_all_bytes_together(httpserver: HTTPServer) -> None:
    def drip(_request: Request) -> Response:
        def bytes_() -> object:
            import time

            for _ in range(100):
                time.sleep(0.1)
                yield b"x"

        return Response(bytes_())  # type: ignore[arg-type]

    httpserver.expect_request("/feed").respond_with_handler(drip)
    got = fetcher_for(httpserver, seconds=0.5).get(httpserver.url_for("/feed"))
    assert isinstance(got, RequestFailed)
    assert "0.5 seconds" in got.reason


def test_requests_have_a_user_agent_and_no_cookies(httpserver: HTTPServer) -> None:
    seen: list[dict[str, str]] = []

    def answer(request: Request) -> Response:
        seen.append(dict(request.headers))
        return Response("x", headers={"Set-Cookie": "who=you"})

    httpserver.expect_request("/feed").respond_with_handler(answer)
    fetcher = fetcher_for(httpserver, user_agent="newsletter/1 (+https://news.example.org; feed poller)")  # type: ignore[arg-type]
    for _ in range(2):
        fetcher.get(httpserver.url_for("/feed"))
    assert all("+https://" in headers["User-Agent"] for headers in seen)
    assert all("Cookie" not in headers and "Referer" not in headers for headers in seen)


def add(server: HTTPServer, fetcher: Fetcher, **more: object) -> int:
    added = manage.add(road.serve(server, road.posts()), announce="all", fetcher=fetcher, now=NOW, **more, actor=ACTOR)  # type: ignore[arg-type]
    assert isinstance(added, manage.AddedFeed), added
    return added.feed_id


def read(feed_id: int, fetcher: Fetcher, after: timedelta) -> poll.PollResult:
    manage.mark_due(feed_id, now=NOW + after)
    return poll_one(feed_id, now=NOW + after, fetcher=fetcher)


@pytest.mark.django_db
def test_a_feed_that_moves_for_good_is_followed_after_three_equal_answers(
    httpserver: HTTPServer, fetcher: Fetcher
) -> None:
    feed_id = add(httpserver, fetcher)
    old = Feed.objects.get().url
    read(feed_id, fetcher, HOUR)
    road.serve(httpserver, road.posts(), "/new")
    jump(httpserver, "/feed", "/new", 301)
    urls = []
    for hours in range(2, 5):
        assert read(feed_id, fetcher, hours * HOUR).new == 0
        urls.append(Feed.objects.get().url)
    assert urls == [old, old, httpserver.url_for("/new")]
    assert read(feed_id, fetcher, 5 * HOUR).status == "unchanged"
    assert Entry.objects.count() == 4


@pytest.mark.django_db
def test_a_redirect_that_comes_and_goes_moves_nothing(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    feed_id = add(httpserver, fetcher)
    old = Feed.objects.get().url
    for hours in range(1, 8):
        road.serve(httpserver, road.posts(), "/new" if hours % 3 else "/feed")
        if hours % 3:
            jump(httpserver, "/feed", "/new", 301)
        read(feed_id, fetcher, hours * HOUR)
    assert Feed.objects.get().url == old


@pytest.mark.django_db
def test_a_feed_that_moves_to_the_url_of_another_stays_and_opens_an_incident(
    httpserver: HTTPServer, fetcher: Fetcher
) -> None:
    feed_id = add(httpserver, fetcher)
    road.serve(httpserver, road.posts(), "/new")
    other = manage.add(httpserver.url_for("/new"), fetcher=fetcher, now=NOW, actor=ACTOR)
    assert isinstance(other, manage.AddedFeed)
    jump(httpserver, "/feed", "/new", 308)
    for hours in range(1, 4):
        read(feed_id, fetcher, hours * HOUR)
    assert Incident.objects.get().kind == Incident.Kind.MOVED
    assert Feed.objects.count() == 2


@pytest.mark.django_db
def test_a_feed_that_is_gone_for_good_ends_and_can_be_resumed(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    feed_id = add(httpserver, fetcher)
    httpserver.clear()
    httpserver.expect_request("/feed").respond_with_data("", status=410)
    done = read(feed_id, fetcher, HOUR)
    assert "gone for good" in done.error
    assert Feed.objects.get().state == Feed.State.ENDED
    assert poll.due_feeds(now=NOW + 100 * HOUR) == ()
    assert "feeds resume" in Incident.objects.get(closed_at=None).detail
    road.serve(httpserver, road.posts())
    manage.resume(feed_id, now=NOW + HOUR, actor=ACTOR)
    assert read(feed_id, fetcher, 2 * HOUR).new == 4
    assert not Incident.objects.filter(closed_at=None).exists()


@pytest.mark.django_db
def test_a_site_that_asks_for_fewer_visits_is_left_alone_with_all_its_feeds(
    httpserver: HTTPServer, fetcher: Fetcher
) -> None:
    feed_id = add(httpserver, fetcher)
    road.serve(httpserver, road.posts(), "/other")
    other = manage.add(httpserver.url_for("/other"), fetcher=fetcher, now=NOW, actor=ACTOR)
    assert isinstance(other, manage.AddedFeed)
    httpserver.clear()
    httpserver.expect_request("/feed").respond_with_data("", status=429, headers={"Retry-After": "7200"})
    read(feed_id, fetcher, HOUR)
    assert Host.objects.get().free_at == NOW + 3 * HOUR
    assert read(other.feed_id, fetcher, 2 * HOUR).status == "not polled"
    road.serve(httpserver, road.posts(), "/other")
    assert read(other.feed_id, fetcher, 4 * HOUR).new == 4
    assert Fetch.objects.filter(status=429).count() == 1


@pytest.mark.django_db
def test_the_wait_that_a_feed_asks_for_holds_when_it_is_unchanged(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    feed_id = add(httpserver, fetcher)
    asks = road.posts().replace("<description/>", "<ttl>300</ttl><description/>", 1)
    road.serve(httpserver, asks)
    for after in (HOUR, 2 * HOUR):
        read(feed_id, fetcher, after)
        assert Feed.objects.get().next_fetch_at >= NOW + after + 5 * HOUR


@pytest.mark.django_db
def test_a_retry_after_of_another_host_behind_a_redirect_does_not_rest_this_host(
    httpserver: HTTPServer,
) -> None:
    site = urlsplit(httpserver.url_for("/"))
    port = site.port or 0
    fetcher = Fetcher(allow=frozenset({("localhost", port), ("127.0.0.1", port)}))
    url = f"http://localhost:{port}/feed"
    road.serve(httpserver, road.posts())
    added = manage.add(url, fetcher=fetcher, now=NOW, actor=ACTOR)
    assert isinstance(added, manage.AddedFeed), added
    httpserver.clear()
    jump(httpserver, "/feed", f"http://127.0.0.1:{port}/busy", 302)
    httpserver.expect_request("/busy").respond_with_data("", status=429, headers={"Retry-After": "86400"})
    read(added.feed_id, fetcher, HOUR)
    assert Host.objects.get(name="localhost").free_at == NOW + HOUR
    assert Feed.objects.get().next_fetch_at >= NOW + 24 * HOUR


@pytest.mark.django_db
def test_what_an_operator_changes_during_a_poll_stays(
    httpserver: HTTPServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_id = add(httpserver, fetcher)
    Feed.objects.update(announce="none")

    def record(*args: Any) -> Any:
        manage.edit(feed_id, title="Mine", announce="all", now=NOW, actor=ACTOR)
        return record_result.record_result(*args)

    monkeypatch.setattr(poll, "record_result", record)
    assert poll_one(feed_id, now=NOW, fetcher=fetcher).new == 4
    assert Feed.objects.get().title == "Mine"
    assert Item.objects.filter(announced=True).count() == 4
