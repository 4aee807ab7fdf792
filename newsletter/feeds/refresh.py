"""Reads one feed when it is due: claim, fetch, parse, cut, keep. Never holds a transaction across the network."""

import hashlib
import logging
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db import DatabaseError, transaction

from newsletter.feeds import child, entries
from newsletter.feeds.fetch import Failed, Fetched, Fetcher, NotModified
from newsletter.feeds.keep import Kept, keep
from newsletter.feeds.parsed import Parsed, ParsedFeed
from newsletter.models import Feed, Fetch

log = logging.getLogger(__name__)
Parse = Callable[..., Parsed]
#: Between two polls, and at most after failures in a row. A claim that nobody settled is free again after `CLAIM`.
INTERVAL, LONGEST, CLAIM = timedelta(minutes=15), timedelta(hours=24), timedelta(minutes=5)


@dataclass(frozen=True)
class Refreshed:
    """What one poll did.

    `status` is read, unchanged, failed, "not due" (nothing was done) or overtaken (nothing was kept: the feed was removed, or
    marked to be read again, meanwhile). `new` and `changed` count items; `unmatched`: some of them are to be matched.
    """

    feed_id: int
    status: str
    new: int = 0
    changed: int = 0
    unmatched: bool = False
    error: str = ""


@dataclass(frozen=True)
class _Claim:
    """A feed that only this worker reads until `until`."""

    feed: Feed
    until: datetime
    now: datetime
    began: float

    def settle(self, columns: dict[str, Any], **record: Any) -> bool:
        """Give the feed back with its new columns and record the fetch; False when the claim was lost."""
        mine = Feed.objects.filter(id=self.feed.id, next_fetch_at=self.until)
        if not mine.update(**columns):
            return False
        ms = int((monotonic() - self.began) * 1000)
        Fetch.objects.create(feed_id=self.feed.id, at=self.now, ms=ms, **record)
        return True


def due(*, now: datetime, limit: int = 1000) -> tuple[int, ...]:
    """Ids of the feeds whose time has come, longest waiting first."""
    waiting = Feed.objects.filter(state=Feed.State.ACTIVE, next_fetch_at__lte=now).order_by("next_fetch_at", "id")
    return tuple(waiting.values_list("id", flat=True)[:limit])


def refresh(feed_id: int, *, now: datetime, fetcher: Fetcher, parse: Parse = child.parse) -> Refreshed:
    """Read one feed if it is due and nobody else does. A second call at the same time changes nothing.

    Raises:
        DatabaseError: the database does not answer; the feed is due again five minutes later.
    """
    claim = _claim(feed_id, now)
    if claim is None:
        return Refreshed(feed_id, "not due")
    try:
        return _read(claim, fetcher, parse)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - one feed must not stop the others; the failure is recorded and logged
        log.error("refresh_broke feed=%s error=%s", feed_id, type(error).__name__)
        return _failed(claim, Failed(f"reading it broke our own code ({type(error).__name__}): please report this"), 0)


def _claim(feed_id: int, now: datetime) -> _Claim | None:
    waiting = Feed.objects.filter(id=feed_id, state=Feed.State.ACTIVE, next_fetch_at__lte=now)
    feed = waiting.first()
    if feed is None or not waiting.filter(next_fetch_at=feed.next_fetch_at).update(next_fetch_at=now + CLAIM):
        return None
    return _Claim(feed, now + CLAIM, now, monotonic())


def _read(claim: _Claim, fetcher: Fetcher, parse: Parse) -> Refreshed:
    feed = claim.feed
    got = fetcher.get(feed.url, etag=feed.etag, last_modified=feed.last_modified)
    if isinstance(got, Failed):
        return _failed(claim, got, 0)
    if isinstance(got, NotModified):
        return _unchanged(claim, got.status, 0, {})
    body_hash = hashlib.sha256(got.body).digest()
    validators = {"etag": got.etag, "last_modified": got.last_modified}
    if feed.body_hash is not None and bytes(feed.body_hash) == body_hash:
        return _unchanged(claim, got.status, len(got.body), validators)
    parsed = parse(got.body, url=got.url, content_type=got.content_type, now=claim.now)
    if not isinstance(parsed, ParsedFeed):
        return _failed(claim, Failed(parsed.reason, got.status), len(got.body))
    return _kept(claim, got, parsed, {**validators, "body_hash": body_hash})


def _kept(claim: _Claim, got: Fetched, parsed: ParsedFeed, columns: dict[str, Any]) -> Refreshed:
    feed = claim.feed
    poll = entries.read(feed, parsed)
    columns |= _success(claim)
    if not feed.title_given:
        columns["title"] = parsed.title
    with transaction.atomic():
        mine = Feed.objects.select_for_update().filter(id=feed.id, next_fetch_at=claim.until)
        if not mine.exists():
            return Refreshed(feed.id, "overtaken")
        kept = keep(feed, poll, parsed.language, claim.now)
        error = _bad_entries(poll, kept)
        claim.settle(columns, status=got.status, bytes=len(got.body), new=kept.new, changed=kept.changed, error=error)
    return Refreshed(feed.id, "read", kept.new, kept.changed, kept.new + kept.changed > 0, error)


def _bad_entries(poll: entries.Poll, kept: Kept) -> str:
    bad = poll.bad + kept.refused
    return f"{bad} of its entries could not be read: please report this" if bad else ""


def _unchanged(claim: _Claim, status: int, size: int, columns: dict[str, Any]) -> Refreshed:
    with transaction.atomic():
        settled = claim.settle(columns | _success(claim), status=status, bytes=size)
    return Refreshed(claim.feed.id, "unchanged" if settled else "overtaken")


def _failed(claim: _Claim, why: Failed, size: int) -> Refreshed:
    failures = min(claim.feed.failures + 1, 1000)
    wait = min(LONGEST, INTERVAL * 2 ** min(failures - 1, 10))
    asked = timedelta(seconds=min(why.retry_after or 0.0, LONGEST.total_seconds()))
    columns = {"failures": failures, "next_fetch_at": claim.now + max(_jittered(wait, claim), asked)}
    with transaction.atomic():
        settled = claim.settle(columns, status=why.status, bytes=size, error=why.reason)
    return Refreshed(claim.feed.id, "failed" if settled else "overtaken", error=why.reason if settled else "")


def _success(claim: _Claim) -> dict[str, Any]:
    columns: dict[str, Any] = {"failures": 0, "next_fetch_at": claim.now + _jittered(INTERVAL, claim)}
    if claim.feed.started_at is None:
        columns["started_at"] = claim.now
    return columns


def _jittered(wait: timedelta, claim: _Claim) -> timedelta:
    """`wait` give or take a tenth, so that feeds added together do not stay together."""
    chance = zlib.crc32(f"{claim.feed.id} {claim.now.timestamp()}".encode()) / 2**32
    return wait * (0.9 + 0.2 * chance)
