"""Reads the feeds that are due, many at once: visits run in threads, this thread alone touches the tables.

One broken or slow feed delays no other, and no transaction is open across the network.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from time import monotonic

from django.db import InterfaceError, OperationalError

from newsletter.feeds.archive import gap_recovery
from newsletter.feeds.fetching.fetch_and_parse import Order, Parse, Read, Visited, broke, visit
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.feeds.polling.claims import Claim
from newsletter.feeds.polling.fetch_threads import Crew
from newsletter.feeds.polling.host_queue import Lanes, Turn, rest_of_host, turns
from newsletter.feeds.polling.record_result import Refreshed, settle
from newsletter.feeds.sandbox import sandboxed_parse
from newsletter.lib.progress import GoingOn, never_stop
from newsletter.models import Feed

__all__ = ["Refreshed", "due", "refresh", "refresh_due"]

log = logging.getLogger(__name__)
THREADS = 32


def due(*, now: datetime) -> tuple[int, ...]:
    """Ids of the feeds whose time has come, longest waiting first."""
    waiting = Feed.objects.filter(state=Feed.State.ACTIVE, next_fetch_at__lte=now)
    return tuple(waiting.order_by("next_fetch_at", "id").values_list("id", flat=True))


def refresh(
    feed_id: int, *, now: datetime, fetcher: Fetcher, parse: Parse = sandboxed_parse.parse_in_sandbox
) -> Refreshed:
    """Read one feed if it is due and nobody else does. A second call at the same time changes nothing.

    Raises:
        DatabaseError: the database does not answer; the feed is due again five minutes later.
    """
    for done in refresh_due(clock=lambda: now, fetcher=fetcher, parse=parse, only=[feed_id], threads=0):
        return done
    return Refreshed(feed_id, "busy" if feed_id in due(now=now) else "not due")


def refresh_due(
    *,
    clock: Callable[[], datetime],
    fetcher: Fetcher,
    parse: Parse = sandboxed_parse.parse_in_sandbox,
    only: Iterable[int] | None = None,
    seconds: float = 3600,
    threads: int = THREADS,
    going_on: GoingOn = never_stop,
) -> Iterator[Refreshed]:
    """Read the feeds that are due (of `only`, if given); says of each how it went, as it comes.

    No visit begins after `seconds`, and nothing is waited for once `going_on`, asked about each second, says no; what was not
    read stays due. Feeds of one host follow one another; hosts that another process asks are left out. With `threads` 0 this one
    visits as well, one feed after another.

    Raises:
        DatabaseError: the database does not answer; feeds at hand are due again five minutes later.
    """
    at_work = _Round(
        clock, fetcher, parse, Lanes(turns(clock(), only), max(threads, 1)), Crew[Turn](threads), monotonic() + seconds
    )
    try:
        while going_on() and at_work.begin():
            done = at_work.hear()
            if done is not None:
                yield done
    finally:
        at_work.stop()


@dataclass(frozen=True)
class _Round:
    """One poll: `lanes` say whose turn it is, the `crew` visits; no visit begins after `end`."""

    clock: Callable[[], datetime]
    fetcher: Fetcher
    parse: Parse
    lanes: Lanes
    crew: Crew[Turn]
    end: float

    def begin(self) -> bool:
        """Give work to whoever is free; False when nothing is left to wait for."""
        while monotonic() < self.end and (turn := self.lanes.next()) is not None:
            self._step(turn)
        return bool(self.lanes.running)

    def hear(self) -> Refreshed | None:
        """Wait a second for an answer and write down what it means; None when none came, or when there is more to ask."""
        came = self.crew.answer(1)
        if came is None:
            return None
        turn, answer = came
        claim = turn.claim
        assert claim is not None  # noqa: S101 - narrows the type: it was sent with one
        if isinstance(answer, Read) and not turn.bridged:
            known = gap_recovery.before(claim.feed, answer.parsed)
            if known is not None:
                turn.bridged = True
                bridge = partial(
                    gap_recovery.bridge, claim.order, answer, known, fetcher=self.fetcher, parse=self.parse
                )
                self.crew.send(turn, partial(bridge, now=claim.now))
                return None
        rest = rest_of_host(answer)
        over = bool(rest) or not turn.waiting or monotonic() >= self.end
        # the host first, as whoever takes one does: two transactions must not wait for each other
        joint = over and not isinstance(answer, Read)
        done = self._settle(claim, answer, partial(turn.give_back, self.clock(), rest) if joint else lambda: None)
        if done is None:
            turn.bridged = False
            self._visit(turn, claim, replace(claim.order, marks=b""))
            return None
        turn.settled(gave_back=joint)
        if over:
            self._end(turn, rest)
        else:
            self._step(turn)
        return done

    def _settle(self, claim: Claim, answer: Visited, first: Callable[[], None]) -> Refreshed | None:
        try:
            return settle(claim, answer, first=first)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - one feed must not stop the others; the failure is recorded and logged
            log.error("settle_broke feed=%s error=%s", claim.feed.id, type(error).__name__)
            return settle(claim, broke(error), first=first)

    def stop(self) -> None:
        """Let go of everything, whatever was not read stays due."""
        self.crew.dismiss()
        for turn in list(self.lanes.running):
            self._end(turn)

    def _step(self, turn: Turn) -> None:
        claim = turn.step(self.clock())
        if claim is None:
            self._end(turn)
        else:
            self._visit(turn, claim, claim.order)

    def _visit(self, turn: Turn, claim: Claim, order: Order) -> None:
        self.crew.send(turn, partial(visit, order, fetcher=self.fetcher, parse=self.parse, now=claim.now))

    def _end(self, turn: Turn, rest: timedelta = timedelta(0)) -> None:
        turn.end(self.clock(), rest=rest)
        self.lanes.ended(turn)
