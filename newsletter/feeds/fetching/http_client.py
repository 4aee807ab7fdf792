"""Reads a URL politely and within limits: time, size, redirects, and only public addresses."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore2
import httpx2

from newsletter.feeds.fetching.address_guard import AddressBlocked, AddressGuard
from newsletter.feeds.fetching.decompress import Body, TooLarge, Undecodable
from newsletter.feeds.html.web_url import absolute_url
from newsletter.lib.deadline import deadline

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Those that mean: ask there from now on (RFC 9110 sections 15.4.2 and 15.4.9).
PERMANENT = frozenset({301, 308})
#: Nobody is taken at their word for longer than a day, in seconds.
LONGEST = 86_400
#: Bytes of all response headers together.
HEADER_CAP = 64_000
#: Longest URL that is read or stored.
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
    """An answer with a body. `url` is where it came from in the end; validators are verbatim, for the next time.

    `moved_to` is the URL that permanent redirects led to, empty without any. `max_age` is in seconds, as the answer's
    Cache-Control says, 0 when it does not.
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
    """The validators still hold: there is nothing to read (RFC 9110 section 15.4.5)."""

    status: int = 304
    moved_to: str = ""
    max_age: int = 0


@dataclass(frozen=True)
class Failed:
    """No feed to read now. `reason` says in words what to do; `retry_after` is in seconds, as the site asks.

    `elsewhere`: another host than the one that was asked said so, behind a redirect.
    """

    reason: str
    status: int | None = None
    retry_after: float | None = None
    elsewhere: bool = False


class Fetcher:
    """Reads feeds; safe to share between threads.

    `allow` holds (host, port) pairs that the private-address guard lets through; `user_agent` should hold a contact URL.
    `seconds` is the deadline of one `get` with all its redirects; `cap` is in bytes after decompression.
    """

    def __init__(
        self,
        *,
        allow: frozenset[tuple[str, int]] = frozenset(),
        user_agent: str = "newsletter (feed poller)",
        seconds: float = 30.0,
        cap: int = 10_000_000,
        redirects: int = 5,
    ) -> None:
        self._headers = {"User-Agent": user_agent, "Accept": ACCEPT, "Accept-Encoding": "gzip, deflate"}
        self._seconds, self._cap, self._redirects = seconds, cap, redirects
        # the bare pool keeps no cookies, follows nothing by itself and asks no environment variable for a proxy
        self._pool = httpcore2.ConnectionPool(
            network_backend=AddressGuard(allow), keepalive_expiry=10, max_connections=100
        )

    def get(self, url: str, *, etag: str = "", last_modified: str = "") -> Fetched | NotModified | Failed:
        """Read `url`, unless the validators of an earlier answer still hold. Never raises for what the network does."""
        headers = dict(self._headers)
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        try:
            with deadline(self._seconds):
                return self._follow(url, headers)
        except (AddressBlocked, TooLarge, Undecodable) as error:
            return Failed(str(error))
        except (httpcore2.TimeoutException, TimeoutError):
            return Failed(f"it did not answer within {self._seconds:g} seconds: check the URL, or try again later")
        except httpcore2.ConnectError as error:
            return Failed(_unreachable(error))
        except (httpcore2.NetworkError, httpcore2.ProtocolError):
            return Failed("the answer broke off or is not HTTP: check the URL, or try again later")

    def close(self) -> None:
        """Let go of connections."""
        self._pool.close()

    def _follow(self, url: str, headers: Mapping[str, str]) -> Fetched | NotModified | Failed:
        moved_to, for_good, asked = "", True, parse_url(url)
        for _ in range(self._redirects + 1):
            parsed = parse_url(url)
            if parsed is None:
                return Failed("it leads to something that is not an http or https URL: check the URL")
            answer = self._one(parsed, headers)
            if isinstance(answer, Failed):
                return replace(answer, elsewhere=asked is not None and parsed.host != asked.host)
            if not isinstance(answer, _Redirect):
                return replace(answer, moved_to=moved_to)
            url = answer.url
            # behind a redirect for today, one for good says nothing about the URL that we asked
            for_good = for_good and answer.for_good
            moved_to = url if for_good else moved_to
        return Failed(f"it redirects more than {self._redirects} times: use the URL that it leads to")

    def _one(self, url: httpx2.URL, headers: Mapping[str, str]) -> "Fetched | NotModified | Failed | _Redirect":
        """The answer, or where it redirects to."""
        waits = {"connect": 10.0, "read": 20.0, "write": 10.0, "pool": 10.0}
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        # validators go back byte for byte, also those that are no ASCII
        asked = [(b"Host", url.netloc), *((name.encode(), value.encode("latin-1")) for name, value in headers.items())]
        with self._pool.stream("GET", target, headers=asked, extensions={"timeout": waits}) as got:
            fields = _fields(got.headers)
            if fields is None:
                return Failed("its headers are too large: this is no feed", got.status)
            if got.status in REDIRECTS and "location" in fields:
                return _Redirect(_joined(url, fields["location"]), got.status in PERMANENT)
            if got.status == 304:
                return NotModified(max_age=_max_age(fields))
            if not 200 <= got.status < 300:
                return _refusal(got.status, fields)
            body = Body(fields.get("content-encoding", ""), self._cap)
            for chunk in got.iter_stream():
                body.add(chunk)
        return Fetched(
            url=str(url),
            status=got.status,
            body=body.decoded(),
            etag=fields.get("etag", ""),
            last_modified=fields.get("last-modified", ""),
            content_type=fields.get("content-type", ""),
            max_age=_max_age(fields),
        )


@dataclass(frozen=True)
class _Redirect:
    """Ask there; `for_good`: from now on."""

    url: str
    for_good: bool


def parse_url(text: str) -> httpx2.URL | None:
    """An absolute http(s) URL without fragment and credentials, its host in ASCII; None for anything else.

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
    """Where a Location header leads; its bytes are UTF-8 in practice, whatever RFC 9110 says."""
    with suppress(UnicodeError):
        location = location.encode("latin-1").decode()
    return absolute_url(location, str(base))


def _fields(raw: list[tuple[bytes, bytes]]) -> dict[str, str] | None:
    """Headers by lower-case name; None when they are too large."""
    if sum(len(name) + len(value) for name, value in raw) > HEADER_CAP:
        return None
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


def _refusal(status: int, fields: Mapping[str, str]) -> Failed:
    usual = "the site has trouble: it is tried again later" if status >= 500 else "the site refuses: check the URL"
    return Failed(f"{REASONS.get(status, usual)} (HTTP {status})", status, _retry_after(fields))


def _retry_after(fields: Mapping[str, str]) -> float | None:
    """Seconds to wait (RFC 9110 section 10.2.3: a number of seconds, or a date)."""
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
    """Seconds for which the answer is fresh (RFC 9111 section 5.2.2.1); 0 when it does not say, or forbids keeping it."""
    said = fields.get("cache-control", "").lower()
    found = re.search(r"(?<![\w-])max-age\s*=\s*\"?(\d{1,9})", said)
    return min(int(found[1]), LONGEST) if found and "no-cache" not in said and "no-store" not in said else 0


def _unreachable(error: httpcore2.ConnectError) -> str:
    text = str(error)
    if text.startswith("no such host"):
        return f"{text}: check the URL"
    if "CERTIFICATE" in text.upper():
        return "its certificate is not valid: use http:// if you trust the way there, or ask the site's owner"
    return "nobody answers there: check the URL, or try again later"
