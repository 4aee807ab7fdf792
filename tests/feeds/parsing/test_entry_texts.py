"""Which element an entry's title, text and link come from, and whether they are text or markup."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.feeds.html import sanitize_html
from newsletter.feeds.html.blocks import to_text
from newsletter.feeds.parsing.model import ParsedEntry, ParsedFeed
from newsletter.feeds.parsing.parse_feed import parse
from newsletter.feeds.parsing.text_constructs import Text, as_html, as_line, has_words, is_markup
from tests.feeds.promises import NOW, URL
from tests.hang_guard import hang_guard

SPACES = (
    "xmlns:media='http://search.yahoo.com/mrss/' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'"
    " xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:dc='http://purl.org/dc/elements/1.1/'"
    " xmlns:atom='http://www.w3.org/2005/Atom' xmlns:fb='http://rssnamespace.org/feedburner/ext/1.0'"
    " xmlns:m='http://search.yahoo.com/mrss' xmlns:c='http://purl.org/rss/1.0/modules/content/'"
)


def read(body: str) -> ParsedEntry:
    parsed = parse(body.encode(), url=URL, now=NOW)
    assert isinstance(parsed, ParsedFeed), parsed
    return parsed.entries[0]


def rss(inside: str, spaces: str = SPACES) -> ParsedEntry:
    head = "<title>T</title><link>https://site.example/</link>"
    return read(f"<rss version='2.0' {spaces}><channel>{head}<item>{inside}</item></channel></rss>")


def atom(inside: str) -> ParsedEntry:
    head = "<title>T</title><link href='https://site.example/'/>"
    return read(f"<feed xmlns='http://www.w3.org/2005/Atom' {SPACES}>{head}<entry>{inside}</entry></feed>")


def rdf(inside: str) -> ParsedEntry:
    spaces = "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'"
    return read(f"<rdf:RDF {SPACES} {spaces}><channel><title>T</title></channel><item>{inside}</item></rdf:RDF>")


def words(entry: ParsedEntry) -> str:
    return to_text(sanitize_html.parse_blocks(entry.html)).strip()


CAPTIONS = (
    "<media:description>Caption</media:description>",
    "<media:description type='html'>A caption that is much longer than the text itself</media:description>",
    "<media:content url='x'><media:title>Photo</media:title><media:description>One</media:description></media:content>"
    "<media:content url='y'><media:description>Two</media:description></media:content>",
    "<media:group><media:title>Photo</media:title><media:description>One</media:description></media:group>",
    "<m:title>Photo</m:title><m:description>Caption</m:description>",
    "<itunes:title>Episode</itunes:title><itunes:subtitle>Sub</itunes:subtitle><itunes:summary>Summary</itunes:summary>",
    "<dc:title>Other</dc:title><dc:description>Other</dc:description>",
    "<image><title>Logo</title><link>https://logo.example/</link><description>Logo</description></image>",
    "<content:encoded></content:encoded>",
    "<content:encoded><![CDATA[ <p>&nbsp;</p><img src='x'/><!-- none --> ]]></content:encoded>",
    "<content:encoded><![CDATA[<script>var x = 1;</script><br>]]></content:encoded>",
    "<c:encoded/>",
)


@pytest.mark.parametrize("caption", CAPTIONS)
@pytest.mark.parametrize("spaces", [SPACES, ""])
def test_no_caption_and_no_empty_element_replaces_title_or_text(caption: str, spaces: str) -> None:
    own = (
        "<title>Own</title>",
        "<description>The harbour reopens.</description>",
        "<link>https://site.example/1</link>",
    )
    for inside in ((*own, caption), (caption, *own), (own[0], caption, *own[1:]), (caption, *own, caption)):
        one = rss("".join(inside), spaces)
        assert (one.title, words(one), one.url) == ("Own", "The harbour reopens.", "https://site.example/1")


@pytest.mark.parametrize("caption", CAPTIONS[:8])
def test_no_caption_replaces_the_text_in_atom_and_rdf(caption: str) -> None:
    for text in ("<summary>The harbour reopens.</summary>", "<content type='html'>The harbour reopens.</content>"):
        for inside in (f"<title>Own</title>{text}{caption}", f"{caption}<title>Own</title>{text}"):
            one = atom(inside)
            assert (one.title, words(one)) == ("Own", "The harbour reopens.")
    one = rdf(f"{caption}<title>Own</title><description>The harbour reopens.</description>{caption}")
    assert (one.title, words(one)) == ("Own", "The harbour reopens.")


@pytest.mark.parametrize(
    ("inside", "title", "text"),
    [
        (
            "<media:group><media:title>Video</media:title><media:description>About it</media:description></media:group>",
            "Video",
            "About it",
        ),
        (
            "<itunes:title>Episode</itunes:title><itunes:summary>About it</itunes:summary><itunes:subtitle>Sub</itunes:subtitle>",
            "Episode",
            "About it",
        ),
        ("<itunes:subtitle>Sub</itunes:subtitle>", "", "Sub"),
        ("<dc:title>Own</dc:title><dc:description>About it</dc:description>", "Own", "About it"),
        (
            "<description>Short</description><content:encoded>Long</content:encoded><itunes:summary>Sum</itunes:summary>",
            "",
            "Long",
        ),
        ("<content:encoded>Long</content:encoded><description>A description that is longer</description>", "", "Long"),
        ("<description> </description><media:description>Caption</media:description>", "", "Caption"),
        ("<atom:summary type='html'>&lt;p&gt;Sum&lt;/p&gt;</atom:summary>", "", "Sum"),
    ],
)
def test_without_other_text_a_caption_is_the_text(inside: str, title: str, text: str) -> None:
    one = rss(inside)
    assert (one.title, words(one)) == (title, text)


def test_content_that_is_no_text_leaves_the_summary() -> None:
    for content in (
        "<content type='image/png'>iVBORw0KGgo=</content>",
        "<content type='video/mp4' src='https://site.example/x.mp4'/>",
        "<content type='html'>&lt;img src='x'&gt;</content>",
        "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><br/></div></content>",
    ):
        assert words(atom(f"<summary>Said</summary>{content}")) == "Said"


#: As it stands in the XML, and what a reader sees.
IN_TITLES = [
    ("Vec&lt;T&gt; in Rust", "Vec<T> in Rust"),
    ("Map&lt;K, V&gt; &amp;amp; List&lt;String[]&gt;", "Map<K, V> & List<String[]>"),
    ("<![CDATA[std::vector<int>]]>", "std::vector<int>"),
    ("The &lt;b&gt; tag is back", "The <b> tag is back"),
    ("Why &lt;head&gt; comes before &lt;body&gt;", "Why <head> comes before <body>"),
    ("1 &lt; 2 and 3 &gt; 2, I &lt;3 it", "1 < 2 and 3 > 2, I <3 it"),
    ("&lt;b&gt;Bold&lt;/b&gt; &amp;amp; &lt;em class='x'&gt;more&lt;/em&gt;", "Bold & more"),
    ("&lt;code&gt;Vec&lt;T&gt;&lt;/code&gt; explained", "Vec<T> explained"),
    ("One&lt;br/&gt;two", "One two"),
    ("Fish &amp;amp;amp; chips", "Fish &amp; chips"),
    ("AT&amp;T", "AT&T"),
    ("It&amp;#8217;s", "It’s"),
]


@pytest.mark.parametrize(("xml", "shown"), IN_TITLES)
def test_an_rss_title_and_category_lose_tags_and_nothing_else(xml: str, shown: str) -> None:
    one = rss(f"<title>{xml}</title><category>{xml}</category>")
    assert one.title == shown
    assert one.categories == (shown,)
    assert rdf(f"<title>{xml}</title>").title == shown


@pytest.mark.parametrize(
    ("xml", "shown"),
    [
        ("Use Vec&lt;T&gt; or Map&lt;K,V&gt;", "Use Vec<T> or Map<K,V>"),
        ("The &lt;area&gt; element\n\nin &lt;map&gt;", "The <area> element\n\nin <map>"),
        ("a &lt; b &amp;amp; c", "a < b & c"),
        ('&lt;add key="x" value="y"/&gt; in the file', '<add key="x" value="y"/> in the file'),
        ("&lt;p&gt;One &amp;amp; two", "One & two"),
        ("One&lt;br&gt;two", "One\ntwo"),
        ("&lt;b&gt;One&lt;/b&gt; two", "One two"),
        ("Say &amp;lt;b&amp;gt;", "Say <b>"),
    ],
)
def test_an_rss_description_is_html_where_it_has_tags(xml: str, shown: str) -> None:
    assert words(rss(f"<description>{xml}</description>")) == shown


@pytest.mark.parametrize("kind", ["", " type='text'", " type='TEXT'", " type='text/plain'"])
def test_text_of_atom_is_no_markup(kind: str) -> None:
    inside = "Allow &lt;col&gt; in &lt;b&gt;all&lt;/b&gt; &amp;amp; more"
    one = atom(f"<title{kind}>{inside}</title><summary{kind}>{inside}\n\nSecond</summary><category term='C&lt;T&gt;'/>")
    assert one.title == "Allow <col> in <b>all</b> &amp; more"
    assert words(one) == "Allow <col> in <b>all</b> &amp; more\n\nSecond"
    assert one.categories == ("C<T>",)


def test_html_and_xhtml_of_atom_are_markup() -> None:
    one = atom(
        "<title type='html'>The &lt;b&gt;port&lt;/b&gt; &amp;amp; &amp;lt;T&amp;gt;</title>"
        "<summary type='html'>&lt;p&gt;x</summary>"
    )
    assert (one.title, words(one)) == ("The port & <T>", "x")
    div = "<div xmlns='http://www.w3.org/1999/xhtml'>The <b>port</b> &amp; &lt;T&gt;</div>"
    one = atom(f"<title type='xhtml'>{div}</title><content type='xhtml'>{div}</content>")
    assert (one.title, words(one)) == ("The port & <T>", "The port & <T>")


def test_untyped_atom_content_that_is_html_from_end_to_end_is_read_as_html() -> None:
    assert words(atom("<content>&lt;p&gt;One &lt;b&gt;two&lt;/b&gt;&lt;/p&gt;</content>")) == "One two"
    assert words(atom("<content type='text'>&lt;p&gt;One&lt;/p&gt;</content>")) == "<p>One</p>"


def test_json_feed_declares_what_is_text() -> None:
    item = {
        "id": "1",
        "title": "Vec<T> & <b>x</b>",
        "content_html": "<p> </p>",
        "content_text": "a <b>",
        "tags": ["C<T>"],
    }
    for version in (
        *("https://jsonfeed.org/version/1.1", "http://jsonfeed.org/version/1", "https://www.jsonfeed.org/version/1/"),
        *("jsonfeed.org/version/1.1", "HTTPS://JSONFEED.ORG/version/1", "1.1", 1),
    ):
        one = read("\ufeffï»¿ " + json.dumps({"version": version, "items": [item]}))
        assert (one.title, words(one), one.categories, one.url) == ("Vec<T> & <b>x</b>", "a <b>", ("C<T>",), "")
    linked = {"id": "https://site.example/a b", "url": "javascript:1", "content_html": "x"}
    assert (
        read(json.dumps({"version": "http://jsonfeed.org/version/1", "items": [linked]})).url
        == "https://site.example/a%20b"
    )


@given(st.text(max_size=80))
def test_plain_text_is_unchanged(text: str) -> None:
    plain = " ".join(text.split())
    shown = to_text(sanitize_html.parse_blocks(sanitize_html.sanitize(as_html(Text(plain, "text"))))).strip()
    assert "".join(shown.split()) == "".join(
        to_text(sanitize_html.parse_blocks(sanitize_html.sanitize(_escaped(plain)))).split()
    )
    assert as_line(Text(plain, "text")) == as_line(Text(plain, "atom"))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@pytest.mark.parametrize("unit", ["<!--", "<script>", "<a ", "<p", "<", "-", "<b></b", "<style></sty", "&lt;", "<br <"])
def test_markup_detection_is_linear(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    with hang_guard():
        is_markup(text), has_words(text), as_html(Text(text, "atom")), as_line(Text(text))


@pytest.mark.parametrize(
    ("inside", "url"),
    [
        (
            "<link/><link>ftp://x.example/</link><link>https://site.example/a b|c</link>",
            "https://site.example/a%20b%7Cc",
        ),
        ("<link><![CDATA[\n  https://site.example/a\n]]></link>", "https://site.example/a"),
        ("<link>https://site.example/?a=1&amp;b;c=2&amp;amp;d=3</link>", "https://site.example/?a=1&b;c=2&d=3"),
        ("<link>javascript:alert(1)</link><guid>https://site.example/1</guid>", "https://site.example/1"),
        ("<guid>12345</guid>", ""),
        ("<guid isPermaLink='false'>https://site.example/1</guid>", ""),
        ("<atom:link rel='self' href='/self'/><atom:link href='/page'/>", "https://site.example/page"),
        (
            "<link>http://count.example/1</link><fb:origLink>https://site.example/real</fb:origLink>",
            "https://site.example/real",
        ),
        ("<link>https://site.example/1</link><fb:origLink>javascript:1</fb:origLink>", "https://site.example/1"),
        (
            "<link>http://feedproxy.google.com/~r/x/~3/y/</link><guid>https://site.example/real</guid>",
            "https://site.example/real",
        ),
        (
            "<link>http://feedproxy.google.com/~r/x/~3/y/</link><guid>12</guid>",
            "http://feedproxy.google.com/~r/x/~3/y/",
        ),
        ("<link>https://www.google.com/url?sa=t&amp;url=https%3A%2F%2Ft.example%2Fx</link>", "https://t.example/x"),
    ],
)
def test_the_first_link_that_leads_to_a_page_counts(inside: str, url: str) -> None:
    assert rss(inside).url == url


def test_of_several_alternates_of_atom_the_first_usable_one_counts() -> None:
    one = atom(
        "<link rel='alternate' type='text/html' href='javascript:1'/>"
        "<link rel='alternate' type='application/json' href='/x.json'/>"
        "<link rel='self' href='/self'/><link href='/good page'/><link rel='alternate' href='/second'/>"
    )
    assert one.url == "https://site.example/good%20page"
    assert (
        atom("<link rel='http://www.iana.org/assignments/relation/alternate' href='/iri'/>").url
        == "https://site.example/iri"
    )


def test_links_in_the_text_are_escaped_and_unwrapped() -> None:
    one = rss(
        "<link>https://site.example/1</link><description>&lt;a href='/My File|1.pdf'&gt;x&lt;/a&gt; "
        "&lt;a href='https://l.facebook.com/l.php?u=https%3A%2F%2Ft.example%2F1'&gt;y&lt;/a&gt;</description>"
    )
    runs = [
        run
        for block in sanitize_html.parse_blocks(one.html, one.base)
        for line in block.lines
        for run in line
        if run.href
    ]
    assert [run.href for run in runs] == ["https://site.example/My%20File%7C1.pdf", "https://t.example/1"]


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>A</p><noscript><p>B <b>c</b> &amp; d</p><img src='x'></noscript><p>E</p>", "A\n\nB c & d\n\nE"),
        ("<p>A <noscript>B</noscript> C</p>", "A B C"),
        ("<NOSCRIPT class='x'><iframe src='x'></iframe></NOSCRIPT>A", "A"),
        ("A<noscript><img src='x'>", "A"),
        ("A <plaintext><b>B</b>", "A B"),
    ],
)
def test_what_is_for_browsers_without_scripts_is_read_as_html(html: str, shown: str) -> None:
    assert to_text(sanitize_html.parse_blocks(sanitize_html.sanitize(html))).strip() == shown
