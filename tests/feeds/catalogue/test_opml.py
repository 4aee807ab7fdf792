"""OPML files in and out: every feed that can be understood, the line of every one that cannot, and nothing that blows up."""

import codecs
import threading
from dataclasses import replace

import pytest
from django.db import connection
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.feeds.catalogue import opml, opml_import
from newsletter.feeds.catalogue.opml import Outline, Outlines
from newsletter.feeds.catalogue.opml_import import ImportedFeeds, import_opml
from newsletter.feeds.catalogue.probe import FoundFeed
from newsletter.feeds.parsing.model import ParsedFeed
from newsletter.lib.refused import Refused
from newsletter.models import Feed
from tests import factories
from tests.factories import ACTOR

NOW = factories.NOW
FOLDERS = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="1.0">
<head><title>Mine</title></head>
<body>
  <outline text="News">
    <outline text="Asia">
      <outline type="rss" text="Harbour &amp; sea" xmlUrl="https://harbour.example/feed/?a=1&amp;b=2"/>
      <outline type="RSS" title="Only a title" xmlURL="http://title.example/rss"/>
    </outline>
    <outline TYPE="rss" XMLURL="feed://scheme.example/rss" TEXT="Shouted"/>
  </outline>
  <outline xmlUrl="feed:https://bare.example/rss"/>
  <outline text="A link" type="link" url="https://page.example/"/>
</body>
</opml>
"""


def read(text: str | bytes) -> Outlines:
    found = opml.read(text.encode() if isinstance(text, str) else text)
    assert isinstance(found, Outlines), found
    return found


def body(*outlines: str) -> str:
    return "<opml version='2.0'><head/><body>\n" + "\n".join(outlines) + "\n</body></opml>"


def outline(name: str, more: str = "") -> str:
    return f"<outline type='rss' text='{name}' xmlUrl='https://{name}.example/feed' {more}/>"


def names(found: Outlines) -> list[str]:
    return [one.title for one in found.feeds]


def test_folders_cases_and_schemes_are_read() -> None:
    found = read(FOLDERS)
    assert [(one.url, one.title, one.line) for one in found.feeds] == [
        ("https://harbour.example/feed/?a=1&b=2", "Harbour & sea", 7),
        ("http://title.example/rss", "Only a title", 8),
        ("http://scheme.example/rss", "Shouted", 10),
        ("https://bare.example/rss", "", 12),
    ]
    assert found.problems == ()
    assert not any(one.title_given for one in found.feeds)


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.replace("UTF-8", "UTF-16").encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.replace("UTF-8", "ISO-8859-1").encode("latin-1"),
        lambda text: text.encode().replace(b"\n", b"\r\n"),
        lambda text: text.encode().replace(b"sea", b"s\0ea"),
        lambda text: b"\n \n" + text.encode(),
    ],
)
def test_every_encoding_is_read(encode) -> None:
    found = read(encode(FOLDERS.replace("Shouted", "Hafen für Bären")))
    assert [one.title for one in found.feeds][:3] == ["Harbour & sea", "Only a title", "Hafen für Bären"]
    assert found.feeds[0].line in (7, 9)


@pytest.mark.parametrize(
    "bad",
    [
        "<outline type='rss' text='no url'/>",
        "<outline type='atom' text='empty url' xmlUrl='  '/>",
        "<outline text='x' xmlUrl='https://x.example/' newsletter:only='[1]'/>",
        "<outline text='x' xmlUrl='https://x.example/' newsletter:only='{\"authors\": [1]}'/>",
    ],
)
def test_a_bad_outline_is_reported_by_its_line_and_does_not_stop_the_others(bad: str) -> None:
    found = read(body(outline("one"), outline("two"), bad, outline("three")))
    assert names(found) == ["one", "two", "three"]
    assert [problem.line for problem in found.problems] == [4]


@pytest.mark.parametrize(
    "broken",
    [
        "<outline type='rss' text='a 'quoted' word' xmlUrl='https://bad.example/'/>",
        "<outline type='rss' text='a < b' xmlUrl='https://bad.example/'/>",
        "<outline type='rss' text='twice' text='twice' xmlUrl='https://bad.example/'/>",
        "<outline type='rss' text=unquoted xmlUrl='https://bad.example/'/>",
        "</outline></folder>",
    ],
)
def test_at_the_first_broken_line_reading_stops_and_says_which_it_is(broken: str) -> None:
    found = read(body(outline("one"), outline("two"), broken, outline("three"), broken))
    assert names(found) == ["one", "two"]
    (problem,) = found.problems
    assert problem.line == 4
    assert "nothing from here on is read" in problem.reason


def test_a_file_that_breaks_off_keeps_what_is_complete() -> None:
    found = read(body(*(outline(f"feed{n}") for n in range(5)))[:-60])
    assert names(found) == ["feed0", "feed1", "feed2", "feed3"]
    assert [problem.line for problem in found.problems] == [6]


def test_bare_ampersands_and_html_entities_are_repaired() -> None:
    text = "<outline text='Caf&eacute; &nbsp;&lt;b&gt; &#0;&#x1F;&#38; AT&T &unknown;' xmlUrl='https://a.example/?a=1&b=2&copy=3'/>"
    (one,) = read(body(text)).feeds
    assert one.title == "Café <b> \ufffd& AT&T &unknown;"
    assert one.url == "https://a.example/?a=1&b=2&copy=3"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\0\0\0", "empty"),
        (b"\xff" * 100, "no OPML"),
        (b"%PDF-1.7 \0\1\2", "no OPML"),
        (b"<rss version='2.0'><channel/></rss>", "feeds add"),
        (b"<!doctype html><html></html>", "no OPML"),
        (b"<html><body/></html>", "begins with <html>"),
        (
            b"<!DOCTYPE o [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><opml><body><outline text='&b;'/></body></opml>",
            "DOCTYPE",
        ),
        (b"<!DOCTYPE o SYSTEM 'file:///etc/passwd'><opml/>", "DOCTYPE"),
    ],
)
def test_a_file_that_is_no_opml_is_refused_with_a_reason(data: bytes, says: str) -> None:
    found = opml.read(data)
    assert isinstance(found, Refused)
    assert says in found.reason
    assert "\n" not in found.reason


def test_very_large_and_deep_files_are_read() -> None:
    assert read("<opml><body>" + "<outline text='f'>" * 100_000 + outline("deep")).feeds[0].title == "deep"
    assert len(read(body(*["<outline type='rss'/>"] * 20_000)).problems) == 20_000
    assert len(read(body(*(outline(f"feed{n}") for n in range(20_000)))).feeds) == 20_000


WORDS = st.text(max_size=40).map(lambda text: opml.single_line(opml.strip_invalid_xml(text)))
OUTLINES = st.builds(
    Outline,
    url=st.builds(
        "https://{}.example/{}?q={}".format, st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.integers(), st.integers()
    ),
    title=WORDS,
    cut=st.sampled_from(["", "never", "div > h3[class~='x']"]),
    only=st.dictionaries(st.sampled_from(["authors", "categories", "languages"]), st.lists(WORDS, max_size=3)),
    paused=st.booleans(),
)


@given(st.lists(st.tuples(OUTLINES, st.booleans())))
@example([(Outline("https://a.example/?a=1&b=2", '“Q” & <b>\'s "x" &amp; =?utf-8?q?x?='), True)])
def test_what_is_written_is_read_back_the_same(made: list[tuple[Outline, bool]]) -> None:
    given_ones = [replace(one, title_given=given and bool(one.title)) for one, given in made]
    found = read(opml.write(given_ones, "Mine & yours", NOW))
    assert found.problems == ()
    assert [replace(one, line=0) for one in found.feeds] == given_ones


@pytest.mark.django_db
class TestImport:
    """Into the tables, and out of them."""

    def test_feeds_are_added_once_each_and_nothing_is_asked(self) -> None:
        there = Feed.objects.create(url="https://there.example/feed/", next_fetch_at=NOW, created_at=NOW)
        text = body(
            outline("one"),
            "<outline text='there' xmlUrl='http://there.example/feed'/>",
            "<outline text='again' xmlUrl='https://one.example/feed/'/>",
            "<outline text='relative' xmlUrl='feeds/x.xml'/>",
            "<outline text='other' xmlUrl='ftp://x.example/'/>",
            "<outline text='secret' xmlUrl='https://me:word@x.example/'/>",
            "<outline text='file' xmlUrl='file:///etc/passwd'/>",
            outline("two"),
        )
        done = import_opml(text.encode(), now=NOW, announce="latest", actor=ACTOR)
        assert isinstance(done, ImportedFeeds)
        assert (len(done.added), done.there, done.repeated) == (2, 1, 1)
        assert [problem.line for problem in done.problems] == [5, 6, 7, 8]
        added = Feed.objects.exclude(id=there.id)
        assert {(one.url, one.title, one.announce, one.next_fetch_at, one.title_given) for one in added} == {
            (f"https://{name}.example/feed", name, "latest", NOW, False) for name in ("one", "two")
        }
        again = import_opml(text.encode(), now=NOW, actor=ACTOR)
        assert isinstance(again, ImportedFeeds)
        assert (again.added, again.there) == ((), 4)

    def test_export_and_import_keep_titles_cuts_filters_and_pauses(self) -> None:
        columns = ("url", "title", "title_given", "cut", "only", "state")
        for number in range(4):
            Feed.objects.create(
                url=f"https://{number}.example/feed?a=1&b=2",
                title=f"Title <{number}> & “more”",
                title_given=number == 1,
                cut="never" if number == 2 else "auto",
                only={"authors": ["LLD"]} if number == 3 else {},
                state="paused" if number == 0 else "active",
                next_fetch_at=NOW,
                created_at=NOW,
            )
        before = list(Feed.objects.order_by("url").values_list(*columns))
        text = opml_import.export_opml(now=NOW)
        Feed.objects.all().delete()
        done = import_opml(text.encode(), now=NOW, actor=ACTOR)
        assert isinstance(done, ImportedFeeds)
        assert (len(done.added), done.problems) == (4, ())
        assert list(Feed.objects.order_by("url").values_list(*columns)) == before
        assert opml_import.export_opml(now=NOW) == text

    def test_an_invalid_cut_is_reported(self) -> None:
        done = import_opml(body(outline("one", "newsletter:cut='--sideways'")).encode(), now=NOW, actor=ACTOR)
        assert isinstance(done, ImportedFeeds)
        assert (len(done.added), [problem.line for problem in done.problems]) == (1, [2])
        assert Feed.objects.get().cut == "auto"

    def test_checked_ones_are_read_first_one_at_a_time_per_host(self) -> None:
        busy, most, order, lock = set[str](), list[int](), list[str](), threading.Lock()

        def find(url: str) -> FoundFeed | Refused:
            host = url.split("/")[2]
            with lock:
                assert host not in busy
                busy.add(host)
                order.append(url)
            with lock:
                busy.remove(host)
                most.append(1)
            if "bad" in url:
                return Refused(f"{url}: there is nothing at this address")
            return FoundFeed(url.replace("page", "feed"), url, ParsedFeed("Own title", "", "", ()))

        text = body(
            *(f"<outline text='x' xmlUrl='https://host{n % 3}.example/page{n}'/>" for n in range(12)),
            "<outline text='x' xmlUrl='https://host0.example/bad'/>",
            "<outline text='x' xmlUrl='relative'/>",
        )
        seen = list[tuple[int, int]]()
        done = import_opml(text.encode(), now=NOW, find=find, progress=lambda *one: seen.append(one), actor=ACTOR)
        assert isinstance(done, ImportedFeeds)
        assert (len(done.added), sorted(problem.line for problem in done.problems)) == (12, [14, 15])
        assert seen[-1] == (13, 13)
        assert set(Feed.objects.values_list("title", flat=True)) == {"Own title"}
        assert Feed.objects.filter(url="https://host1.example/feed4").exists()

    def test_files_that_are_no_opml_or_too_large_add_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert isinstance(import_opml(b"<rss/>", now=NOW, actor=ACTOR), Refused)
        assert isinstance(import_opml(FOLDERS.encode(), now=NOW, announce="loudly", actor=ACTOR), Refused)
        monkeypatch.setattr(opml_import, "CAP", 100)
        refused = import_opml(FOLDERS.encode(), now=NOW, actor=ACTOR)
        assert isinstance(refused, Refused)
        assert "larger" in refused.reason
        assert Feed.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_feeds_are_added_one_by_one_and_what_was_added_before_it_was_stopped_stays() -> None:
    text = body(*(outline(f"f{number}", "newsletter:state='paused'") for number in range(4)))
    held = list[bool]()

    def progress(done: int, _all: int) -> None:
        held.append(connection.in_atomic_block)
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_opml(text.encode(), now=NOW, progress=progress, actor=ACTOR)
    assert held == [False] * 3  # nobody else waits for more than one of them
    assert list(Feed.objects.values_list("state", flat=True)) == ["paused"] * 3
    again = import_opml(text.encode(), now=NOW, actor=ACTOR)
    assert isinstance(again, ImportedFeeds)
    assert (len(again.added), again.there) == (1, 3)


@pytest.mark.django_db(transaction=True)
def test_a_feed_is_never_seen_before_it_is_as_the_file_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(_feed_id: int, **_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(opml_import.manage, "pause", stopped)
    with pytest.raises(KeyboardInterrupt):
        import_opml(body(outline("one"), outline("two", "newsletter:state='paused'")).encode(), now=NOW, actor=ACTOR)
    assert Feed.objects.get().url == "https://one.example/feed"
