"""Whose turn it is: due feeds by host, one at a time each, the quick before the slow. Takes hosts and claims feeds."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.feeds import hosts
from newsletter.feeds.claims import Claim, claim
from newsletter.feeds.visit import Broken, Visited
from newsletter.models import Feed

#: A feed whose last read took longer, in milliseconds, counts as slow.
SLOW = 5_000


@dataclass
class Turn:
    """A host with its due feeds, which follow one another."""

    host: str
    waiting: deque[int]
    slow: bool = False
    until: datetime | None = None
    claim: Claim | None = None
    #: The gap of the feed at hand has been looked into.
    bridged: bool = False

    def step(self, now: datetime) -> Claim | None:
        """The claim of its next feed; None when there is none left, or when another process has the host."""
        self.claim, self.bridged = None, False
        if self.until is None:
            self.until = hosts.take(self.host, now=now)
        while self.until is not None and self.waiting and self.claim is None:
            self.claim = claim(self.waiting.popleft(), now=now)
        return self.claim

    def end(self, now: datetime, *, rest: timedelta = timedelta(0)) -> None:
        """Give back the host, to be asked again after `rest`, and the feed at hand, if it was not settled."""
        if self.claim is not None:
            self.claim.release()
        if self.until is not None:
            hosts.give_back(self.host, self.until, free_at=now + rest)


class Lanes:
    """Turns that wait and run: at most `most` at once, at most half of them slow ones."""

    def __init__(self, turns: Iterable[Turn], most: int) -> None:
        self._most = most
        self._quick, self._slow = deque[Turn](), deque[Turn]()
        self.running = list[Turn]()
        for turn in turns:
            (self._slow if turn.slow else self._quick).append(turn)

    def next(self) -> Turn | None:
        """A turn that may run now; it counts as running until it has `ended`."""
        if len(self.running) >= self._most:
            return None
        slow = sum(turn.slow for turn in self.running)
        lane = self._quick or (self._slow if slow < max(1, self._most // 2) else None)
        if not lane:
            return None
        turn = lane.popleft()
        self.running.append(turn)
        return turn

    def ended(self, turn: Turn) -> None:
        """Make room for another."""
        self.running.remove(turn)


def turns(now: datetime, only: Iterable[int] | None) -> list[Turn]:
    """A turn per host that has due feeds (of `only`, if given) and may be asked, longest waiting first."""
    due = Feed.objects.filter(state=Feed.State.ACTIVE, next_fetch_at__lte=now).order_by("next_fetch_at", "id")
    if only is not None:
        due = due.filter(id__in=list(only))
    busy = hosts.busy(now=now)
    found: dict[str, Turn] = {}
    for feed_id, url, failures, last_ms in due.values_list("id", "url", "failures", "last_ms"):
        host = hosts.name_of(url)
        if host not in busy:
            turn = found.setdefault(host, Turn(host, deque()))
            turn.waiting.append(feed_id)
            turn.slow = turn.slow or failures > 0 or last_ms > SLOW
    return list(found.values())


def rest_of_host(answer: Visited) -> timedelta:
    """How long a whole host wants to be left alone: only when it said so, to one feed for all (429 and 503)."""
    asked = answer.retry_after if isinstance(answer, Broken) and answer.status in (429, 503) else 0.0
    return timedelta(seconds=asked)
