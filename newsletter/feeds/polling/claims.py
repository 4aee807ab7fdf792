"""A due feed is claimed by moving its next read a little ahead: only one worker reads it, and a dead one's is due again."""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from newsletter.feeds.fetching.fetch_and_parse import Order
from newsletter.models import Feed, Fetch

#: A claim that nobody settled is over after this.
CLAIMED = timedelta(minutes=5)


@dataclass(frozen=True)
class Claim:
    """A feed that only this worker reads until `until`. `began` is `now`, when it was claimed, by a clock that never jumps."""

    feed: Feed
    until: datetime
    now: datetime
    began: float

    @property
    def order(self) -> Order:
        """What to ask its site for."""
        feed = self.feed
        body_hash = bytes(feed.body_hash) if feed.body_hash is not None else None
        return Order(feed.id, feed.url, feed.etag, feed.last_modified, body_hash, bytes(feed.marks))

    @property
    def chance(self) -> float:
        """A number from 0 to 1, another one for each feed and read."""
        return zlib.crc32(f"{self.feed.id} {self.now.timestamp()}".encode()) / 2**32

    def settle(self, columns: dict[str, Any], **record: Any) -> bool:
        """Give the feed back with its new columns and record the fetch; False when the claim was lost."""
        ms = int((monotonic() - self.began) * 1000)
        mine = Feed.objects.filter(id=self.feed.id, next_fetch_at=self.until)
        if not mine.update(last_ms=ms, **columns):
            return False
        Fetch.objects.create(feed_id=self.feed.id, at=self.now, ms=ms, **record)
        return True

    def release(self) -> None:
        """Give the feed back unread, due at once."""
        Feed.objects.filter(id=self.feed.id, next_fetch_at=self.until).update(next_fetch_at=self.now)


def claim(feed_id: int, *, now: datetime) -> Claim | None:
    """Claim a feed that is due; None when it is not, or when another worker has it."""
    until = now + CLAIMED
    due = "id = %s AND state = 'active' AND next_fetch_at <= %s"
    claimed = f"UPDATE feed SET next_fetch_at = %s WHERE {due} RETURNING *"
    feeds = list(Feed.objects.raw(claimed, [until, feed_id, now]))
    return Claim(feeds[0], until, now, monotonic()) if feeds else None
