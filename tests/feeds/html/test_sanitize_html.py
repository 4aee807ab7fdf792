"""Content from outside is text, or harmless HTML: nothing runs, nothing is fetched, every link is absolute."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.feeds.html import sanitize_html
from newsletter.feeds.html.blocks import to_html
from newsletter.feeds.html.sanitize_text import single_line, strip_invalid_xml, title_to_text
from newsletter.feeds.html.web_url import PLAIN_URL, absolute_url
from newsletter.feeds.parsing.model import ParsedFeed
from newsletter.feeds.parsing.parse_feed import parse
from tests.feeds.promises import NOW, URL, is_clean, is_harmless, is_link

BASE = "https://site.example/2026/post/"


def shown(html: str) -> str:
    return to_html(sanitize_html.parse_blocks(sanitize_html.sanitize(html), BASE))


NAUGHTY = (
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<img src=//t.example/1.gif>",
        "<svg onload=alert(1)>",
    ),
    *(
        "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
        "<math><mi xlink:href='javascript:1'>x</mi></math>",
    ),
    *(
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='\u2028javascript:alert(1)'>x</a>",
        "<a href='java\nscript:alert(1)'>x</a>",
    ),
    *(
        "<a href='data:text/html,<script>1</script>'>x</a>",
        "<a href='vbscript:x'>x</a>",
        "<a href='&#106;avascript:1'>x</a>",
    ),
    *("<a href=' \x01javascript:1'>x</a>", "<a href='//user:pass@evil.example/'>x</a>", "<a href='https:evil'>x</a>"),
    *(
        "<a href='http:///nowhere'>x</a>",
        "<a href='https://a.example/\" onclick=\"x'>x</a>",
        "<a href='feed:https://a.example'>x</a>",
    ),
    *(
        "<form action=//e.example><input name=q><button>go</button></form>",
        "<style>p{background:url(//t.example/x)}</style>",
    ),
    *(
        "<p style='background:url(//t.example/x)'>x</p>",
        "<iframe src=//e.example></iframe>",
        "<object data=x></object>",
    ),
    *(
        "<embed src=x>",
        "<base href=//evil.example/>",
        "<meta http-equiv=refresh content='0;url=//e.example'>",
        "<link rel=stylesheet href=//e.example>",
    ),
    *(
        "<video poster=//t.example/x><source src=//t.example/y></video>",
        "<table background=//t.example/x><tr><td>x</table>",
    ),
    *(
        "<p id=x class=y onclick=z data-x=1>x</p>",
        "<noscript><p title='</noscript><img src=x onerror=1>'>",
        "<!--><img src=x onerror=1>-->",
    ),
    *(
        "<![CDATA[<script>1</script>]]>",
        "<xmp><script>1</script></xmp>",
        "<textarea></textarea><script>1</script>",
        "<plaintext><b>x",
    ),
    *(
        "<math><mtext><table><mglyph><style><img src onerror=1>",
        "<svg><style><img src=x onerror=1></style>",
        "<template><script>1</script></template>",
    ),
    *(
        "<details open ontoggle=x>y</details>",
        "<a href=https://a.example/><a href=https://b.example/>x",
        "<p dir='\u202ertl' lang='\" x='>x</p>",
    ),
    *(
        "<ol start='-1\" onclick=\"1'><li>x</ol>",
        "<a\thref='https://a.example/'>x</a>",
        "<b" + "<b" * 500,
        "</p></div></a>",
        "<",
    ),
    *(
        "\u202egnp.exe",
        "a\u0000b",
        "\ud800",
        "\ufdd0\uffff",
        "&#x202e;x&#x202c;",
        "&lt;script&gt;1&lt;/script&gt;",
        "&amp;lt;script&amp;gt;",
    ),
    *(
        "=?utf-8?q?x=0D=0ABcc:_v@e.example?=",
        "x\r\nBcc: v@e.example",
        "x\u2028Bcc: v@e.example",
        "x\x0b\x0c\x85y",
        "\ufeff\u200b\u00ad\u2060",
    ),
)


@pytest.mark.parametrize("html", NAUGHTY)
def test_nothing_runs_and_nothing_is_fetched(html: str) -> None:
    is_clean(shown(html))
    is_clean(shown(f"<div>{html}<blockquote><pre>{html}"))
    title = title_to_text(html)
    assert single_line(title) == title
    assert "=?" not in title


@pytest.mark.parametrize("html", NAUGHTY)
def test_every_field_of_a_feed_is_harmless(html: str) -> None:
    text = html.replace("]]>", "]] >").encode(errors="ignore").decode()
    fields = "".join(
        f"<{name}><![CDATA[{text}]]></{name}>"
        for name in ("title", "link", "guid", "author", "category", "pubDate", "description")
    )
    head = f"<title><![CDATA[{text}]]></title><link><![CDATA[{text}]]></link>"
    rss = f"<rss version='2.0'><channel>{head}<item>{fields}</item></channel></rss>"
    parsed = parse(rss.encode(), url=URL, now=NOW)
    assert isinstance(parsed, ParsedFeed)
    is_harmless(parsed)


@given(st.text(max_size=200))
@example("<a href='https://a.example/\\'>x</a>")
@example("<a href='https://[::1'>x</a>")
def test_any_text_becomes_clean(html: str) -> None:
    is_clean(shown(html))
    assert single_line(title_to_text(html)) == title_to_text(html)


@given(st.text(max_size=60), st.sampled_from(("", BASE, "https://[", "mailto:a@b.example")))
@example("https://a.example/\u2028x", BASE)
@example("one.html", "https:</item>//base.example/")
def test_a_link_is_absolute_or_nothing(href: str, base: str) -> None:
    url = absolute_url(href, base)
    assert not url or is_link(url)


@given(st.from_regex(PLAIN_URL, fullmatch=True), st.sampled_from(("", BASE, "http://other.example/?q")))
def test_a_plain_link_stays_what_it_is(href: str, base: str) -> None:
    assert absolute_url(href, base) == href
    # a fragment keeps it from the short way
    assert absolute_url(f"{href}#", base).removesuffix("#") == href


@given(st.text(st.sampled_from("ab\x00\x08\t\n\x0b\x1f\x7f\x85\ud800\ufffe\uffff\U0001f600"), max_size=6))
def test_what_xml_forbids_is_taken_out_and_nothing_else(text: str) -> None:
    forbidden = "\x00\x08\x0b\x1f\ud800\ufffe\uffff"
    assert strip_invalid_xml(text) == "".join(char for char in text if char not in forbidden)


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("/a", "https://site.example/a"),
        ("b?c=1#d", BASE + "b?c=1#d"),
        ("//other.example/x", "https://other.example/x"),
        (" HTTPS://Other.Example/x ", "https://other.example/x"),
        ("../up", "https://site.example/2026/up"),
        ("mailto:a@b.example", ""),
        ("https://u:p@x.example/", ""),
    ],
)
def test_links_are_resolved(href: str, url: str) -> None:
    assert absolute_url(href, BASE) == url


@pytest.mark.parametrize(
    ("markup", "title"),
    [
        ("Fish &amp; chips", "Fish & chips"),
        ("1 &lt; 2 &amp;lt; 3", "1 < 2 &lt; 3"),
        ("A <b>bold</b> <i>one", "A bold one"),
        ("a < b > c", "a < b > c"),
        ("x <!-- y --> z", "x z"),
        ("\u202eabc\u202c\u2066d", "abcd"),
        ("one\ntwo\u2028three", "one two three"),
        ("سلام (abc)", "سلام (abc)"),
    ],
)
def test_a_title_is_text(markup: str, title: str) -> None:
    assert title_to_text(markup) == title
