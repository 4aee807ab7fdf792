"""Entries that the last poll stored are not made safe and sent again: what is stored is the same as without that."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from html import escape
from typing import Any
from unittest.mock import patch

import pytest
from django.db import DataError
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from newsletter.feeds import poll as feeds_poll
from newsletter.feeds.archive import gap_recovery
from newsletter.feeds.catalogue import manage
from newsletter.feeds.fetching.http_client import Fetched, RequestFailed
from newsletter.feeds.parsing import fingerprints
from newsletter.feeds.parsing.model import ParsedFeed
from newsletter.feeds.parsing.parse_feed import parse
from newsletter.feeds.sandbox import sandboxed_parse
from newsletter.feeds.storage import save
from newsletter.models import Citation, Entry, Feed, Host, Item, ItemVersion
from tests import factories
from tests.environment import examples
from tests.factories import ACTOR
from tests.feeds.poll_one import poll_one

NOW = factories.NOW
URLS = ("https://one.example/feed", "https://two.example/feed")
LINES = (
    "<p>A harbour was closed for two days after the storm took its crane away.</p><p>Source: Wire, November 5, 2026</p>",
    "<p>The court heard five witnesses and adjourned until the spring of next year.</p>",
    "<h3>Wool</h3><p>Farmers sold their wool.</p><p>Source: Quay https://quay.example/1</p>"
    "<h3>Salt</h3><p>Miners sold their salt.</p><p>Source: Wire https://wire.example/2</p>",
    "",
)


@dataclass(frozen=True)
class Post:
    """An entry; an empty guid, link or date is left out."""

    guid: str
    link: str
    title: str
    html: str
    author: str = "Ana"
    at: datetime | None = NOW

    def __str__(self) -> str:
        parts = {
            "title": escape(self.title),
            'guid isPermaLink="false"': self.guid,
            "link": self.link,
            "dc:creator": self.author,
            "pubDate": f"{self.at:%d %b %Y %H:%M:%S} +0000" if self.at else "",
            "description": escape(self.html),
        }
        return f"<item>{''.join(f'<{name}>{text}</{name.split()[0]}>' for name, text in parts.items() if text)}</item>"


def post(number: int) -> Post:
    at = NOW - timedelta(days=9) + timedelta(hours=number)
    return Post(f"g{number}", f"https://digest.example/{number}", f"Text {number}", LINES[number % len(LINES)], at=at)


def feed(posts: list[Post]) -> bytes:
    return (
        "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>A digest</title>"
        f"<link>https://digest.example</link>{''.join(map(str, posts))}</channel></rss>"
    ).encode()


class Site:
    """Serves one body at every feed's URL, nothing elsewhere."""

    def __init__(self) -> None:
        self.body = b""
        self.asked = list[str]()

    def get(self, url: str, **_validators: str) -> Fetched | RequestFailed:
        self.asked.append(url)
        if url not in URLS:
            return RequestFailed("there is nothing", 404)
        return Fetched(url, 200, self.body, "", "", "application/xml")


@dataclass
class World:
    """A feed's posts and what can happen to them; the same feed is stored twice: with and without remembering marks."""

    site: Site
    ids: tuple[int, int]
    posts: list[Post]
    gone: list[Post]
    made: int = 0
    now: datetime = NOW

    def change(self, what: str, which: int) -> None:
        at = which % len(self.posts) if self.posts else None
        if what == "add" or at is None:
            self.posts.insert(0, post(self.made))
            self.made += 1
        elif what in EDITS:
            self.posts[at] = EDITS[what](self.posts[at], self.posts[0], which)
        elif what == "vanish":
            self.gone.append(self.posts.pop(at))
        elif what == "return":
            self.posts += self.gone
            self.gone = []
        elif what == "twice":
            self.posts.insert(at, replace(self.posts[at], html=LINES[which % 2]))
        elif what == "turn":
            self.posts.reverse()
        elif what == "forget":
            Entry.objects.filter(guid=self.posts[at].guid).delete()
        else:
            column, value = SETTINGS[what]
            for feed_id in self.ids:
                manage.edit(feed_id, now=self.now, **{column: value}, actor=ACTOR)

    def poll(self) -> None:
        self.site.body = feed(self.posts)
        self.now += timedelta(hours=1)
        Feed.objects.update(next_fetch_at=self.now)
        Feed.objects.filter(id=self.ids[1]).update(marks=b"")
        done = [poll_one(one, now=self.now, fetcher=self.site) for one in self.ids]  # type: ignore[arg-type]
        assert done[0] == replace(done[1], feed_id=self.ids[0])


EDITS: dict[str, Callable[[Post, Post, int], Post]] = {
    "reword": lambda one, _, n: replace(one, html=LINES[n % len(LINES)]),
    "retitle": lambda one, _, n: replace(one, title=f"Title {n}"),
    "redate": lambda one, _, n: replace(one, at=NOW - timedelta(days=5, hours=n)),
    "undate": lambda one, _, n: replace(one, at=None),
    "reguid": lambda one, _, n: replace(one, guid=f"other{n}"),
    "unguid": lambda one, _, n: replace(one, guid=""),
    "share": lambda one, first, n: replace(one, guid=first.guid),
    "unlink": lambda one, _, n: replace(one, link=""),
    "relink": lambda one, first, n: replace(one, link=first.link),
    "author": lambda one, _, n: replace(one, author="LLD" if n % 2 else "Ana"),
}
SETTINGS: dict[str, tuple[str, Any]] = {
    "narrow": ("only", {"authors": ["LLD"]}),
    "widen": ("only", {}),
    "cut": ("cut", "never"),
    "cut again": ("cut", "auto"),
}
WHATS = ("add", *EDITS, "vanish", "return", "twice", "turn", "forget", *SETTINGS, "nothing")
SETTINGS["nothing"] = ("announce", "all")


def stored(feed_id: int) -> list[list[tuple[object, ...]]]:
    """All that is known of a feed's entries, without ids."""
    entries = Entry.objects.filter(feed=feed_id).order_by("guid")
    columns = [one.attname for one in Entry._meta.concrete_fields if one.attname not in ("id", "feed_id")]
    items = Item.objects.filter(entry__feed=feed_id).order_by("entry__guid", "key")
    versions = ItemVersion.objects.filter(item__entry__feed=feed_id).order_by("item__entry__guid", "item__key", "n")
    cited = Citation.objects.filter(item__entry__feed=feed_id).order_by("item__entry__guid", "item__key", "n")
    return [
        list(entries.values_list(*columns)),
        list(
            items.values_list("entry__guid", "key", "position", "story__url", "version", "announced", "first_seen_at")
        ),
        list(versions.values_list("item__key", "n", "title", "text", "html", "author", "material", "seen_at")),
        list(cited.values_list("item__key", "n", "publisher", "published_on", "url")),
        list(Feed.objects.filter(id=feed_id).values_list("title", "newest_at", "posts_every", "body_hash")),
    ]


def world(announce: str = "all") -> World:
    made = [
        Feed.objects.create(url=url, next_fetch_at=NOW, created_at=NOW, announce=announce, title_given=False)
        for url in URLS
    ]
    return World(Site(), (made[0].id, made[1].id), [post(number) for number in (2, 1, 0)], [], 3)


class TestMarks(TestCase):
    """Whatever becomes of a feed."""

    def setUp(self) -> None:
        pause = patch.object(gap_recovery, "PAUSE", 0)
        pause.start()
        self.addCleanup(pause.stop)

    @settings(max_examples=examples(40), deadline=None)
    @given(
        steps=st.lists(
            st.lists(st.tuples(st.sampled_from(WHATS), st.integers(0, 9)), max_size=3), min_size=1, max_size=6
        )
    )
    @example(steps=[[("share", 1)], [("turn", 0)]])
    @example(steps=[[("forget", 1), ("add", 0)], [("reword", 1)]])
    @example(steps=[[("twice", 1)], [("turn", 0)], [("turn", 0)]])
    @example(steps=[[("unguid", 1), ("undate", 1)], [("unlink", 1)], [("add", 0)]])
    @example(steps=[[("narrow", 0)], [("author", 1)], [("add", 0)], [("widen", 0), ("cut", 0)]])
    def test_polls_with_fingerprints_store_what_polls_without_them_store(
        self, steps: list[list[tuple[str, int]]]
    ) -> None:
        Feed.objects.all().delete()
        at = world()
        at.poll()
        for step in steps:
            for what, which in step:
                at.change(what, which)
            at.poll()
            one, other = map(stored, at.ids)
            assert one == other


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[World]:
    monkeypatch.setattr(gap_recovery, "PAUSE", 0)
    made = world()
    made.poll()
    made.site.asked.clear()
    yield made


def test_unchanged_entries_are_parsed_without_their_html() -> None:
    body, more = feed([post(1), post(0)]), feed([post(2), replace(post(1), html="<p>Edited</p>"), post(0)])
    first = sandboxed_parse.parse_in_sandbox(body, url=URLS[0], now=NOW)
    assert isinstance(first, ParsedFeed)
    stored = fingerprints.pack([one.fingerprint for one in first.entries])
    assert len(stored) == 2 * fingerprints.SIZE
    bare = feed([replace(post(0), guid="", at=None)])
    said = parse(bare, url=URLS[0], now=NOW)
    assert isinstance(said, ParsedFeed)
    # it is known by its text, and so needs it
    assert parse(bare, url=URLS[0], now=NOW, fingerprints=fingerprints.pack([said.entries[0].fingerprint])) == said
    again = sandboxed_parse.parse_in_sandbox(more, url=URLS[0], now=NOW, fingerprints=stored)
    assert isinstance(again, ParsedFeed)
    assert [(one.unchanged, bool(one.html)) for one in again.entries] == [(False, True), (False, True), (True, False)]
    assert again.entries[2].guid == "g0"
    assert parse(more, url=URLS[0], now=NOW) != again


def test_an_unchanged_feed_costs_few_statements(at: World, django_assert_max_num_queries: Any) -> None:
    Feed.objects.update(next_fetch_at=at.now)
    with django_assert_max_num_queries(10):
        done = poll_one(at.ids[0], now=at.now, fetcher=at.site)  # type: ignore[arg-type]
    assert done.status == "unchanged"
    # both were given back in good order
    assert feeds_poll.due_feeds(now=at.now) == (at.ids[1],)
    assert not Host.objects.filter(free_at__gt=at.now).exists()


def test_a_new_revision_parses_all_entries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    body = feed([post(0)])
    first = parse(body, url=URLS[0], now=NOW)
    assert isinstance(first, ParsedFeed)
    monkeypatch.setattr(fingerprints, "REVISION", fingerprints.REVISION + 1)
    again = parse(
        body, url=URLS[0], now=NOW, fingerprints=fingerprints.pack([one.fingerprint for one in first.entries])
    )
    assert isinstance(again, ParsedFeed)
    assert not again.entries[0].unchanged


def test_an_entry_that_is_no_longer_stored_is_read_again_and_kept_whole(at: World) -> None:
    Entry.objects.filter(guid="g1").delete()
    at.posts.insert(0, post(7))
    at.poll()
    assert at.site.asked.count(URLS[0]) == 2
    assert at.site.asked.count(URLS[1]) == 1
    texts = ItemVersion.objects.filter(item__entry__feed=at.ids[0], item__entry__guid="g1").values_list(
        "text", flat=True
    )
    assert [bool(text) for text in texts] == [True]
    # and then it is remembered as the others are
    at.site.asked.clear()
    at.posts.insert(0, post(8))
    at.poll()
    assert at.site.asked.count(URLS[0]) == 1


def test_an_edit_that_the_database_refuses_is_stored_by_the_next_poll(
    at: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = save._save_entries

    def refuses(feed: Feed, news: Any, now: datetime) -> list[int]:
        if any(entry.identified.guid == "g1" for entry in news):
            raise DataError
        return real(feed, news, now)

    at.posts[1] = replace(at.posts[1], html="<p>Edited.</p>")
    with monkeypatch.context() as broken:
        broken.setattr(save, "_save_entries", refuses)
        at.poll()
    assert not ItemVersion.objects.filter(text__startswith="Edited.").exists()
    at.posts.insert(0, post(8))
    at.poll()
    assert ItemVersion.objects.filter(text__startswith="Edited.").count() == len(at.ids)


def test_posts_that_share_guid_and_link_always_come_whole() -> None:
    """They are told apart by their texts."""
    posts = [Post("g", "https://digest.example/", f"Text {number}", LINES[number]) for number in range(2)]
    body = feed([*posts, post(7)])
    first = parse(body, url=URLS[0], now=NOW)
    assert isinstance(first, ParsedFeed)
    again = parse(
        body, url=URLS[0], now=NOW, fingerprints=fingerprints.pack([entry.fingerprint for entry in first.entries])
    )
    assert isinstance(again, ParsedFeed)
    assert [entry.unchanged for entry in again.entries] == [False, False, True]
    assert [entry.html for entry in again.entries[:2]] == [entry.html for entry in first.entries[:2]]
