"""Reading feeds: what is kept, what is new the second time, and what a bad feed cannot do."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter.feeds import poll
from newsletter.feeds.catalogue import manage
from newsletter.feeds.fetching.http_client import Fetched, Fetcher, NotModified, RequestFailed
from newsletter.lib.refused import Refused
from newsletter.models import Citation, Entry, Feed, Fetch, Item, ItemVersion
from tests import factories
from tests.factories import ACTOR
from tests.feeds.poll_one import poll_one
from tests.journey import road

pytestmark = pytest.mark.django_db
NOW = factories.NOW


@pytest.fixture
def fetcher(httpserver: HTTPServer) -> Fetcher:
    site = urlsplit(httpserver.url_for("/"))
    return Fetcher(allow=frozenset({(site.hostname or "", site.port or 0)}), user_agent="newsletter/test")


def add(httpserver: HTTPServer, fetcher: Fetcher, text: str, announce: str = "all") -> int:
    url = road.serve(httpserver, text)
    added = manage.add(url, announce=announce, fetcher=fetcher, now=NOW, actor=ACTOR)
    assert isinstance(added, manage.AddedFeed), added
    return added.feed_id


def read(feed_id: int, fetcher: Fetcher, after: timedelta = timedelta(0)) -> poll.PollResult:
    manage.mark_due(feed_id, now=NOW + after)
    return poll_one(feed_id, now=NOW + after, fetcher=fetcher)


@pytest.mark.parametrize("form", [road.posts, road.compiled])
def test_each_article_is_kept_without_its_source_line(httpserver: HTTPServer, fetcher: Fetcher, form) -> None:
    feed_id = add(httpserver, fetcher, form())
    assert Entry.objects.count() == 0
    done = read(feed_id, fetcher)
    assert (done.new, done.unmatched, done.error) == (4, True, "")
    assert {row.title for row in ItemVersion.objects.all()} == {title for title, _, _ in road.ARTICLES}
    for row in ItemVersion.objects.all():
        assert "Source" not in row.text
        assert "original.example" not in row.text + row.html
    cited = {
        (row.publisher, row.published_on.isoformat() if row.published_on else None) for row in Citation.objects.all()
    }
    assert ("Field Radio", "2026-11-19") in cited
    assert len(cited) == 4


def test_the_same_feed_again_has_no_new_items(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    feed_id = add(httpserver, fetcher, road.posts())
    read(feed_id, fetcher)
    Item.objects.update(matched_at=NOW)
    road.serve(httpserver, road.posts().replace("<description/>", "<description>later</description>"))
    done = read(feed_id, fetcher, timedelta(hours=1))
    assert (done.new, done.changed) == (0, 0)
    assert not Item.objects.filter(matched_at=None).exists()


def test_an_article_put_on_top_of_a_digest_changes_no_other(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    feed_id = add(httpserver, fetcher, road.compiled(road.ARTICLES[1:]))
    read(feed_id, fetcher)
    before = {row.item_id: row.title for row in ItemVersion.objects.all()}
    road.serve(
        httpserver,
        road.compiled(road.ARTICLES[1:]).replace(
            "<h3>",
            "<h3>Brand new</h3><p>Never seen before today.</p><p>Source: Example Wire, November 21, 2026<br>"
            "<a href='https://original.example/new/one'>https://original.example/new/one</a></p><h3>",
            1,
        ),
    )
    done = read(feed_id, fetcher, timedelta(hours=1))
    assert done.new == 1
    after = {row.item_id: row.title for row in ItemVersion.objects.all()}
    assert before.items() <= after.items()


def test_an_edited_article_is_a_new_version_of_the_same_item(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    feed_id = add(httpserver, fetcher, road.posts())
    read(feed_id, fetcher)
    Item.objects.update(matched_at=NOW)
    road.serve(httpserver, road.posts().replace("Five large banks", "Seven large banks"))
    done = read(feed_id, fetcher, timedelta(hours=1))
    assert (done.new, done.changed) == (0, 1)
    changed = Item.objects.get(matched_at=None)
    assert changed.version == 2
    assert Item.objects.count() == 4


@pytest.mark.parametrize(("announce", "announced"), [("none", 0), ("latest", 1), ("all", 4)])
def test_a_first_poll_announces_what_was_asked(
    httpserver: HTTPServer, fetcher: Fetcher, announce: str, announced: int
) -> None:
    feed_id = add(httpserver, fetcher, road.posts(), announce)
    read(feed_id, fetcher)
    assert Item.objects.filter(announced=True).count() == announced
    road.serve(httpserver, road.posts().replace("post-0", "post-new"))
    read(feed_id, fetcher, timedelta(hours=1))
    assert Item.objects.filter(announced=True).count() >= announced


def test_only_one_worker_reads_a_due_feed(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    feed_id = add(httpserver, fetcher, road.posts())
    assert poll.due_feeds(now=NOW) == (feed_id,)
    poll_one(feed_id, now=NOW, fetcher=fetcher)
    assert poll.due_feeds(now=NOW) == ()
    assert poll_one(feed_id, now=NOW, fetcher=fetcher).status == "not polled"


def test_a_broken_feed_is_reported_and_waits_longer_each_time(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    feed_id = add(httpserver, fetcher, road.posts())
    httpserver.clear()
    httpserver.expect_request("/feed").respond_with_data("gone fishing", status=500)
    waits = []
    for hours in range(1, 4):
        done = read(feed_id, fetcher, timedelta(hours=hours))
        assert done.error
        feed = Feed.objects.get(id=feed_id)
        waits.append(feed.next_fetch_at - NOW - timedelta(hours=hours))
    assert waits[0] < waits[2]
    assert Fetch.objects.filter(feed_id=feed_id).exclude(error="").count() == 3


def test_what_is_unchanged_is_not_sent_again(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    seen = []

    def answer(request: Request) -> Response:
        seen.append((request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")))
        return Response(status=304) if seen[-1][0] else Response(road.posts(), headers={"ETag": 'W/"a b"'})

    httpserver.expect_request("/feed").respond_with_handler(answer)
    first = fetcher.get(httpserver.url_for("/feed"))
    assert isinstance(first, Fetched)
    assert first.etag == 'W/"a b"'
    assert isinstance(fetcher.get(httpserver.url_for("/feed"), etag=first.etag), NotModified)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://localhost/",
        "http://[::1]/",
        "http://169.254.169.254/latest/",
        "http://10.0.0.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "file:///etc/passwd",
    ],
)
def test_private_addresses_are_never_asked(url: str) -> None:
    assert isinstance(Fetcher(allow=frozenset(), user_agent="newsletter/test").get(url), RequestFailed)


def test_a_redirect_to_a_private_address_is_refused(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    httpserver.expect_request("/jump").respond_with_data(
        "", status=302, headers={"Location": "http://127.0.0.1:1/secret"}
    )
    assert isinstance(fetcher.get(httpserver.url_for("/jump")), RequestFailed)


def test_hostile_content_stays_out(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    bad = '<script>alert(1)</script><img src="https://t.example/1.gif"><a href="javascript:alert(1)">x</a>'
    bad += '<b onclick="x()">bold</b>'
    feed_id = add(
        httpserver,
        fetcher,
        road.posts((("A &lt;img src=x onerror=alert(1)&gt; title", "Text.", "Source: A"),)).replace(
            "<p>Text.</p>", f"<p>Text.</p>{bad}"
        ),
    )
    read(feed_id, fetcher)
    kept = ItemVersion.objects.get()
    for word in ("script", "img", "javascript", "onclick", "onerror"):
        assert f"<{word}" not in kept.html
        assert f"{word}=" not in kept.html
    assert "<b>bold</b>" in kept.html or "<strong>bold</strong>" in kept.html or "bold" in kept.text


def test_an_entity_bomb_and_a_page_are_refused_with_a_reason(httpserver: HTTPServer, fetcher: Fetcher) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><rss><channel><title>&b;</title></channel></rss>'
    for text, kind in ((bomb, "application/xml"), ("<!doctype html><title>x</title>", "text/html")):
        httpserver.clear()
        httpserver.expect_request("/feed").respond_with_data(text, content_type=kind)
        refused = manage.add(httpserver.url_for("/feed"), fetcher=fetcher, now=NOW, actor=ACTOR)
        assert isinstance(refused, Refused)
        assert refused.reason
    assert Feed.objects.count() == 0
