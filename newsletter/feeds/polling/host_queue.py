"""Decide which feed is next: due feeds by host, one at a time each, quick hosts before slow ones."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from newsletter.feeds.fetching.fetch_and_parse import FetchFailed, FetchResult
from newsletter.feeds.polling.leases import FeedLease, HostLease, busy_hosts, host_of, lease_feed, lease_host
from newsletter.lib import db

#: A feed whose last read took longer, in milliseconds, counts as slow.
SLOW = 5_000


@dataclass
class HostQueue:
    """The due feeds of a host, which are read one after the other, and what is leased of them."""

    host: str
    waiting: deque[int]
    slow: bool = False
    host_lease: HostLease | None = None
    feed_lease: FeedLease | None = None
    #: Whether the feed that is leased was looked at for missing entries.
    gap_checked: bool = False

    def next_feed(self, now: datetime) -> FeedLease | None:
        """Lease the next feed; None when there is none left, or when another process has the host."""
        feed_lease = None
        with transaction.atomic():
            host_lease = self.host_lease or lease_host(self.host, now=now)
            while host_lease is not None and self.waiting and feed_lease is None:
                feed_lease = lease_feed(self.waiting.popleft(), now=now)
        self.host_lease, self.feed_lease, self.gap_checked = host_lease, feed_lease, False
        return feed_lease

    def release_host(self, now: datetime, rest: timedelta) -> None:
        """Release the host, not to be asked again before `rest` is over. It counts as released once this is committed."""
        if self.host_lease is not None:
            self.host_lease.release(free_at=now + rest)

    def feed_recorded(self, *, host_released: bool) -> None:
        """Note that the leased feed was recorded and released, and perhaps the host with it."""
        self.feed_lease = None
        if host_released:
            self.host_lease = None

    def end(self, now: datetime, *, rest: timedelta = timedelta(0)) -> None:
        """Release what is still leased: the feed, unread, and the host."""
        if self.feed_lease is not None:
            self.feed_lease.release()
        self.release_host(now, rest)


class HostScheduler:
    """Host queues, waiting and running: at most `most` run at once, at most half of them slow ones."""

    def __init__(self, queues: Iterable[HostQueue], most: int) -> None:
        self._most = most
        self._quick, self._slow = deque[HostQueue](), deque[HostQueue]()
        self.running = list[HostQueue]()
        for queue in queues:
            (self._slow if queue.slow else self._quick).append(queue)

    def next(self) -> HostQueue | None:
        """Return a queue that may run now, and count it as running until it has `ended`; None if there is none."""
        if len(self.running) >= self._most:
            return None
        slow = sum(queue.slow for queue in self.running)
        waiting = self._quick or (self._slow if slow < max(1, self._most // 2) else None)
        if not waiting:
            return None
        queue = waiting.popleft()
        self.running.append(queue)
        return queue

    def ended(self, queue: HostQueue) -> None:
        """Make room for another."""
        self.running.remove(queue)


def queues_by_host(now: datetime, only: Iterable[int] | None) -> list[HostQueue]:
    """Return a queue per host that has due feeds (of `only`, if given) and may be asked, longest waiting first."""
    params: list[Any]
    due, params = "state = 'active' AND next_fetch_at <= %s", [now]
    if only is not None:
        ids = list(only)
        due, params = f"{due} AND id IN ({', '.join(['%s'] * len(ids)) or 'NULL'})", [now, *ids]
    rows = db.rows(f"SELECT id, url, failures, last_ms FROM feed WHERE {due} ORDER BY next_fetch_at, id", params)
    # with a few feeds, the lease of each host shows soon enough whether it is busy
    busy = busy_hosts(now=now) if only is None else frozenset()
    queues: dict[str, HostQueue] = {}
    for feed_id, url, failures, last_ms in rows:
        host = host_of(url)
        if host not in busy:
            queue = queues.setdefault(host, HostQueue(host, deque()))
            queue.waiting.append(feed_id)
            queue.slow = queue.slow or failures > 0 or last_ms > SLOW
    return list(queues.values())


def rest_of_host(result: FetchResult) -> timedelta:
    """Return how long no feed of a host may be asked: only if the host itself answered 429 or 503, with a Retry-After."""
    if not isinstance(result, FetchFailed) or result.elsewhere or result.status not in (429, 503):
        return timedelta(0)
    return timedelta(seconds=result.retry_after)
