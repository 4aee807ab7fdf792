"""Links as browsers make them, and counting proxies unwrapped."""

from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.feeds.fetching.http_client import parse_url
from newsletter.feeds.html.redirectors import hides_target, unwrap_redirect
from newsletter.feeds.html.web_url import absolute_url
from tests.feeds.promises import is_link

BASE = "https://site.example/2026/post/?x#y"
#: Each as Chromium has it, but for what it leaves as it is: `|`, `{` and the like in a query, a port that is the usual one.
AS_BROWSERS = [
    (
        " https://harbour.example/Annual Report 2026.html?nm=2015|2016\n",
        "https://harbour.example/Annual%20Report%202026.html?nm=2015%7C2016",
    ),
    ("My File.pdf", "https://site.example/2026/post/My%20File.pdf"),
    ('https://a.example/{id}/`x`?"q"=<1>^2', "https://a.example/%7Bid%7D/%60x%60?%22q%22=%3C1%3E%5E2"),
    ("https://a.example/b\\c?d\\e", "https://a.example/b/c?d%5Ce"),
    ("https://a.example/it's?it's", "https://a.example/it's?it%27s"),
    ("https://a.example/a\tb\r\nc", "https://a.example/abc"),
    ("https://a.example/статья?q=ü#é", "https://a.example/%D1%81%D1%82%D0%B0%D1%82%D1%8C%D1%8F?q=%C3%BC#%C3%A9"),
    ("https://a.example/100%/%zz/%41", "https://a.example/100%/%zz/%41"),
    ("https://müller.example/x", "https://xn--mller-kva.example/x"),
    ("https://faß.example/", "https://xn--fa-hia.example/"),
    ("https://日本。example/", "https://xn--wgv71a.example/"),
    ("https://i❤.example/", "https://xn--i-7iq.example/"),
    ("https://a_b.example:8080/x", "https://a_b.example:8080/x"),
    ("https://EX%41MPLE.example/", "https://example.example/"),
    ("https://[2001:DB8::1]:8080/x", "https://[2001:db8::1]:8080/x"),
    ("https://a.example/a/./b/../c/%2e%2E/d", "https://a.example/a/d"),
    ("https://a.example/../..", "https://a.example/"),
    ("../up?q", "https://site.example/2026/up?q"),
    ("?q=a b", "https://site.example/2026/post/?q=a%20b"),
    ("#f", "https://site.example/2026/post/?x#f"),
    ("//other.example\\x", "https://other.example/x"),
    ("\\\\other.example\\x", "https://other.example/x"),
    ("/\\other.example/x", "https://other.example/x"),
    ("https:/one", "https://site.example/one"),
    ("http:///other.example/x", "http://other.example/x"),
    ("HTTP://A.Example/B", "http://a.example/B"),
    ("java\nscript:alert(1)", ""),
    ("\x01 javascript:alert(1)", ""),
    ("data:text/html,x", ""),
    ("https://u:p@a.example/", ""),
    ("https://a.example:99999/", ""),
    ("https://a b.example/", ""),
    ("https://[::1", ""),
    ("https://", ""),
]


@pytest.mark.parametrize(("href", "url"), AS_BROWSERS)
def test_a_link_is_escaped_as_browsers_do(href: str, url: str) -> None:
    assert absolute_url(href, BASE) == url


@given(st.text(max_size=40), st.sampled_from(("", BASE, "http://h.example", "https://[::1]:8/a")))
@example("https://a.example/%", "")
@example("x\ud800", BASE)
def test_a_resolved_link_is_ascii_and_stays_what_it_is(href: str, base: str) -> None:
    url = absolute_url(href, base)
    if url:
        assert is_link(url)
        assert url.isascii()
        assert absolute_url(url) == url
        assert absolute_url(url, base) == url


@given(st.text(st.characters(categories=("L", "N", "S", "P", "Zs"), exclude_characters="?#%./\\"), max_size=20))
def test_no_character_of_a_path_is_lost(text: str) -> None:
    assert unquote(absolute_url(f"https://a.example/x{text}y")) == f"https://a.example/x{text}y"


def test_a_typed_address_is_read_as_a_browser_would() -> None:
    assert str(parse_url("http://127.0.0.1:8000/my feed.xml")) == "http://127.0.0.1:8000/my%20feed.xml"
    assert str(parse_url("https://a.example/a|b#part")) == "https://a.example/a%7Cb"
    for bad in (
        "https://a b/",
        "javascript:1",
        "https://u:p@a.example/",
        "ftp://a.example/",
        "",
        "https://a.example/" + "x" * 2000,
    ):
        assert parse_url(bad) is None


@pytest.mark.parametrize(
    "link",
    [
        "https://www.google.com/url?rct=j&sa=t&url=https://t.example/a%3Fb%3D1&ct=ga&usg=x",
        "https://www.google.com/url?q=https%3A%2F%2Ft.example%2Fa%3Fb%3D1",
        "https://www.bing.com/news/apiclick.aspx?ref=FexRss&aid=&url=https%3a%2f%2ft.example%2fa%3fb%3d1&c=1",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Ft.example%2Fa%3Fb%3D1&h=x",
        "https://out.reddit.com/t3?url=https%3A%2F%2Ft.example%2Fa%3Fb%3D1&token=x",
        "https://t.umblr.com/redirect?z=https%3A%2F%2Ft.example%2Fa%3Fb%3D1&t=x",
        "https://www.youtube.com/redirect?event=x&q=https%3A%2F%2Ft.example%2Fa%3Fb%3D1",
        "https://vk.com/away.php?to=https%3A%2F%2Ft.example%2Fa%3Fb%3D1",
        "https://duckduckgo.com/l/?uddg=https%3A%2F%2Ft.example%2Fa%3Fb%3D1",
        "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Ft.example%2Fa%3Fb%3D1&data=x",
        "https://urldefense.proofpoint.com/v2/url?u=https-3A__t.example_a-3Fb-3D1&d=x",
        "https://urldefense.com/v3/__https://t.example/a?b=1__;!!x",
        "https://href.li/?https://t.example/a?b=1",
        "http://us.rd.yahoo.com/dailynews/rss/top/*https://t.example/a?b=1",
        "https://r.search.yahoo.com/_ylt=x/RU=https%3a%2f%2ft.example%2fa%3fb%3d1/RK=2/RS=x",
        "https://count.example/r?url=https%3A%2F%2Ft.example%2Fa%3Fb%3D1",
        "https://click.news.example/x/y?target=https%3A%2F%2Ft.example%2Fa%3Fb%3D1",
        "https://proxy.example/click/https://t.example/a?b=1",
        "https://proxy.example/go/https%3A%2F%2Ft.example%2Fa%3Fb%3D1",
        "https://a.example/out?url=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%253A%252F%252Ft.example%252Fa%253Fb%253D1",
    ],
)
def test_a_redirector_that_names_its_target_is_unwrapped(link: str) -> None:
    assert unwrap_redirect(link) == "https://t.example/a?b=1"


def test_the_register_names_its_target_without_a_scheme() -> None:
    assert unwrap_redirect("https://go.theregister.com/feed/www.t.example/2026/x/") == "https://www.t.example/2026/x/"


@pytest.mark.parametrize(
    "link",
    [
        "https://web.archive.org/web/2020/https://t.example/",
        "https://www.facebook.com/sharer.php?u=https%3A%2F%2Ft.example%2F",
        "https://translate.google.com/translate?u=https://t.example/",
        "https://site.example/search?q=https://t.example/",
        "https://site.example/login?redirect=https://t.example/",
        "https://site.example/2026/why-https-matters?ref=rss",
        "https://site.example/out?url=javascript:alert(1)",
        "https://site.example/out?url=/relative",
        "https://site.example/out?url=https://u:p@t.example/",
        "https://site.example/links/2026/",
        "https://oembed.example/embed?url=https://t.example/",
        "https://t.example/",
        "",
    ],
)
def test_other_links_stay_what_they_are(link: str) -> None:
    assert unwrap_redirect(link) == link


@given(
    st.from_regex(
        r"https?://[a-z.]{1,9}/(?:out|r|go)?[/?]?(?:url=)?(?:https?(?:://|%3A%2F%2F))?[a-z./%?=]{0,20}", fullmatch=True
    )
)
def test_unwrapping_returns_a_link_or_its_argument(link: str) -> None:
    found = unwrap_redirect(link)
    assert found == link or is_link(found)


def test_redirectors_that_hide_their_target_are_known() -> None:
    for link in (
        "http://feedproxy.google.com/~r/x/~3/y/",
        "https://feeds.feedburner.com/~r/x/~3/y/",
        "https://rss.news.example/~r/x/~3/y/",
    ):
        assert hides_target(link)
    assert not hides_target("https://site.example/~rita/x/")
