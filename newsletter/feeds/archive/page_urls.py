"""Where a feed's older pages are: its URL and what it says in, URLs out."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from newsletter.feeds.parsing.model import ParsedFeed

#: Entries of one page where we may choose.
PAGE = 25
#: A WordPress feed's path, or query, after the path of what it is a feed of.
_WORDPRESS_PATH = re.compile(r"/feed(/(rss|rss2|rdf|atom))?/?$")
#: Parameters that count pages, and the one that counts entries.
_COUNTS = ("paged", "page", "start-index")


def beginnings(feed_url: str, first: ParsedFeed) -> tuple[str, ...]:
    """URLs at which the older pages of `feed_url` may begin, the likeliest first; `first` is what it says now.

    That is the page that it names (RFC 5005), else page two by the counting of the program that made it. Other programs count
    `page` from nought or one: page one is then the second, or the first again.
    """
    ways = [first.older] if first.older else []
    if "blogger" in first.generator.lower():
        ways.append(_with(feed_url, **{"start-index": len(first.entries) + 1, "max-results": PAGE}))
    elif _is_wordpress(feed_url, first):
        ways.append(_with(feed_url, paged=2))
        ways += _rest(feed_url, first)
    else:
        ways.append(_with(feed_url, page=1))
    return tuple(dict.fromkeys(ways))


def begins_anew(url: str) -> bool:
    """True when the page at `url` must repeat the feed's newest entries: if it does not, it is the archive of something else."""
    return "/wp/v2/posts" in url and dict(parse_qsl(urlsplit(url).query)).get("page") == "1"


def following(url: str, page: ParsedFeed) -> str:
    """The URL of the page after that at `url`, which says `page`; empty when it names none and its URL counts nothing."""
    return page.older or counted_on(url)


def counted_on(url: str) -> str:
    """The URL of the page after that at `url`, by the numbers in it; empty when there is none."""
    asked = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    name = next((one for one in _COUNTS if re.fullmatch(r"[0-9]{1,9}", asked.get(one, ""))), "")
    if not name:
        return ""
    size = asked.get("max-results", "")
    step = int(size) if name == "start-index" and re.fullmatch(r"[1-9][0-9]{0,3}", size) else 1
    return _with(url, **{name: int(asked[name]) + step})


def _is_wordpress(feed_url: str, first: ParsedFeed) -> bool:
    parts = urlsplit(feed_url)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    return "wordpress" in first.generator.lower() or "feed" in asked or bool(_WORDPRESS_PATH.search(parts.path))


def _rest(feed_url: str, first: ParsedFeed) -> list[str]:
    """WordPress's REST API, for the feed of a whole site only: that of an author or category would get everybody's posts."""
    parts, site = urlsplit(feed_url), urlsplit(first.site_url)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    root = _WORDPRESS_PATH.sub("", parts.path) if _WORDPRESS_PATH.search(parts.path) else parts.path.rpartition("/")[0]
    same_host = _bare(parts.hostname) == _bare(site.hostname)
    if not same_host or root.rstrip("/") != site.path.rstrip("/") or asked.keys() - {"feed"}:
        return []
    wanted = {"per_page": PAGE, "page": 1, "_embed": "author,wp:term"}
    if "feed" in asked:  # a site whose addresses are queries
        return [
            _with(urlunsplit((parts.scheme, parts.netloc, root + "/", "", "")), rest_route="/wp/v2/posts", **wanted)
        ]
    return [_with(urlunsplit((parts.scheme, parts.netloc, root + "/wp-json/wp/v2/posts", "", "")), **wanted)]


def _bare(host: str | None) -> str:
    return (host or "").removeprefix("www.")


def _with(url: str, **wanted: object) -> str:
    """`url` with these query parameters set, the others as they are."""
    parts = urlsplit(url)
    # the bytes of a query in another encoding than UTF-8 come through unchanged
    asked = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
    pairs = [(name, wanted.get(name, value)) for name, value in asked]
    pairs += [(name, value) for name, value in wanted.items() if name not in dict(asked)]
    query = urlencode(pairs, safe="/,:", errors="surrogateescape")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
