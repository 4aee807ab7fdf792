"""One visit to a feed: asked, answered, parsed. Touches the network and never the database, so many go on at once."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.feeds.fetching.http_client import Failed, Fetcher, NotModified
from newsletter.feeds.parsing.model import Parsed, ParsedFeed, ParseFailed

Parse = Callable[..., Parsed]


@dataclass(frozen=True)
class Order:
    """What to ask for: a feed's URL, and what its last answer was; `marks` are of its entries (see `parse.parse`)."""

    feed_id: int
    url: str
    etag: str = ""
    last_modified: str = ""
    body_hash: bytes | None = None
    marks: bytes = b""


@dataclass(frozen=True)
class Answer:
    """How a visit ended. `moved_to` and `max_age` as `fetch.Fetched` has them; `size` is in bytes after decompression."""

    status: int | None
    size: int = 0
    moved_to: str = ""
    max_age: int = 0


@dataclass(frozen=True)
class Unchanged(Answer):
    """Nothing new; validators only if the answer named them."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class Read(Answer):
    """A feed that says something else than the last time. `gap`: entries are missing between it and what is known."""

    etag: str = ""
    last_modified: str = ""
    body_hash: bytes = b""
    parsed: ParsedFeed = field(default_factory=lambda: ParsedFeed("", "", "", ()))
    gap: str = ""


@dataclass(frozen=True)
class Broken(Answer):
    """It could not be read: `reason` in words. `retry_after` is in seconds; `killed`: its parser had to be.

    `elsewhere`: another host than the feed's said so.
    """

    reason: str = ""
    retry_after: float = 0.0
    killed: bool = False
    elsewhere: bool = False


def visit(order: Order, *, fetcher: Fetcher, parse: Parse, now: datetime) -> "Visited":
    """Fetch and parse one feed."""
    got = fetcher.get(order.url, etag=order.etag, last_modified=order.last_modified)
    if isinstance(got, Failed):
        return Broken(got.status, reason=got.reason, retry_after=got.retry_after or 0.0, elsewhere=got.elsewhere)
    if isinstance(got, NotModified):
        return Unchanged(got.status, 0, got.moved_to, got.max_age)
    size, body_hash = len(got.body), hashlib.sha256(got.body).digest()
    if order.body_hash == body_hash:
        return Unchanged(got.status, size, got.moved_to, got.max_age, got.etag, got.last_modified)
    parsed = parse(got.body, url=got.url, content_type=got.content_type, now=now, fingerprints=order.marks)
    if not isinstance(parsed, ParsedFeed):
        return Broken(got.status, size, reason=parsed.reason, killed=isinstance(parsed, ParseFailed) and parsed.killed)
    return Read(got.status, size, got.moved_to, got.max_age, got.etag, got.last_modified, body_hash, parsed)


Visited = Unchanged | Read | Broken


def broke(error: Exception) -> Broken:
    """How a visit ends that a mistake of our own broke."""
    return Broken(None, reason=f"reading it broke our own code ({type(error).__name__}): please report this")
