"""Work out the URLs of a feed's older pages from its URL and content."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from newsletter.feeds.parsing.model import ParsedFeed

#: Entries of one page where we may choose.
PAGE = 25
#: The end of a WordPress feed's path, after the path of what it is a feed of.
_WORDPRESS_PATH = re.compile(r"/feed(/(rss|rss2|rdf|atom))?/?$")
#: Parameters that count pages, and one that counts entries.
_COUNTS = ("paged", "page", "start-index")


def first_page_candidates(feed_url: str, first: ParsedFeed) -> tuple[str, ...]:
    """Return URLs at which the older pages of `feed_url` may begin, the likeliest first; `first` is its present page.

    That is the page that it names (RFC 5005), else page two as the program that made it counts. Other programs count `page`
    from zero or one: page one is then the second, or the first again.
    """
    urls = [first.older] if first.older else []
    if "blogger" in first.generator.lower():
        urls.append(_with(feed_url, **{"start-index": len(first.entries) + 1, "max-results": PAGE}))
    elif _is_wordpress(feed_url, first):
        urls.append(_with(feed_url, paged=2))
        urls += _rest_api(feed_url, first)
    else:
        urls.append(_with(feed_url, page=1))
    return tuple(dict.fromkeys(urls))


def must_repeat_feed(url: str) -> bool:
    """Return True if the page at `url` must repeat the feed's newest entries; if it does not, it is another site's archive."""
    return "/wp/v2/posts" in url and dict(parse_qsl(urlsplit(url).query)).get("page") == "1"


def next_page(url: str, page: ParsedFeed) -> str:
    """Return the URL of the page after `page` at `url`; empty if it names none and its URL has no number."""
    return page.older or next_numbered_page(url)


def next_numbered_page(url: str) -> str:
    """Return the URL of the page after that at `url`, by the number in it; empty if it has none."""
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    name = next((name for name in _COUNTS if re.fullmatch(r"[0-9]{1,9}", query.get(name, ""))), "")
    if not name:
        return ""
    size = query.get("max-results", "")
    step = int(size) if name == "start-index" and re.fullmatch(r"[1-9][0-9]{0,3}", size) else 1
    return _with(url, **{name: int(query[name]) + step})


def _is_wordpress(feed_url: str, first: ParsedFeed) -> bool:
    parts = urlsplit(feed_url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return "wordpress" in first.generator.lower() or "feed" in query or bool(_WORDPRESS_PATH.search(parts.path))


def _rest_api(feed_url: str, first: ParsedFeed) -> list[str]:
    """Return a URL of WordPress's REST API, for the feed of a whole site only: one author or category would get all posts."""
    parts, site = urlsplit(feed_url), urlsplit(first.site_url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    root = _WORDPRESS_PATH.sub("", parts.path) if _WORDPRESS_PATH.search(parts.path) else parts.path.rpartition("/")[0]
    same_host = _without_www(parts.hostname) == _without_www(site.hostname)
    if not same_host or root.rstrip("/") != site.path.rstrip("/") or query.keys() - {"feed"}:
        return []
    wanted = {"per_page": PAGE, "page": 1, "_embed": "author,wp:term"}
    if "feed" in query:  # a site whose addresses are queries
        return [
            _with(urlunsplit((parts.scheme, parts.netloc, root + "/", "", "")), rest_route="/wp/v2/posts", **wanted)
        ]
    return [_with(urlunsplit((parts.scheme, parts.netloc, root + "/wp-json/wp/v2/posts", "", "")), **wanted)]


def _without_www(host: str | None) -> str:
    return (host or "").removeprefix("www.")


def _with(url: str, **wanted: object) -> str:
    """Return `url` with these query parameters set, the others as they are."""
    parts = urlsplit(url)
    # surrogateescape: the bytes of a query in another encoding than UTF-8 stay as they are
    old = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
    pairs = [(name, wanted.get(name, value)) for name, value in old]
    pairs += [(name, value) for name, value in wanted.items() if name not in dict(old)]
    query = urlencode(pairs, safe="/,:", errors="surrogateescape")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
