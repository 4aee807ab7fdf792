"""Whose turn it is: due feeds by host, one at a time each, the quick before the slow. Takes hosts and claims feeds."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from newsletter.feeds.fetching.fetch_and_parse import Broken, Visited
from newsletter.feeds.polling import hosts
from newsletter.feeds.polling.claims import Claim, claim
from newsletter.lib import db

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
        claimed = None
        with transaction.atomic():
            until = self.until or hosts.take(self.host, now=now)
            while until is not None and self.waiting and claimed is None:
                claimed = claim(self.waiting.popleft(), now=now)
        self.until, self.claim = until, claimed
        return claimed

    def give_back(self, now: datetime, rest: timedelta) -> None:
        """Give back the host, to be asked again after `rest`."""
        if self.until is not None:
            hosts.give_back(self.host, self.until, free_at=now + rest)

    def settled(self, *, gave_back: bool) -> None:
        """The feed at hand is settled, and perhaps the host was given back with it."""
        self.claim = None
        if gave_back:
            self.until = None

    def end(self, now: datetime, *, rest: timedelta = timedelta(0)) -> None:
        """Give back what it still has: the host, to be asked again after `rest`, and the feed at hand."""
        if self.claim is not None:
            self.claim.release()
        self.give_back(now, rest)


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
    params: list[Any]
    due, params = "state = 'active' AND next_fetch_at <= %s", [now]
    if only is not None:
        ids = list(only)
        due, params = f"{due} AND id IN ({', '.join(['%s'] * len(ids)) or 'NULL'})", [now, *ids]
    rows = db.rows(f"SELECT id, url, failures, last_ms FROM feed WHERE {due} ORDER BY next_fetch_at, id", params)
    # of a few that were asked for, taking their hosts tells soon enough
    busy = hosts.busy(now=now) if only is None else frozenset()
    found: dict[str, Turn] = {}
    for feed_id, url, failures, last_ms in rows:
        host = hosts.name_of(url)
        if host not in busy:
            turn = found.setdefault(host, Turn(host, deque()))
            turn.waiting.append(feed_id)
            turn.slow = turn.slow or failures > 0 or last_ms > SLOW
    return list(found.values())


def rest_of_host(answer: Visited) -> timedelta:
    """How long a whole host wants to be left alone: only when it said so itself, to one feed for all (429 and 503)."""
    if not isinstance(answer, Broken) or answer.elsewhere or answer.status not in (429, 503):
        return timedelta(0)
    return timedelta(seconds=answer.retry_after)
