"""Poll the feeds that are due, many at once: threads fetch and parse, and only this thread uses the database.

One broken or slow feed delays no other, and no transaction is open across the network.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from time import monotonic

import structlog
from django.db import InterfaceError, OperationalError, transaction

from newsletter.feeds.archive import gap_recovery
from newsletter.feeds.fetching.fetch_and_parse import (
    FetchRequest,
    FetchResult,
    Parse,
    Updated,
    fetch_and_parse,
    from_exception,
)
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.feeds.polling.fetch_threads import FetchThreads
from newsletter.feeds.polling.host_queue import HostQueue, HostScheduler, queues_by_host, rest_of_host
from newsletter.feeds.polling.leases import FeedLease
from newsletter.feeds.polling.record_result import PollResult, record_result
from newsletter.feeds.sandbox import sandboxed_parse
from newsletter.lib.progress import ShouldContinue, never_stop
from newsletter.models import Feed

log = structlog.get_logger()
THREADS = 32


def due_feeds(*, now: datetime) -> tuple[int, ...]:
    """Return the ids of the feeds that are due, longest waiting first."""
    waiting = Feed.objects.filter(state=Feed.State.ACTIVE, next_fetch_at__lte=now)
    return tuple(waiting.order_by("next_fetch_at", "id").values_list("id", flat=True))


def poll_due(
    *,
    clock: Callable[[], datetime],
    fetcher: Fetcher,
    parse: Parse = sandboxed_parse.parse_in_sandbox,
    only: Iterable[int] | None = None,
    seconds: float = 3600,
    should_continue: ShouldContinue = never_stop,
) -> Iterator[PollResult]:
    """Poll the feeds that are due (of `only`, if given), and yield each result as it comes.

    No fetch begins after `seconds`, and none is waited for once `should_continue`, called about each second, returns False; what
    was not read stays due. Feeds of one host are read one after the other; hosts that another process polls are left out.

    Raises:
        DatabaseError: the database does not answer; leased feeds are due again when their lease is over.
    """
    scheduler = HostScheduler(queues_by_host(clock(), only), THREADS)
    poll = _Poll(clock, fetcher, parse, scheduler, FetchThreads[HostQueue](THREADS), monotonic() + seconds)
    try:
        while should_continue() and poll.start_fetches():
            step = poll.handle_next_result()
            if isinstance(step, PollResult):
                yield step
    finally:
        poll.stop()


class Pending(Enum):
    """Why a step of a poll brought no result of a feed."""

    NO_ANSWER = "no fetch ended within a second"
    FETCHING_MORE = (
        "the feed is not read to its end: its older pages are fetched, or it is once more, to be parsed whole"
    )


@dataclass(frozen=True)
class _Poll:
    """One poll of many feeds. No fetch begins after `end`."""

    clock: Callable[[], datetime]
    fetcher: Fetcher
    parse: Parse
    scheduler: HostScheduler
    threads: FetchThreads[HostQueue]
    end: float

    def start_fetches(self) -> bool:
        """Start as many fetches as may run; False when nothing is left to wait for."""
        while monotonic() < self.end and (queue := self.scheduler.next()) is not None:
            self._fetch_next(queue)
        return bool(self.scheduler.running)

    def handle_next_result(self) -> PollResult | Pending:
        """Wait a second for a fetch to end, record its result, and start the next fetch of its host."""
        finished = self.threads.next_result(1)
        if finished is None:
            return Pending.NO_ANSWER
        queue, result = finished
        lease = queue.feed_lease
        assert lease is not None  # noqa: S101 - narrows the type: what is fetched is leased
        if isinstance(result, Updated) and self._fetch_missing(queue, lease, result):
            return Pending.FETCHING_MORE
        rest = rest_of_host(result)
        last = bool(rest) or not queue.waiting or monotonic() >= self.end
        release_host = last and not isinstance(result, Updated)
        polled = self._record(queue, lease, result, rest if release_host else None)
        if polled is None:
            queue.gap_checked = False
            self._fetch(queue, lease, replace(lease.request, fingerprints=b""))
            return Pending.FETCHING_MORE
        queue.feed_recorded(host_released=release_host)
        if last:
            self._end(queue, rest)
        else:
            self._fetch_next(queue)
        return polled

    def stop(self) -> None:
        """Release everything; what was not read stays due."""
        self.threads.stop()
        for queue in list(self.scheduler.running):
            self._end(queue)

    def _fetch_missing(self, queue: HostQueue, lease: FeedLease, result: Updated) -> bool:
        """Fetch the feed's older pages if entries are missing between `result` and the known ones; False if there is no gap."""
        known = None if queue.gap_checked else gap_recovery.find_gap(lease.feed, result.parsed)
        if known is None:
            return False
        queue.gap_checked = True
        fetch = partial(gap_recovery.fetch_missing, lease.request, result, known)
        self.threads.submit(queue, partial(fetch, fetcher=self.fetcher, parse=self.parse, now=lease.now))
        return True

    def _record(
        self, queue: HostQueue, lease: FeedLease, result: FetchResult, rest: timedelta | None
    ) -> PollResult | None:
        """Record a result, and release the host in the same transaction unless `rest` is None. Returns as `record_result`."""
        try:
            return self._write(queue, lease, result, rest)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - one feed must not stop the others; the failure is recorded and logged
            log.error("record_broke", feed_id=lease.feed.id, error=type(error).__name__)
            return self._write(queue, lease, from_exception(error), rest)

    def _write(
        self, queue: HostQueue, lease: FeedLease, result: FetchResult, rest: timedelta | None
    ) -> PollResult | None:
        if rest is None:
            return record_result(lease, result)
        with transaction.atomic():
            # the host first, as in `next_feed`: two transactions must not wait for each other
            queue.release_host(self.clock(), rest)
            return record_result(lease, result)

    def _fetch_next(self, queue: HostQueue) -> None:
        lease = queue.next_feed(self.clock())
        if lease is None:
            self._end(queue)
        else:
            self._fetch(queue, lease, lease.request)

    def _fetch(self, queue: HostQueue, lease: FeedLease, request: FetchRequest) -> None:
        fetch = partial(fetch_and_parse, request, fetcher=self.fetcher, parse=self.parse, now=lease.now)
        self.threads.submit(queue, fetch)

    def _end(self, queue: HostQueue, rest: timedelta = timedelta(0)) -> None:
        queue.end(self.clock(), rest=rest)
        self.scheduler.ended(queue)
