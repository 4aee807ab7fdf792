"""Record what a fetch means: entries saved, the feed's next read, its moves, its end, and a row of the fetch."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from newsletter.audit import actor
from newsletter.audit.record import Thing, record
from newsletter.feeds.fetching.fetch_and_parse import FetchFailed, FetchResult, Unchanged, Updated
from newsletter.feeds.parsing import fingerprints
from newsletter.feeds.parsing.model import ENTRY_CAP
from newsletter.feeds.polling import schedule
from newsletter.feeds.polling.leases import FeedLease
from newsletter.feeds.storage import diff, incidents
from newsletter.feeds.storage.save import Saved, save_poll
from newsletter.models import Entry, Feed, Incident

#: A permanent redirect is followed for good when it was met so many times in a row: many a site redirects everything while it
#: is repaired. A feed is quarantined when its parser had to be killed so many times in a row.
BELIEVED, KILLED = 3, 3


@dataclass(frozen=True)
class PollResult:
    """What one poll of a feed did.

    `status` is read, unchanged or failed; or overtaken (nothing was saved: the feed was removed, or marked to be read again,
    meanwhile). `new` and `changed` count items; `unmatched`: some of them are to be matched.
    """

    feed_id: int
    status: str
    new: int = 0
    changed: int = 0
    unmatched: bool = False
    error: str = ""


def record_result(lease: FeedLease, result: FetchResult) -> PollResult | None:
    """Record how a fetch ended, and release the feed.

    Returns None if the feed must be fetched again and parsed whole: an entry that was left out as unchanged is not stored as it
    is. The lease still holds then, and nothing was written.

    Raises:
        DatabaseError: the database does not answer; the feed is due again when its lease is over.
    """
    if isinstance(result, FetchFailed):
        return _record_failure(lease, result)
    polled = _record_update(lease, result) if isinstance(result, Updated) else _record_unchanged(lease, result)
    if polled is not None and polled.status != "overtaken":
        _move(lease, result.moved_to)
    return polled


def _record_unchanged(lease: FeedLease, result: Unchanged) -> PollResult:
    columns = _after_success(lease, result, lease.feed.wait)
    validators = {"etag": result.etag, "last_modified": result.last_modified}
    columns |= {name: value for name, value in validators.items() if value is not None}
    with transaction.atomic(savepoint=False):
        recorded = lease.finish(columns, status=result.status, bytes=result.size)
    return PollResult(lease.feed.id, "unchanged" if recorded else "overtaken")


def _record_update(lease: FeedLease, result: Updated) -> PollResult | None:
    feed, parsed = lease.feed, result.parsed
    poll = diff.compare(feed, parsed)
    with transaction.atomic():
        mine = Feed.objects.select_for_update().filter(id=feed.id, next_fetch_at=lease.until).first()
        if mine is None:
            return PollResult(feed.id, "overtaken")
        # a backfill may have stored the same entries meanwhile, an operator may have changed `announce`
        if (mine.backfilled, mine.announce) != (feed.backfilled, feed.announce):
            poll = diff.compare(mine, parsed)
        if not poll.whole:
            return None
        saved = save_poll(feed, poll, parsed.language, lease.now)
        _update_rhythm(lease)
        columns = _after_success(lease, result, parsed.wait)
        columns |= {"etag": result.etag, "last_modified": result.last_modified, "body_hash": result.body_hash}
        # it is not known here which entry the database refused
        columns["marks"] = fingerprints.pack(poll.fingerprints) if not saved.refused else b""
        if not mine.title_given:
            columns["title"] = parsed.title
        error = _bad_entries(poll, saved)
        lease.finish(
            columns, status=result.status, bytes=result.size, new=saved.new, changed=saved.changed, error=error
        )
        if result.gap:
            incidents.open_(feed.id, Incident.Kind.GAP, detail=result.gap, now=lease.now)
        if parsed.left_out:
            incidents.open_truncated(feed.id, ENTRY_CAP, parsed.left_out, lease.now)
        else:
            incidents.close(feed.id, Incident.Kind.TRUNCATED, lease.now)
    return PollResult(feed.id, "read", saved.new, saved.changed, saved.new + saved.changed > 0, error)


def _update_rhythm(lease: FeedLease) -> None:
    """Compute anew how often the feed posts, and when it did last."""
    newest = Entry.objects.filter(feed=lease.feed).order_by("-published_at").values_list("published_at", flat=True)
    published = [min(moment, lease.now) for moment in newest[: schedule.MOST]]
    every = schedule.rhythm(published, lease.now)
    lease.feed.posts_every = int(every.total_seconds()) if every else None
    lease.feed.newest_at = published[0] if published else None


def _after_success(lease: FeedLease, result: Updated | Unchanged, wait: int) -> dict[str, Any]:
    feed, now = lease.feed, lease.now
    every = timedelta(seconds=feed.posts_every) if feed.posts_every is not None else None
    asked = timedelta(seconds=max(wait, result.max_age))
    after = schedule.after_success(every, feed.newest_at, asked=asked, now=now, chance=lease.chance)
    return {
        "read_at": now,
        "failing_since": None,
        "failures": 0,
        "kills": 0,
        "wait": wait,
        "posts_every": feed.posts_every,
        "newest_at": feed.newest_at,
        "started_at": feed.started_at or now,
        "next_fetch_at": now + after,
    }


def _record_failure(lease: FeedLease, result: FetchFailed) -> PollResult:
    feed, now = lease.feed, lease.now
    failures = min(feed.failures + 1, 1000)
    parser_kills = feed.kills + 1 if result.parser_killed else 0
    asked = timedelta(seconds=result.retry_after)
    after = schedule.after_failure(failures, asked=asked, chance=lease.chance)
    columns = {
        "failing_since": feed.failing_since or now,
        "failures": failures,
        "kills": parser_kills,
        "next_fetch_at": now + after,
    }
    end = _end_of_feed(result, parser_kills)
    with transaction.atomic(savepoint=False):
        recorded = lease.finish(columns, status=result.status, bytes=result.size, error=result.reason)
        # a feed that was paused meanwhile stays paused
        active = Feed.objects.filter(id=feed.id, state=Feed.State.ACTIVE)
        if recorded and end is not None and active.update(state=Feed.State(end.value)):
            detail = f"{result.reason}. 'newsletter feeds resume {feed.id}' tries it again"
            incidents.open_(feed.id, end, detail=detail, now=now)
            _record_rule(lease, "feed.stop", {"state": Feed.State.ACTIVE}, {"state": end, "because": result.reason})
    return PollResult(feed.id, "failed" if recorded else "overtaken", error=result.reason if recorded else "")


def _end_of_feed(result: FetchFailed, parser_kills: int) -> Incident.Kind | None:
    """Return why a feed is not read any more: it is gone for good, or kills its parser every time. None if it still is."""
    if result.status == 410:
        return Incident.Kind.ENDED
    return Incident.Kind.QUARANTINED if parser_kills >= KILLED else None


def _move(lease: FeedLease, moved_to: str) -> None:
    """Count a permanent redirect, and follow it for good after the `BELIEVED`-th equal one."""
    feed = lease.feed
    if not moved_to and not feed.moved_to:
        return
    times = feed.moved_times + 1 if moved_to == feed.moved_to else 1
    mine = Feed.objects.filter(id=feed.id, url=feed.url)
    if not moved_to or times < BELIEVED:
        mine.update(moved_to=moved_to, moved_times=times if moved_to else 0)
        return
    try:
        with transaction.atomic():
            if mine.update(url=moved_to, moved_to="", moved_times=0):
                _record_rule(lease, "feed.move", {"url": feed.url}, {"url": moved_to})
    except IntegrityError:
        detail = f"it moved to {moved_to}, which is a feed here already: remove one of them"
        mine.update(moved_to="", moved_times=0)
        incidents.open_(feed.id, Incident.Kind.MOVED, detail=detail, now=lease.now)


def _record_rule(lease: FeedLease, action: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    feed = lease.feed
    thing = Thing("feed", feed.id, feed.title)
    record(actor.from_rule("polling"), action, thing, now=lease.now, before=before, after=after)


def _bad_entries(poll: diff.PollDiff, saved: Saved) -> str:
    bad = poll.bad + saved.refused
    return f"{bad} of its entries could not be read: please report this" if bad else ""
