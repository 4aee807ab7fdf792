"""Token buckets: how many of the requested mails may be sent now, and when the rest may ask again.

A bucket holds what some seconds of its pace let through and is filled steadily, so in any time `t` no more leaves than
its size + pace × t. A token is spent on the try: it is not given back when the mail is put off or cancelled afterwards.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

#: Seconds of its pace that a bucket holds, one mail at least: of a provider, which counts strictly, and of a domain, whose
#: mails come back for it by appointment.
BURST_SECONDS: Final = 3.0
DOMAIN_BURST_SECONDS: Final = 10.0
#: Seconds after which whoever was told to wait asks again, however long the queue: a pace may have changed.
LONGEST_WAIT: Final = 3600.0
#: What is so near to a whole token is one: a clock's fractions must not cost a mail.
_NEAR: Final = 1e-6
#: A bucket that nobody asked for so long is forgotten.
_IDLE: Final = 60.0


@dataclass(frozen=True)
class Bucket:
    """A pace: `rate` in mails per second. `key` names whose it is, and never an address or domain."""

    key: str
    rate: float
    burst_seconds: float = BURST_SECONDS

    @property
    def size(self) -> float:
        """Mails that may leave at once."""
        return max(self.rate * self.burst_seconds, 1.0)


@dataclass(frozen=True)
class TokenRequest:
    """A request to send so many mails to one domain; `bucket` is None if it has no pace of its own.

    Mail that is not `urgent` leaves half of the bucket to what is, and queues by itself: no alert waits behind digests.
    """

    mails: int
    bucket: Bucket | None = None
    urgent: bool = True

    @property
    def reserve(self) -> float:
        """Tokens that must stay."""
        return 0.0 if self.urgent or self.bucket is None else min(self.bucket.size / 2, self.bucket.size - 1)

    @property
    def turn(self) -> int:
        """Mails that one visit is reckoned with: half of what it could take, so that none comes to a bucket that ran over."""
        return 0 if self.bucket is None else max(int((self.bucket.size - self.reserve) / 2), 1)


@dataclass(frozen=True)
class TokenGrant:
    """So many may go. `wait`: seconds after which the rest may ask again; 0 where not their own bucket stopped them."""

    mails: int
    wait: float = 0.0


class Buckets(Protocol):
    """Buckets by key."""

    def level(self, bucket: Bucket) -> float:
        """Tokens that are in it now; nothing is taken."""
        ...

    def take(self, overall: Bucket | None, asks: Sequence[TokenRequest]) -> list[TokenGrant]:
        """Take what each may have, from its bucket and from the one over all of them, in one step; a grant for each ask."""
        ...


@dataclass
class _Level:
    """What is kept of a bucket: tokens at a time, and when each queue (urgent, other) of those told to wait ends."""

    tokens: float
    at: float
    queues: list[float] = field(default_factory=lambda: [0.0, 0.0])


class InMemoryBuckets:
    """The buckets of one process, for all of its threads; `clock` in seconds, always going forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: dict[str, _Level] = {}

    def level(self, bucket: Bucket) -> float:
        """See `Buckets`."""
        with self._lock:
            return self._filled(bucket, self._clock()).tokens

    def take(self, overall: Bucket | None, asks: Sequence[TokenRequest]) -> list[TokenGrant]:
        """See `Buckets`."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            whole = self._filled(overall, now) if overall else None
            left = _whole(whole.tokens) if whole else sum(ask.mails for ask in asks)
            grants = []
            for ask in asks:
                grants.append(self._one(ask, left, now))
                left -= grants[-1].mails
            if whole is not None:
                whole.tokens -= sum(grant.mails for grant in grants)
            return grants

    def _one(self, ask: TokenRequest, left: int, now: float) -> TokenGrant:
        if ask.bucket is None:
            return TokenGrant(min(ask.mails, left))
        kept = self._filled(ask.bucket, now)
        allowed = min(ask.mails, _whole(kept.tokens - ask.reserve))
        granted = min(allowed, left)
        kept.tokens -= granted
        if granted < allowed or allowed == ask.mails:
            return TokenGrant(granted)
        queue = 0 if ask.urgent else 1
        first = max(kept.queues[queue], now)
        kept.queues[queue] = min(first + min(ask.mails - granted, ask.turn) / ask.bucket.rate, now + LONGEST_WAIT)
        return TokenGrant(granted, kept.queues[queue] - now)

    def _filled(self, bucket: Bucket, now: float) -> _Level:
        kept = self._levels.setdefault(bucket.key, _Level(bucket.size, now))
        kept.tokens = min(bucket.size, kept.tokens + max(now - kept.at, 0.0) * bucket.rate)
        kept.at = now
        return kept

    def _forget(self, now: float) -> None:
        """Idle buckets are full, and what is full need not be kept. Looked at when there are many."""
        if len(self._levels) > 10_000:
            busy = {
                key: level
                for key, level in self._levels.items()
                if max(level.at + LONGEST_WAIT, *level.queues) + _IDLE > now
            }
            self._levels = busy


def _whole(tokens: float) -> int:
    return max(math.floor(tokens + _NEAR), 0)


def slower_request(ask: TokenRequest, share: float) -> TokenRequest:
    """The same at a share of its pace."""
    return replace(ask, bucket=slower_bucket(ask.bucket, share)) if ask.bucket else ask


def slower_bucket(bucket: Bucket, share: float) -> Bucket:
    """The same bucket at a share of its pace."""
    return replace(bucket, rate=bucket.rate * share)
