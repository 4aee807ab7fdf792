"""Fetch a URL within limits: time, size, redirects, and public addresses only."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore2
import httpx2

from newsletter.feeds.fetching.address_guard import AddressBlocked, AddressGuard
from newsletter.feeds.fetching.decompress import BoundedDecompressor, TooLarge, Undecodable
from newsletter.feeds.html.web_url import absolute_url
from newsletter.lib.deadline import deadline

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Redirects that hold from now on (RFC 9110 sections 15.4.2 and 15.4.9).
PERMANENT = frozenset({301, 308})
#: Waits that a site asks for are cut to a day, in seconds.
LONGEST = 86_400
#: Bytes of a body after decompression, and of all response headers together.
BODY_CAP, HEADER_CAP = 10_000_000, 64_000
#: Redirects that one request may follow.
MOST_REDIRECTS = 5
#: Length of a URL that is fetched or stored, at most.
URL_CAP = 2000
REASONS: Mapping[int, str] = {
    401: "it wants a password: only open feeds can be read",
    403: "the site does not let us in: ask its owner, or use another feed",
    404: "there is nothing at this address: check the URL",
    406: "the site offers no feed at this address: check the URL",
    410: "the feed is gone for good: remove it",
    429: "the site asks for fewer visits: it is tried again later",
}


@dataclass(frozen=True)
class Fetched:
    """A response with a body. `url` is the last one of all redirects; validators are verbatim, for the next request.

    `moved_to` is the URL that permanent redirects led to, empty without any. `max_age` is in seconds, from
    Cache-Control; 0 when it does not say.
    """

    url: str
    status: int
    body: bytes = field(repr=False)
    etag: str
    last_modified: str
    content_type: str
    moved_to: str = ""
    max_age: int = 0


@dataclass(frozen=True)
class NotModified:
    """The validators still match (RFC 9110 section 15.4.5)."""

    status: int = 304
    moved_to: str = ""
    max_age: int = 0


@dataclass(frozen=True)
class RequestFailed:
    """Nothing could be fetched. `reason` says what to do; `retry_after` is in seconds, as the site asks.

    `elsewhere`: another host than the one that was asked answered, behind a redirect.
    """

    reason: str
    status: int | None = None
    retry_after: float | None = None
    elsewhere: bool = False


class Fetcher:
    """Fetches URLs; safe to share between threads.

    `allow` holds (host, port) pairs that the address guard lets through; `user_agent` should hold a contact URL.
    `seconds` is the deadline of one `get` with all its redirects.
    """

    def __init__(
        self,
        *,
        allow: frozenset[tuple[str, int]] = frozenset(),
        user_agent: str = "newsletter (feed poller)",
        seconds: float = 30.0,
    ) -> None:
        self._headers = {"User-Agent": user_agent, "Accept": ACCEPT, "Accept-Encoding": "gzip, deflate"}
        self._seconds = seconds
        # the bare pool keeps no cookies, follows nothing by itself and asks no environment variable for a proxy
        self._pool = httpcore2.ConnectionPool(
            network_backend=AddressGuard(allow), keepalive_expiry=10, max_connections=100
        )

    def get(self, url: str, *, etag: str = "", last_modified: str = "") -> Fetched | NotModified | RequestFailed:
        """Fetch `url`, unless the validators of an earlier response still match. Never raises for what the network does."""
        headers = dict(self._headers)
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        try:
            with deadline(self._seconds):
                return self._follow(url, headers)
        except (AddressBlocked, TooLarge, Undecodable) as error:
            return RequestFailed(str(error))
        except (httpcore2.TimeoutException, TimeoutError):
            return RequestFailed(
                f"it did not answer within {self._seconds:g} seconds: check the URL, or try again later"
            )
        except httpcore2.ConnectError as error:
            return RequestFailed(_unreachable(error))
        except (httpcore2.NetworkError, httpcore2.ProtocolError):
            return RequestFailed("the answer broke off or is not HTTP: check the URL, or try again later")

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def _follow(self, url: str, headers: Mapping[str, str]) -> Fetched | NotModified | RequestFailed:
        moved_to, permanent, asked = "", True, parse_url(url)
        for _ in range(MOST_REDIRECTS + 1):
            parsed = parse_url(url)
            if parsed is None:
                return RequestFailed("it leads to something that is not an http or https URL: check the URL")
            response = self._request(parsed, headers)
            if isinstance(response, RequestFailed):
                return replace(response, elsewhere=asked is not None and parsed.host != asked.host)
            if not isinstance(response, _Redirect):
                return replace(response, moved_to=moved_to)
            url = response.url
            # behind a temporary redirect, a permanent one says nothing about the URL that was asked
            permanent = permanent and response.permanent
            moved_to = url if permanent else moved_to
        return RequestFailed(f"it redirects more than {MOST_REDIRECTS} times: use the URL that it leads to")

    def _request(
        self, url: httpx2.URL, headers: Mapping[str, str]
    ) -> "Fetched | NotModified | RequestFailed | _Redirect":
        """Return the response, or where it redirects to."""
        waits = {"connect": 10.0, "read": 20.0, "write": 10.0, "pool": 10.0}
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        # validators are sent back byte for byte, ASCII or not
        sent = [(b"Host", url.netloc), *((name.encode(), value.encode("latin-1")) for name, value in headers.items())]
        with self._pool.stream("GET", target, headers=sent, extensions={"timeout": waits}) as response:
            fields = _headers(response.headers)
            if fields is None:
                return RequestFailed("its headers are too large: this is no feed", response.status)
            if response.status in REDIRECTS and "location" in fields:
                return _Redirect(_joined(url, fields["location"]), response.status in PERMANENT)
            if response.status == 304:
                return NotModified(max_age=_max_age(fields))
            if not 200 <= response.status < 300:
                return _refusal(response.status, fields)
            body = BoundedDecompressor(fields.get("content-encoding", ""), BODY_CAP)
            for chunk in response.iter_stream():
                body.add(chunk)
        return Fetched(
            url=str(url),
            status=response.status,
            body=body.decoded(),
            etag=fields.get("etag", ""),
            last_modified=fields.get("last-modified", ""),
            content_type=fields.get("content-type", ""),
            max_age=_max_age(fields),
        )


@dataclass(frozen=True)
class _Redirect:
    """Ask at `url` instead; `permanent`: from now on."""

    url: str
    permanent: bool


def parse_url(text: str) -> httpx2.URL | None:
    """Return an absolute http(s) URL without its fragment, its host in ASCII; None for anything else, or with credentials.

    What no URL may hold, such as a space, is encoded as browsers do (see `web_url.absolute_url`).
    """
    plain = absolute_url(text) if len(text) <= URL_CAP else ""
    if not plain or len(plain) > URL_CAP:
        return None
    try:
        url = httpx2.URL(plain)
    except (httpx2.InvalidURL, UnicodeError, ValueError):
        return None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        return None
    return url.copy_with(fragment=None)


def _joined(base: httpx2.URL, location: str) -> str:
    """Return the URL of a Location header; its bytes are UTF-8 in practice, whatever RFC 9110 says."""
    with suppress(UnicodeError):
        location = location.encode("latin-1").decode()
    return absolute_url(location, str(base))


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str] | None:
    """Return headers by lower-case name; None when they are too large."""
    if sum(len(name) + len(value) for name, value in raw) > HEADER_CAP:
        return None
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


def _refusal(status: int, fields: Mapping[str, str]) -> RequestFailed:
    usual = "the site has trouble: it is tried again later" if status >= 500 else "the site refuses: check the URL"
    return RequestFailed(f"{REASONS.get(status, usual)} (HTTP {status})", status, _retry_after(fields))


def _retry_after(fields: Mapping[str, str]) -> float | None:
    """Return the seconds to wait (RFC 9110 section 10.2.3: a number of seconds, or a date)."""
    value = fields.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST)
    try:
        moment = parsedate_to_datetime(value)
        asked = parsedate_to_datetime(fields["date"]) if "date" in fields else datetime.now(UTC)
        return min(max(0.0, (moment - asked).total_seconds()), LONGEST)
    except (ValueError, TypeError):
        return None


def _max_age(fields: Mapping[str, str]) -> int:
    """Return the seconds for which a response is fresh (RFC 9111 section 5.2.2.1); 0 when it does not say, or forbids caching."""
    cache_control = fields.get("cache-control", "").lower()
    max_age = re.search(r"(?<![\w-])max-age\s*=\s*\"?(\d{1,9})", cache_control)
    if max_age is None or "no-cache" in cache_control or "no-store" in cache_control:
        return 0
    return min(int(max_age[1]), LONGEST)


def _unreachable(error: httpcore2.ConnectError) -> str:
    text = str(error)
    if text.startswith("no such host"):
        return f"{text}: check the URL"
    if "CERTIFICATE" in text.upper():
        return "its certificate is not valid: use http:// if you trust the network, or ask the owner of the site"
    return "no server answers there: check the URL, or try again later"
