"""What is read from feeds of every kind, and from what only looks like one."""

import codecs
import json
import random
import re
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.feeds.html import sanitize_html
from newsletter.feeds.parsing.model import NotAFeed, Parsed, ParsedEntry, ParsedFeed, ParseFailed
from newsletter.feeds.parsing.parse_feed import parse as parse_bytes
from tests.feeds.mutations import damaged
from tests.feeds.promises import NOW, URL, is_harmless

SAMPLES = Path(__file__).parents[2] / "samples" / "feeds"


def parse(body: bytes | str, *, url: str = URL, content_type: str = "") -> Parsed:
    return parse_bytes(body if isinstance(body, bytes) else body.encode(), url=url, content_type=content_type, now=NOW)


def feed(body: bytes | str) -> ParsedFeed:
    parsed = parse(body)
    assert isinstance(parsed, ParsedFeed), parsed
    return parsed


def rss(item: str, head: str = "") -> str:
    return f"<rss version='2.0'><channel><title>T</title>{head}<item>{item}</item></channel></rss>"


def entry(item: str) -> ParsedEntry:
    return feed(rss(item)).entries[0]


def sample(name: str) -> ParsedFeed:
    return feed((SAMPLES / name).read_bytes())


def test_a_wordpress_feed() -> None:
    read = sample("wordpress.xml")
    assert (read.title, read.language, read.site_url) == ("Harbour – Digest", "en-US", "https://digest.example")
    assert (read.wait, read.older) == (1800, "https://digest.example/feed/?paged=2")
    assert read.generator == "https://wordpress.org/?v=6.9"
    first, second, third = read.entries
    assert first.title == "Fish & ships: “no risk”"
    assert (first.guid, first.url) == ("https://digest.example/?p=17", "https://digest.example/2026/11/fish/")
    assert (first.author, first.categories) == ("Jo Writer", ("Sea", "Trade & ports"))
    assert first.published_at == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert "<p>海は広い</p>" in first.html
    assert second.html == "Line one<br>line two"
    assert second.published_at == datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    assert (third.url, third.guid) == ("https://digest.example/guid-is-link",) * 2


def test_an_atom_feed() -> None:
    read = sample("atom.xml")
    assert (read.title, read.language, read.site_url) == ("Вестник", "ru", "https://atom.example/")
    assert (read.older, read.generator) == ("https://feed.example/2025/feed.atom", "Hugo")
    first, second = read.entries
    assert (first.title, first.author, first.categories) == ("Кабель & море", "Jo (jo@atom.example)", ("sea",))
    assert first.html == "<p>Длинно и <em>подробно</em>.</p>"
    assert first.published_at == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    assert (second.url, second.lang) == ("https://atom.example/2", "ru")
    assert second.html == "<p>First line<br>second &lt; third</p>"


def test_every_link_is_resolved_against_xml_base() -> None:
    one = sample("atom-xhtml.xml").entries[0]
    assert (one.title, one.url) == ("A stressed title", "https://base.example/blog/2026/one.html")
    blocks = sanitize_html.parse_blocks(one.html, one.base)
    hrefs = [run.href for block in blocks for line in block.lines for run in line if run.href]
    assert hrefs == ["https://base.example/blog/2026/two.html", "https://base.example/three"]


def test_rdf_and_the_oldest_feeds() -> None:
    rdf = sample("rdf.xml")
    assert (rdf.title, rdf.language, rdf.wait) == ("From the library", "fr", 86_400)
    assert (rdf.entries[0].title, rdf.entries[0].author, rdf.entries[0].categories) == ("L’été", "Jo", ("Livres",))
    assert rdf.entries[0].guid == "https://rdf.example/1"
    old = sample("atom03.xml").entries[0]
    assert (old.title, old.html) == ("Old news", "<p>It is still read.</p>")
    assert old.published_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert sample("rss091.xml").entries[0].html == "A short item"
    assert sample("rss090.xml").entries[0].url == "https://rss90.example/1"


def test_a_json_feed() -> None:
    read = sample("feed.json")
    assert (read.title, read.language, read.older) == ("A < B", "de", "https://feed.example/feed.json?page=2")
    assert len(read.entries) == 2
    first, second = read.entries
    assert (first.author, first.categories) == ("Jo, Mo", ("a", "b"))
    assert (second.guid, second.html) == ("2", "<p>Nur<br>Text</p>")
    assert second.published_at == datetime(2026, 11, 22, 9, tzinfo=UTC)
    deep = parse('{"version": "https://jsonfeed.org/version/1", "items": ' + "[" * 100_000)
    assert isinstance(deep, ParseFailed)
    assert isinstance(parse('{"a": 1}'), NotAFeed)


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        ("<ttl>60</ttl>", 3600),
        ("<ttl> 1440 </ttl>", 86_400),
        ("<ttl>often</ttl>", 0),
        ("<ttl>-5</ttl>", 0),
        ("<ttl>99999999999999999999</ttl>", 31 * 86_400),
        ("", 0),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 21_600),
        ("<sy:updatePeriod> Weekly </sy:updatePeriod>", 604_800),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", 3600),
        ("<sy:updatePeriod>sometimes</sy:updatePeriod>", 0),
    ],
)
def test_the_wait_that_a_feed_asks_for(head: str, seconds: int) -> None:
    text = rss("", head).replace("<rss", "<rss xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'")
    assert feed(text).wait == seconds


@pytest.mark.parametrize("href", ["javascript:alert(1)", "ftp://a.example/", URL, "", " "])
def test_the_page_of_older_entries_is_another_url(href: str) -> None:
    head = f"<a:link xmlns:a='http://www.w3.org/2005/Atom' rel='next' href='{href}'/>"
    assert feed(rss("", head)).older == ""


def test_usual_faults_of_xml_are_repaired() -> None:
    text = rss(
        "<title>Fish &nbsp;&hellip; &amp; chips & &copy; &unknown; AT&T</title><link>https://a.example/?a=1&b=2</link>"
    )
    for whole in (
        text,
        f"\n\nWarning: <b>line 5</b> {text}",
        f"<?xml version='1.0'?>\n<?xml version='1.0'?>{text}<script>x()</script>",
    ):
        one = feed(whole).entries[0]
        assert one.title == "Fish … & chips & © &unknown; AT&T"
        assert one.url == "https://a.example/?a=1&b=2"
    assert entry("<title>a\0b\x1bc&#0;d&#x1F;e</title>").title == "abcde"
    assert entry("<title>Fish <![CDATA[&nbsp;a & b]]></title>").title == "Fish a & b"


def test_a_feed_that_breaks_off_keeps_its_complete_entries() -> None:
    whole = (SAMPLES / "wordpress.xml").read_bytes()
    complete = feed(whole).entries
    ends = [at for at in range(len(whole)) if whole.startswith(b"</item>", at)]
    for cut in range(ends[0] + 7, len(whole), 37):
        assert feed(whole[:cut]).entries == complete[: sum(end + 7 <= cut for end in ends)]
    atom = (SAMPLES / "atom.xml").read_bytes()
    assert feed(atom[: atom.index(b"<title>Plain")]).entries == feed(atom).entries[:1]


@pytest.mark.parametrize(
    ("page", "links"),
    [
        ("<link rel=alternate type=application/rss+xml href=/feed>", ("https://feed.example/feed",)),
        (
            "<link rel=alternate type=application/rss+xml href=/feed/>"
            "<link rel=alternate type=application/rss+xml href=/comments/feed/>",
            ("https://feed.example/feed/",),
        ),
        (
            "<link rel=alternate type=application/atom+xml href=/a/atom>"
            "<link rel=alternate type=application/rss+xml href=/a/rss>",
            ("https://feed.example/a/atom",),
        ),
        (
            "<base href='https://b.example/x/'><a href='feed/'>RSS</a><a href=/about>x</a>",
            ("https://b.example/x/feed/",),
        ),
        ("<a href='?feed=rss2'>RSS</a>", ()),
        ("<link rel=alternate type=application/json href=/wp-json/x>", ()),
        ("<link rel=alternate type=application/rss+xml href='javascript:1'>", ()),
        ("<![broken[<p>x", ()),
    ],
)
def test_a_web_page_offers_its_feeds(page: str, links: tuple[str, ...]) -> None:
    found = parse(f"<!doctype html><html><head>{page}</head></html>")
    assert isinstance(found, NotAFeed)
    assert found.feed_links == links
    assert all(link in found.reason for link in links)


WHOLE = rss(
    "<title>One</title><link>https://a.example/1</link><description><![CDATA[<p>x</p>]]></description>",
    "<link>https://a.example/</link>",
)


@pytest.mark.parametrize(
    "page",
    [
        f"<html>{WHOLE}</html>",
        f"<!DOCTYPE html>\n<html><head><title>x</title></head><body>{WHOLE}</body></html>",
        f"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><body><div>{WHOLE}</div></body></html>",
        f"<html><head><script>var a = 1;</script></head><body>{WHOLE}<script>b()</script></body></html>",
        f"<html><head></head><body><pre style='word-wrap: x'>{escape(WHOLE)}</pre></body></html>",
        "<html><body>"
        + WHOLE.replace("<link>", "<link/>")
        .replace("</link>", "")
        .replace("<![CDATA[", "<!--[CDATA[")
        .replace("]]>", "]]-->")
        + "</body></html>",
        f"ï»¿{WHOLE}",
        f"\ufeff\ufeff \n{WHOLE}",
        f"<root><data>{WHOLE}</data></root>",
    ],
)
def test_a_feed_inside_something_else_is_read(page: str) -> None:
    one = feed(page).entries[0]
    assert (one.title, one.url, one.html) == ("One", "https://a.example/1", "<p>x</p>")


def test_atom_and_rdf_inside_a_page_are_read() -> None:
    for name in ("atom.xml", "atom03.xml", "rdf.xml"):
        inside = re.sub(r"<\?xml[^>]*>", "", (SAMPLES / name).read_text())
        assert feed(f"<html><body>{inside}</body></html>").entries == sample(name).entries


@pytest.mark.parametrize(
    "page",
    [
        f"<html><script>var feed = `{WHOLE}`</script></html>",
        f"<html><body><p>A feed looks like this:</p><pre>{escape(WHOLE)}</pre><p>Good.</p></body></html>",
        "<html><body><rss version='2.0'><channel><title>none</title></channel></rss></body></html>",
    ],
)
def test_a_page_that_only_shows_a_feed_is_a_page(page: str) -> None:
    assert isinstance(parse(page), NotAFeed)


@pytest.mark.parametrize(
    "content_type", ["text/html", "application/json", "image/png", "application/octet-stream; charset=x"]
)
def test_the_content_type_is_ignored(content_type: str) -> None:
    parsed = parse(WHOLE, content_type=content_type)
    assert isinstance(parsed, ParsedFeed)
    assert parsed == feed(WHOLE)


def test_a_wrong_byte_order_mark_is_ignored() -> None:
    for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE):
        assert feed(mark + WHOLE.replace("One", "Füße").encode()).entries[0].title == "Füße"


@pytest.mark.parametrize(
    ("url", "page", "guess"),
    [
        ("https://a.example/x", "<img src=/wp-content/a.png>", "https://a.example/feed/"),
        ("https://a.blogspot.com/", "<p>x", "https://a.blogspot.com/feeds/posts/default"),
        ("https://a.example/", '<meta name="generator" content="Hugo 0.1">', "https://a.example/index.xml"),
        (
            "https://www.youtube.com/@someone",
            '<script>{"channelId":"UCabcdefghijklmnopqrstuv"}</script>',
            "https://www.youtube.com/feeds/videos.xml?channel_id=UCabcdefghijklmnopqrstuv",
        ),
    ],
)
def test_a_usual_feed_url_is_only_a_hint(url: str, page: str, guess: str) -> None:
    found = parse(f"<html><body>{page}</body></html>", url=url)
    assert isinstance(found, NotAFeed)
    assert found.feed_links == ()
    assert guess in found.reason


@pytest.mark.no_cover
def test_bombs_are_refused_or_small() -> None:
    laughs = (
        "<!DOCTYPE r [<!ENTITY a 'ha'>"
        + "".join(f"<!ENTITY a{n} '&a;&a;'>" for n in range(9))
        + "]>"
        + rss("<title>&a8;</title>")
    )
    assert isinstance(parse(laughs), ParseFailed)
    assert isinstance(
        parse("<!DOCTYPE r [<!ENTITY a '" + "x" * 16_000 + "'>]>" + rss("<title>" + "&a;" * 1000 + "</title>")),
        ParseFailed,
    )
    for deep in ("<b>" * 100_000, "&lt;div&gt;" * 100_000, "<![CDATA[" + "<div>" * 100_000 + "]]>"):
        is_harmless(parse(rss(f"<title>t</title><description>{deep}</description>")))
    assert (
        len(feed("<rss version='2.0'><channel>" + "<item><title>t</title></item>" * 3000 + "</channel></rss>").entries)
        == 500
    )
    assert len(entry(f"<title>{'x' * 100_000}</title>").title) == 500


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Tue, 24 Nov 2026 10:00:00 +0100", datetime(2026, 11, 24, 9, tzinfo=UTC)),
        ("Mo, 23 Nov 2026 10:00:00 +0000", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("Lun, 23 nov. 2026 10:00:00 GMT", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("вт, 17 ноября 2026 10:00:00 +0300", datetime(2026, 11, 17, 7, tzinfo=UTC)),
        ("mar., 25 août 2026 10:00:00 +0200", datetime(2026, 8, 25, 8, tzinfo=UTC)),
        ("1795456800", datetime(2026, 11, 23, 18, tzinfo=UTC)),
        ("1795456800000", datetime(2026, 11, 23, 18, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20 10:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T24:00:00Z", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-11-20T10:00:00+99:99", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026年11月20日 10:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("Nov 20, 2026 10:00 PM", datetime(2026, 11, 20, 22, tzinfo=UTC)),
        ("20-Nov-26 10:00:00 EST", datetime(2026, 11, 20, 15, tzinfo=UTC)),
        ("Thu Nov 20 10:00:00 2026", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        *(
            (bad, None)
            for bad in (
                "Mon, 23 Nov 2026 25:99:00 GMT",
                "31 Feb 2026",
                "0001-01-01",
                "1795",
                "soon",
                "2094-01-01",
                "12",
            )
        ),
        *(
            (bad, None)
            for bad in (
                "9" * 13,
                "1 Jan 1994",
                "²⁰²⁶-11-20",
                "Fri, 27 Nov 2026 10:00:00 GMT",
            )
        ),
    ],
)
def test_dates(date: str, moment: datetime | None) -> None:
    assert entry(f"<title>t</title><pubDate>{date}</pubDate>").published_at == moment


def test_the_first_believable_date_counts() -> None:
    both = entry("<title>t</title><pubDate>1 Jan 1970</pubDate><dc:date>2026-11-20</dc:date>")
    assert both.published_at == datetime(2026, 11, 20, tzinfo=UTC)
    soon = (NOW + timedelta(hours=47)).isoformat()
    assert entry(f"<pubDate>{soon}</pubDate>").published_at == NOW + timedelta(hours=47)


def test_an_ambiguous_date_is_settled_by_the_other_dates_of_its_feed() -> None:
    written = ("03/04/2026", "17/01/2026")
    meant = [datetime(2026, 4, 3, tzinfo=UTC), datetime(2026, 1, 17, tzinfo=UTC)]
    items = "".join(f"<item><title>{text}</title><pubDate>{text}</pubDate></item>" for text in written)
    assert [one.published_at for one in feed(f"<rss version='2.0'><channel>{items}</channel></rss>").entries] == meant
    assert entry("<title>t</title><pubDate>03/04/2026</pubDate>").published_at is None
    data = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [{"id": text, "date_published": text} for text in written],
    }
    assert [one.published_at for one in feed(json.dumps(data)).entries] == meant


@given(st.text(max_size=60))
@example("1" * 13)
@example("²")
def test_no_date_breaks_the_parser(text: str) -> None:
    data = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "date_published": text}]}
    is_harmless(parse(json.dumps(data)))


@pytest.mark.no_cover
@pytest.mark.parametrize("part", range(10))
def test_three_hundred_damaged_feeds_are_harmless(part: int) -> None:
    """`make fuzz` reads many thousands."""
    for index in range(30 * part, 30 * part + 30):
        is_harmless(parse(damaged(random.Random(f"suite:{index}"))))
