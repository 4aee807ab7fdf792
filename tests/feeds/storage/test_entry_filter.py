"""Narrowed feeds: what is let through, and that widening one mails nobody what had passed."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer

from newsletter.feeds import poll
from newsletter.feeds.catalogue import manage
from newsletter.feeds.catalogue.probe import CheckedFeed
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.feeds.parsing.model import ParsedEntry
from newsletter.feeds.storage.entry_filter import describe_filter, normalize_filter, passes_filter
from newsletter.models import Entry, Item
from tests import factories
from tests.factories import ACTOR
from tests.feeds.poll_one import poll_one
from tests.journey import road

NOW = factories.NOW


def entry(author: str = "", categories: tuple[str, ...] = (), lang: str = "") -> ParsedEntry:
    return ParsedEntry("g", "https://digest.example/1", "t", "", "", author, categories, None, lang)


@pytest.mark.parametrize(
    ("only", "what", "through"),
    [
        ({}, entry(), True),
        ({"authors": []}, entry("Ana"), True),
        ({"authors": ["lld"]}, entry("LLD"), True),
        ({"authors": ["LLD"]}, entry("Ana and LLD"), True),
        ({"authors": ["LLD"]}, entry("Ana, LLD"), True),
        ({"authors": ["Ana and Sons"]}, entry("Ana and Sons"), True),
        ({"authors": ["LLD"]}, entry("LLDX"), False),
        ({"authors": ["LLD"]}, entry(), False),
        ({"categories": ["World", "Law"]}, entry(categories=("law",)), True),
        ({"categories": ["World"]}, entry(categories=("Worldly",)), False),
        ({"languages": ["zh"]}, entry(lang="zh-TW"), True),
        ({"languages": ["zh-TW"]}, entry(lang="zh"), False),
        ({"languages": ["en"]}, entry(lang=""), False),
        ({"authors": ["LLD"], "languages": ["en"]}, entry("LLD", lang="en-US"), True),
        ({"authors": ["LLD"], "languages": ["en"]}, entry("LLD", lang="ru"), False),
        ({"authors": ["王小明"]}, entry("王小明、李四"), True),
    ],
)
def test_an_entry_must_match_one_name_of_each_list(
    only: dict[str, list[str]], what: ParsedEntry, through: bool
) -> None:
    assert passes_filter(only, what) is through


def test_a_filter_is_normalized_and_described() -> None:
    only = normalize_filter({"authors": ["  LLD ", "LLD", ""], "categories": []})
    assert only == {"authors": ["LLD"]}
    assert describe_filter(only) == "authors: LLD"
    assert describe_filter({}) == ""


def by(author: str, number: int) -> str:
    return (
        f"<item><title>Text {number}</title><guid isPermaLink='false'>g{number}</guid><dc:creator>{author}</dc:creator>"
        f"<link>https://digest.example/{number}</link><description>Words of number {number}.</description></item>"
    )


def feed(*items: str) -> str:
    return (
        "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>Two hands</title>"
        f"<link>https://digest.example</link>{''.join(items)}</channel></rss>"
    )


@pytest.mark.django_db
def test_a_narrowed_feed_and_its_widening(httpserver: HTTPServer) -> None:
    site = urlsplit(httpserver.url_for("/"))
    fetcher = Fetcher(allow=frozenset({(site.hostname or "", site.port or 0)}))
    url = road.serve(httpserver, feed(by("LLD", 1), by("Ana", 2)))
    checked = manage.check(url, only={"authors": ["LLD"]}, fetcher=fetcher, now=NOW)
    assert isinstance(checked, CheckedFeed)
    assert (checked.total, checked.through) == (2, 1)
    assert [one.through for one in checked.entries] == [True, False]
    added = manage.add(url, announce="all", only={"authors": ["LLD"]}, fetcher=fetcher, now=NOW, actor=ACTOR)
    assert isinstance(added, manage.AddedFeed)

    def read(hours: int) -> poll.PollResult:
        manage.mark_due(added.feed_id, now=NOW + timedelta(hours=hours))
        return poll_one(added.feed_id, now=NOW + timedelta(hours=hours), fetcher=fetcher)

    assert read(0).new == 1
    assert list(Entry.objects.order_by("guid").values_list("guid", "left_out")) == [("g1", False), ("g2", True)]
    # somebody corrects who wrote it: now it is news
    road.serve(httpserver, feed(by("LLD", 1), by("Ana, LLD", 2), by("Ana", 3)))
    assert read(1).new == 1
    assert Item.objects.get(entry__guid="g2").announced
    # the operator widens the feed: what had passed is known, and nobody's mail
    manage.edit(added.feed_id, only={}, now=NOW, actor=ACTOR)
    road.serve(httpserver, feed(by("LLD", 1), by("Ana, LLD", 2), by("Ana", 3), by("Ana", 4)))
    assert read(2).new == 2
    assert not Item.objects.get(entry__guid="g3").announced
    assert Item.objects.get(entry__guid="g4").announced
    # narrowed again, what was kept stays
    manage.edit(added.feed_id, only={"authors": ["LLD"]}, now=NOW, actor=ACTOR)
    assert read(3).new == 0
    assert Item.objects.count() == 4
    assert Entry.objects.get(guid="g4").left_out


@pytest.mark.django_db
def test_widened_and_cut_in_another_way_at_once_it_still_mails_nothing_old(httpserver: HTTPServer) -> None:
    site = urlsplit(httpserver.url_for("/"))
    fetcher = Fetcher(allow=frozenset({(site.hostname or "", site.port or 0)}))
    url = road.serve(httpserver, feed(by("LLD", 1), by("Ana", 2)))
    added = manage.add(url, announce="all", only={"authors": ["LLD"]}, fetcher=fetcher, now=NOW, actor=ACTOR)
    assert isinstance(added, manage.AddedFeed)
    poll_one(added.feed_id, now=NOW, fetcher=fetcher)
    manage.edit(added.feed_id, only={}, cut="never", now=NOW, actor=ACTOR)
    assert poll_one(added.feed_id, now=NOW, fetcher=fetcher).new == 1
    assert not Item.objects.get(entry__guid="g2").announced
