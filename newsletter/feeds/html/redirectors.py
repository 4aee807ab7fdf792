"""Unwrap links through redirectors that count clicks, where the target stands in the link."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

from newsletter.feeds.html.web_url import absolute_url

#: Proxies in proxies that are unwrapped.
DEPTH = 4
#: Parameters that hold a target, the likeliest first.
_PARAMETERS = (
    *("url", "u", "q", "to", "target", "dest", "destination", "redirect", "redirect_url", "redirect_uri", "redir"),
    *("murl", "ued", "uddg", "goto", "link", "href", "out", "z", "ru", "r", "p"),
)
_WORDS = (
    r"(?:redirect(?:or|ion)?|redir|rd|click(?:s|ed|thru|through)?|clk|track(?:er|ing)?|trk|count(?:er)?|out(?:bound|going)?"
    r"|go|goto|away|exit|leave|jump|visit|apiclick|linkfilter|link|links|l|r|c|t|url|feedproxy|feed|rss)"
)
#: A path that only leads on: its last part, or a script, is one of those words.
_LEADING_PATH = re.compile(rf"(?:/[\w.~-]*){{0,4}}/{_WORDS}(?:\.\w{{2,5}})?/?", re.IGNORECASE)
_LEADING_HOST = re.compile(rf"{_WORDS}\d?\.[^.]+\..+", re.IGNORECASE)
#: Hosts whose links with a target in a parameter lead there, whatever their path.
_KNOWN_HOSTS = re.compile(
    r"(?:.+\.)?(?:us\.rd\.yahoo\.com|safelinks\.protection\.outlook\.com|redirectingat\.com|skimresources\.com|viglink\.com|linksynergy\.com"
    r"|awin1\.com|exit\.sc|href\.li|slack-redir\.net|feedproxy\.google\.com)"
)
_URL_BEGINS = re.compile(r"https?(?::/{1,2}|%3A%2F%2F)", re.IGNORECASE)
#: An absolute URL as the rest of a path: `/*https://…`, `/https://…`, `/https%3A%2F%2F…`.
_IN_PATH = re.compile(r"/[*_]{0,2}(https?(?::/{1,2}|%3A%2F%2F).+)", re.IGNORECASE | re.DOTALL)
#: Those who keep or show the pages of others, or pass them on: their own link is the one that is meant.
_NOT_LEADING = re.compile(
    r"(?:.+\.)?(?:archive\.\w+|webcitation\.org|translate\.\w+(?:\.\w+)?|.+\.translate\.goog|validator\.w3\.org|12ft\.io"
    r"|webcache\.googleusercontent\.com)"
)
_REGISTER = re.compile(r"https?://go\.theregister\.(?:com|co\.uk)/feed/([^/]+\..+)", re.IGNORECASE)
_YAHOO = re.compile(r"/RU=([^/]+)(?:/|$)")
_PROOFPOINT_3 = re.compile(r"/v3/__(https?:/{1,2}.+?)__;", re.IGNORECASE)
_SHARING = re.compile(
    r"share|intent|login|signin|auth|comment|translate|validat|embed|proxy|image|img|thumb", re.IGNORECASE
)
#: Links whose target stands elsewhere in the feed, if anywhere.
_BLIND = re.compile(
    r"https?://(?:feedproxy\.google\.com/~|(?:[\w-]+\.)*feedburner\.com/~|[^/]+/~r/|[^/]+/~/|(?:[\w-]+\.)*feedsportal\.com/"
    r"|(?:[\w-]+\.)*pheedo\.com/|tracking\.feedpress\.(?:it|com)/link/|(?:[\w-]+\.)*feedblitz\.com/)",
    re.IGNORECASE,
)


def hides_target(url: str) -> bool:
    """True for a redirector's link that does not contain its target."""
    return _BLIND.match(url) is not None


def unwrap_redirect(url: str) -> str:
    """The target of a redirector's link that contains it, else `url` itself."""
    for _ in range(DEPTH):
        target = next(filter(None, (absolute_url(candidate) for candidate in _targets(url))), "")
        if not target:
            break
        url = target
    return url


def _targets(url: str) -> Iterator[str]:
    """What may be the target of `url`, absolute, the likeliest first."""
    if "?" not in url and url.count("/") < 4:  # most links: nothing can be in them
        return
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _NOT_LEADING.fullmatch(host):
        return
    if register := _REGISTER.match(url):
        yield f"https://{register[1]}"
    if host.startswith("r.search.yahoo.") and (yahoo := _YAHOO.search(parts.path)):
        yield unquote(yahoo[1])
    if host.endswith("urldefense.com") and (defended := _PROOFPOINT_3.search(url)):
        yield defended[1]
    inside = _IN_PATH.search(parts.path)
    before = parts.path[: inside.start()] if inside else parts.path
    if not _is_redirector(host, before):
        return
    if _URL_BEGINS.match(parts.query):
        yield unquote(parts.query) if "%3a%2f" in parts.query.lower()[:16] else parts.query
    yield from _in_query(parts.query, host)
    if inside:
        path = inside[1]
        yield unquote(path) if "%3a" in path.lower()[:10] else path + (f"?{parts.query}" if parts.query else "")


def _is_redirector(host: str, path: str) -> bool:
    """True when a link to `path` at `host` leads elsewhere, by their names."""
    if _SHARING.search(path):
        return False
    named = _KNOWN_HOSTS.fullmatch(host) or _LEADING_HOST.fullmatch(host) or _LEADING_PATH.fullmatch(path)
    return bool(named)


def _in_query(query: str, host: str) -> Iterator[str]:
    values = {name.lower(): value for name, value in reversed(parse_qsl(query, errors="surrogateescape"))}
    if host.endswith("urldefense.proofpoint.com") and "u" in values:
        yield unquote(values["u"].replace("-", "%").replace("_", "/"))
        return
    for name in _PARAMETERS:
        if re.match(r"https?://", values.get(name, ""), re.IGNORECASE):
            yield values[name]
