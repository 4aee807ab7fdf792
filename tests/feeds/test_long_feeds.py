"""Of a feed with more entries than are read the newest count, wherever they stand, and somebody is told."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from newsletter.feeds import poll as feeds_poll
from newsletter.feeds.catalogue import manage
from newsletter.feeds.catalogue.probe import CheckedFeed
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.feeds.parsing import feedparser_xml
from newsletter.feeds.parsing.entry_fields import DateBounds
from newsletter.feeds.parsing.model import ParsedFeed
from newsletter.feeds.parsing.newest_entries import keep_newest, newest
from newsletter.feeds.parsing.parse_feed import parse
from newsletter.feeds.parsing.raw_feed import RawFeed
from newsletter.feeds.storage import incidents
from newsletter.models import Entry, Feed, Incident, Item
from tests import factories
from tests.factories import ACTOR
from tests.feeds.poll_one import poll_one
from tests.feeds.promises import NOW, URL
from tests.hang_guard import hang_guard
from tests.journey import road

START = datetime(2026, 8, 1, tzinfo=UTC)


def story(number: int, *, dated: bool = True) -> str:
    date = f"<pubDate>{START + timedelta(hours=number):%d %b %Y %H:%M:%S} GMT</pubDate>" if dated else ""
    return (
        f"<item><title>Story {number}</title><guid isPermaLink='false'>s-{number}</guid>{date}"
        f"<link>https://site.example/{number}</link><description>Text of number {number}</description></item>"
    )


def rss(items: str) -> str:
    return f"<rss version='2.0'><channel><title>T</title><link>https://site.example/</link>{items}<ttl>60</ttl></channel></rss>"


def feed(numbers: range, *, dated: bool = True) -> str:
    return rss("".join(story(number, dated=dated) for number in numbers))


def read(body: str) -> ParsedFeed:
    parsed = parse(body.encode(), url=URL, now=NOW)
    assert isinstance(parsed, ParsedFeed), parsed
    return parsed


def numbers(parsed: ParsedFeed) -> list[int]:
    return [int(entry.title.split()[1]) for entry in parsed.entries]


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("order", [range(602), range(601, -1, -1)])
def test_the_newest_entries_are_read_in_any_order(dated: bool, order: range) -> None:
    found = read(feed(order, dated=dated))
    assert set(numbers(found)) == set(range(102, 602))
    assert (found.left_out, found.wait, found.site_url) == (102, 3600, "https://site.example/")
    assert numbers(found) == sorted(numbers(found), reverse=order.step < 0)


def test_atom_rdf_and_json_feeds_too() -> None:
    atom = "".join(
        f"<entry><title>Story {n}</title><id>urn:x:{n}</id>"
        f"<published>{(START + timedelta(hours=n)).isoformat()}</published></entry>"
        for n in range(602)
    )
    rdf = "".join(
        f"<item rdf:about='https://site.example/{n}'><title>Story {n}</title><dc:date>{(START + timedelta(hours=n)).isoformat()}"
        "</dc:date></item>"
        for n in range(602)
    )
    items = [
        {"id": str(n), "title": f"Story {n}", "date_published": (START + timedelta(hours=n)).isoformat()}
        for n in range(602)
    ]
    for body in (
        f"<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title>{atom}</feed>",
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' "
        f"xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>T</title></channel>{rdf}</rdf:RDF>",
        json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}),
    ):
        found = read(body)
        assert set(numbers(found)) == set(range(102, 602))
        assert found.left_out == 102


def test_a_pinned_post_and_a_re_dated_one_change_nothing() -> None:
    pinned = rss(story(601) + "".join(story(number) for number in range(601)))
    assert {600, 599, 598} <= set(numbers(read(pinned)))
    undated = rss("".join(story(number, dated=number % 7 > 0) for number in range(602)))
    assert set(numbers(read(undated))) == set(range(102, 602))


def test_unordered_feeds_go_by_date_else_by_position() -> None:
    mixed = [number * 241 % 602 for number in range(602)]
    assert set(numbers(read(rss("".join(map(story, mixed)))))) == set(range(102, 602))
    nameless = "".join(f"<item><title>Story {number}</title></item>" for number in range(602))
    assert numbers(read(rss(nameless))) == list(range(500))


@pytest.mark.parametrize(
    "broken",
    [
        "<item><title>Story 1</title><item><title>Story 2</title></item></item>",
        "<item><title>Story 1</title>",
        "</item>",
    ],
)
def test_entries_that_cannot_be_separated_are_left_to_the_parser(broken: str) -> None:
    body = rss("".join(map(story, range(602))) + broken)
    assert keep_newest(body, DateBounds(NOW)) == (body, 0)
    assert len(read(body).entries) == 500


def test_a_tag_in_a_text_is_not_taken_for_an_entry() -> None:
    told = "<![CDATA[</item><item><title>x</title></item>]]><!-- </item> <item> -->"
    body = rss("".join(story(n).replace("Text of", f"{told} Text of") for n in range(602)))
    found = read(body)
    assert set(numbers(found)) == set(range(102, 602))
    assert found.left_out == 102


@given(st.lists(st.one_of(st.none(), st.integers(0, 60)), max_size=60), st.integers(1, 20))
def test_kept_entries_stay_in_the_order_of_the_feed(days: list[int | None], cap: int) -> None:
    dates = [START + timedelta(days=day) if day is not None else None for day in days]
    kept = list(newest(dates, [""] * len(dates), cap))
    assert kept == sorted(set(kept))
    assert len(kept) == min(cap, len(dates))


@given(st.integers(501, 900), st.booleans(), st.integers(0, 30))
def test_a_feed_in_order_keeps_its_newest_end(count: int, rising: bool, wrong: int) -> None:
    dates: list[datetime | None] = [START + timedelta(hours=place) for place in range(count)]
    for at in range(wrong):
        dates[at * 7] = START - timedelta(days=at)
    row = dates if rising else dates[::-1]
    kept = set(newest(row, [""] * count))
    assert (count - 1 if rising else 0) in kept


@pytest.mark.no_cover
def test_of_a_very_long_feed_only_the_newest_entries_reach_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """feedparser would need minutes for all of them."""
    parsed_texts: list[str] = []
    read_xml = feedparser_xml.read_with_feedparser

    def recorded(text: str) -> RawFeed | None:
        parsed_texts.append(text)
        return read_xml(text)

    monkeypatch.setattr(feedparser_xml, "read_with_feedparser", recorded)
    with hang_guard():
        found = read(rss("".join(map(story, range(10_000)))))
    assert [text.count("<item>") for text in parsed_texts] == [500]
    assert (len(found.entries), found.left_out) == (500, 9_500)


@pytest.mark.django_db
def test_new_entries_at_the_end_of_a_long_feed_are_news_and_an_operator_is_warned(httpserver: HTTPServer) -> None:
    site = urlsplit(httpserver.url_for("/"))
    fetcher = Fetcher(allow=frozenset({(site.hostname or "", site.port or 0)}))
    now = factories.NOW
    added = manage.add(road.serve(httpserver, feed(range(600))), announce="none", fetcher=fetcher, now=now, actor=ACTOR)
    assert isinstance(added, manage.AddedFeed)

    def poll(upto: range, after: int) -> feeds_poll.PollResult:
        road.serve(httpserver, feed(upto))
        manage.mark_due(added.feed_id, now=now + timedelta(days=after))
        return poll_one(added.feed_id, now=now + timedelta(days=after), fetcher=fetcher)

    assert poll(range(600), 0).new == 500
    (one,) = incidents.listing()
    assert one.kind == "truncated"
    assert "600 entries: the newest 500 are read, 100 older ones are not" in one.detail
    assert poll(range(602), 1).new == 2
    assert set(Item.objects.filter(announced=True).values_list("entry__title", flat=True)) == {"Story 600", "Story 601"}
    assert Entry.objects.count() == 502
    # three are taken back, and an older one that was never read comes in their place: no news
    taken_back = rss("".join(story(number) for number in range(602) if number not in (597, 598, 599)))
    road.serve(httpserver, taken_back)
    manage.mark_due(added.feed_id, now=now + timedelta(days=1))
    assert poll_one(added.feed_id, now=now + timedelta(days=1), fetcher=fetcher).new == 1
    assert not Item.objects.get(entry__title="Story 99").announced
    # somebody has seen it: not again tomorrow, but in a month
    incidents.close_by_id(one.id, now + timedelta(days=1), actor=ACTOR)
    poll(range(603), 2)
    assert incidents.listing() == ()
    poll(range(604), 40)
    assert [row.kind for row in incidents.listing()] == ["truncated"]
    poll(range(300, 605), 41)
    assert incidents.listing() == ()
    assert Incident.objects.filter(feed=Feed.objects.get()).count() == 2


def test_a_check_shows_the_newest_and_what_is_left_out(httpserver: HTTPServer) -> None:
    site = urlsplit(httpserver.url_for("/"))
    fetcher = Fetcher(allow=frozenset({(site.hostname or "", site.port or 0)}))
    found = manage.check(road.serve(httpserver, feed(range(602))), fetcher=fetcher, now=NOW)
    assert isinstance(found, CheckedFeed)
    assert (found.total, found.left_out) == (500, 102)
    assert [entry.title for entry in found.entries[:2]] == ["Story 601", "Story 600"]
