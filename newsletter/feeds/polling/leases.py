"""Leases of a feed, of a host and of the poll itself: each ends by itself, so a worker that dies holds nothing for long.

All are taken and released by compare-and-set on the time until which they are held.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from newsletter.feeds.fetching.fetch_and_parse import FetchRequest
from newsletter.lib import db
from newsletter.models import Feed, Fetch, Host, Pulse

FEED_LEASE, HOST_LEASE, POLL_LEASE = timedelta(minutes=5), timedelta(minutes=5), timedelta(seconds=30)
#: The row of `pulse` that holds the lease of the poll.
_POLL = "poll"


@dataclass(frozen=True)
class FeedLease:
    """A feed that only this worker reads until `until`: its next read was moved there.

    `now` is when the lease was taken, and `began` the same by a clock that never jumps.
    """

    feed: Feed
    until: datetime
    now: datetime
    began: float

    @property
    def request(self) -> FetchRequest:
        """What to ask the feed's site for."""
        feed = self.feed
        body_hash = bytes(feed.body_hash) if feed.body_hash is not None else None
        return FetchRequest(feed.id, feed.url, feed.etag, feed.last_modified, body_hash, bytes(feed.marks))

    @property
    def chance(self) -> float:
        """A number from 0 to 1 that differs by feed and read."""
        return zlib.crc32(f"{self.feed.id} {self.now.timestamp()}".encode()) / 2**32

    def finish(self, columns: dict[str, Any], **fetch: Any) -> bool:
        """Release the feed with its new columns and record the fetch; False when the lease was lost."""
        ms = int((monotonic() - self.began) * 1000)
        mine = Feed.objects.filter(id=self.feed.id, next_fetch_at=self.until)
        if not mine.update(last_ms=ms, **columns):
            return False
        Fetch.objects.create(feed_id=self.feed.id, at=self.now, ms=ms, **fetch)
        return True

    def release(self) -> None:
        """Release the feed unread, due at once."""
        Feed.objects.filter(id=self.feed.id, next_fetch_at=self.until).update(next_fetch_at=self.now)


def lease_feed(feed_id: int, *, now: datetime) -> FeedLease | None:
    """Lease a feed that is due; None when it is not, or when another worker has it."""
    until = now + FEED_LEASE
    due = "id = %s AND state = 'active' AND next_fetch_at <= %s"
    feeds = list(Feed.objects.raw(f"UPDATE feed SET next_fetch_at = %s WHERE {due} RETURNING *", [until, feed_id, now]))
    return FeedLease(feeds[0], until, now, monotonic()) if feeds else None


@dataclass(frozen=True)
class HostLease:
    """A host that only this worker asks until `until`."""

    host: str
    until: datetime

    def release(self, *, free_at: datetime) -> None:
        """Release the host; nobody asks it before `free_at`."""
        db.execute("UPDATE host SET free_at = %s WHERE name = %s AND free_at = %s", [free_at, self.host, self.until])


def lease_host(host: str, *, now: datetime) -> HostLease | None:
    """Lease a host; None while another worker has it, or while it is not to be asked."""
    until = now + HOST_LEASE
    if db.execute("UPDATE host SET free_at = %s WHERE name = %s AND free_at <= %s", [until, host, now]):
        return HostLease(host, until)
    if not Host.objects.filter(name=host).exists():
        Host.objects.bulk_create([Host(name=host, free_at=now)], ignore_conflicts=True)
        return lease_host(host, now=now)
    return None


def busy_hosts(*, now: datetime) -> frozenset[str]:
    """Return the hosts that nobody may ask now."""
    return frozenset(Host.objects.filter(free_at__gt=now).values_list("name", flat=True))


def host_of(url: str) -> str:
    """Return the host of a feed's URL, by which requests are counted: ports and `www.` make no difference."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


@dataclass
class PollLease:
    """The right to poll feeds, held until `until` unless it is renewed."""

    until: datetime

    def renew(self, now: datetime) -> bool:
        """Hold it for longer; False when another worker has it by now. Writes only when half of the time is over."""
        if now < self.until - POLL_LEASE / 2:
            return True
        until = now + POLL_LEASE
        if not Pulse.objects.filter(name=_POLL, at=self.until).update(at=until):
            return False
        self.until = until
        return True

    def release(self, now: datetime) -> None:
        """Let another worker poll at once."""
        Pulse.objects.filter(name=_POLL, at=self.until).update(at=now)


def lease_poll(now: datetime) -> PollLease | None:
    """Lease the poll; None while another worker has it."""
    Pulse.objects.get_or_create(name=_POLL, defaults={"at": now})
    until = now + POLL_LEASE
    return PollLease(until) if Pulse.objects.filter(name=_POLL, at__lte=now).update(at=until) else None
