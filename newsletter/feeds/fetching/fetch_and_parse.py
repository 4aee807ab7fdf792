"""Fetch and parse one feed. Uses the network and never the database, so many run at once."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.feeds.fetching.http_client import Fetcher, NotModified, RequestFailed
from newsletter.feeds.parsing.model import Parsed, ParsedFeed, ParseFailed

Parse = Callable[..., Parsed]


@dataclass(frozen=True)
class FetchRequest:
    """What to ask for: a feed's URL, and the validators and hash of its last answer; `fingerprints` are of its entries."""

    feed_id: int
    url: str
    etag: str = ""
    last_modified: str = ""
    body_hash: bytes | None = None
    fingerprints: bytes = b""


@dataclass(frozen=True)
class Response:
    """What every result says of the response. `size` is in bytes after decompression; the others as `Fetched` has them."""

    status: int | None
    size: int = 0
    moved_to: str = ""
    max_age: int = 0


@dataclass(frozen=True)
class Unchanged(Response):
    """Nothing new. Validators are None if the response named none."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class Updated(Response):
    """A feed that differs from the last time. `gap` says in words that entries between it and the known ones are missing."""

    etag: str = ""
    last_modified: str = ""
    body_hash: bytes = b""
    parsed: ParsedFeed = field(default_factory=lambda: ParsedFeed("", "", "", ()))
    gap: str = ""


@dataclass(frozen=True)
class FetchFailed(Response):
    """The feed could not be read, for `reason`. `retry_after` is in seconds.

    `parser_killed`: its parser had to be killed. `elsewhere`: another host than the feed's answered, behind a redirect.
    """

    reason: str = ""
    retry_after: float = 0.0
    parser_killed: bool = False
    elsewhere: bool = False


FetchResult = Unchanged | Updated | FetchFailed


def fetch_and_parse(request: FetchRequest, *, fetcher: Fetcher, parse: Parse, now: datetime) -> FetchResult:
    """Fetch one feed, and parse it unless it is as it was. `now` bounds the dates that are believed."""
    response = fetcher.get(request.url, etag=request.etag, last_modified=request.last_modified)
    if isinstance(response, RequestFailed):
        return FetchFailed(
            response.status,
            reason=response.reason,
            retry_after=response.retry_after or 0.0,
            elsewhere=response.elsewhere,
        )
    if isinstance(response, NotModified):
        return Unchanged(response.status, 0, response.moved_to, response.max_age)
    size, body_hash = len(response.body), hashlib.sha256(response.body).digest()
    if request.body_hash == body_hash:
        return Unchanged(
            response.status, size, response.moved_to, response.max_age, response.etag, response.last_modified
        )
    parsed = parse(
        response.body, url=response.url, content_type=response.content_type, now=now, fingerprints=request.fingerprints
    )
    if not isinstance(parsed, ParsedFeed):
        killed = isinstance(parsed, ParseFailed) and parsed.killed
        return FetchFailed(response.status, size, reason=parsed.reason, parser_killed=killed)
    return Updated(
        status=response.status,
        size=size,
        moved_to=response.moved_to,
        max_age=response.max_age,
        etag=response.etag,
        last_modified=response.last_modified,
        body_hash=body_hash,
        parsed=parsed,
    )


def from_exception(error: Exception) -> FetchFailed:
    """Return the result of a fetch that a mistake in our own code broke."""
    return FetchFailed(None, reason=f"we failed to read it ({type(error).__name__}): please report this")
