"""What a visit means for the tables: entries kept, the feed's next read, its moves, its end, and a record of the fetch."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from newsletter.feeds.fetching.fetch_and_parse import Answer, Broken, Read, Unchanged, Visited
from newsletter.feeds.parsing import fingerprints
from newsletter.feeds.parsing.model import ENTRY_CAP
from newsletter.feeds.polling import schedule
from newsletter.feeds.polling.claims import Claim
from newsletter.feeds.storage import diff, incidents
from newsletter.feeds.storage.save import Kept, keep
from newsletter.models import Entry, Feed, Incident

#: A permanent redirect is believed when it was met so many times in a row, a parser that had to be killed likewise.
BELIEVED, KILLED = 3, 3


@dataclass(frozen=True)
class Refreshed:
    """What one poll of a feed did.

    `status` is read, unchanged, failed; "not due" or "busy" (nothing was done: another worker has the feed, or its host); or
    overtaken (nothing was kept: the feed was removed, or marked to be read again, meanwhile). `new` and `changed` count
    items; `unmatched`: some of them are to be matched.
    """

    feed_id: int
    status: str
    new: int = 0
    changed: int = 0
    unmatched: bool = False
    error: str = ""


def _nothing() -> None:
    pass


def settle(claim: Claim, answer: Visited, *, first: Callable[[], None] = _nothing) -> Refreshed | None:
    """Write down how a visit ended, and give the feed back.

    None: it must be visited again and read whole, for an entry whose text was left out is not stored as it is; the claim still
    holds, and nothing was written. `first` is done in the same transaction, except with what was read.

    Raises:
        DatabaseError: the database does not answer; the feed is due again when its claim is over.
    """
    if isinstance(answer, Broken):
        return _broken(claim, answer, first)
    done = _read(claim, answer) if isinstance(answer, Read) else _unchanged(claim, answer, first)
    if done is not None and done.status != "overtaken":
        _move(claim, answer.moved_to)
    return done


def _unchanged(claim: Claim, answer: Unchanged, first: Callable[[], None]) -> Refreshed:
    columns = _success(claim, answer, claim.feed.wait)
    said = {"etag": answer.etag, "last_modified": answer.last_modified}
    columns |= {name: value for name, value in said.items() if value is not None}
    with transaction.atomic():
        first()
        settled = claim.settle(columns, status=answer.status, bytes=answer.size)
    return Refreshed(claim.feed.id, "unchanged" if settled else "overtaken")


def _read(claim: Claim, answer: Read) -> Refreshed | None:
    feed, parsed = claim.feed, answer.parsed
    poll = diff.read(feed, parsed)
    with transaction.atomic():
        mine = Feed.objects.select_for_update().filter(id=feed.id, next_fetch_at=claim.until).first()
        if mine is None:
            return Refreshed(feed.id, "overtaken")
        # a backfill may have stored the same entries meanwhile, an operator may have changed their mind
        if (mine.backfilled, mine.announce) != (feed.backfilled, feed.announce):
            poll = diff.read(mine, parsed)
        if not poll.whole:
            return None
        kept = keep(feed, poll, parsed.language, claim.now)
        _rhythm(claim)
        columns = _success(claim, answer, parsed.wait)
        columns |= {"etag": answer.etag, "last_modified": answer.last_modified, "body_hash": answer.body_hash}
        # which entry it was that the database refused, nobody knows here
        columns["marks"] = fingerprints.pack(poll.marks) if not kept.refused else b""
        if not mine.title_given:
            columns["title"] = parsed.title
        error = _bad_entries(poll, kept)
        claim.settle(columns, status=answer.status, bytes=answer.size, new=kept.new, changed=kept.changed, error=error)
        if answer.gap:
            incidents.open_(feed.id, Incident.Kind.GAP, detail=answer.gap, now=claim.now)
        if parsed.left_out:
            incidents.open_truncated(feed.id, ENTRY_CAP, parsed.left_out, claim.now)
        else:
            incidents.close(feed.id, Incident.Kind.TRUNCATED, claim.now)
    return Refreshed(feed.id, "read", kept.new, kept.changed, kept.new + kept.changed > 0, error)


def _rhythm(claim: Claim) -> None:
    """Reckon anew how often the feed brings something, and when it did last."""
    newest = Entry.objects.filter(feed=claim.feed).order_by("-published_at").values_list("published_at", flat=True)
    moments = [min(one, claim.now) for one in newest[: schedule.MOST]]
    every = schedule.rhythm(moments, claim.now)
    claim.feed.posts_every = int(every.total_seconds()) if every else None
    claim.feed.newest_at = moments[0] if moments else None


def _success(claim: Claim, answer: Answer, wait: int) -> dict[str, Any]:
    feed, now = claim.feed, claim.now
    every = timedelta(seconds=feed.posts_every) if feed.posts_every is not None else None
    asked = timedelta(seconds=max(wait, answer.max_age))
    after = schedule.after_success(every, feed.newest_at, asked=asked, now=now, chance=claim.chance)
    return {
        "failures": 0,
        "kills": 0,
        "wait": wait,
        "posts_every": feed.posts_every,
        "newest_at": feed.newest_at,
        "started_at": feed.started_at or now,
        "next_fetch_at": now + after,
    }


def _broken(claim: Claim, answer: Broken, first: Callable[[], None]) -> Refreshed:
    feed, now = claim.feed, claim.now
    failures = min(feed.failures + 1, 1000)
    kills = feed.kills + 1 if answer.killed else 0
    asked = timedelta(seconds=answer.retry_after)
    after = schedule.after_failure(failures, asked=asked, chance=claim.chance)
    columns = {"failures": failures, "kills": kills, "next_fetch_at": now + after}
    over = _over(answer, kills)
    with transaction.atomic():
        first()
        settled = claim.settle(columns, status=answer.status, bytes=answer.size, error=answer.reason)
        # a feed that was paused meanwhile stays paused
        active = Feed.objects.filter(id=feed.id, state=Feed.State.ACTIVE)
        if settled and over is not None and active.update(state=Feed.State(over.value)):
            detail = f"{answer.reason}. 'newsletter feeds resume {feed.id}' tries it again"
            incidents.open_(feed.id, over, detail=detail, now=now)
    return Refreshed(feed.id, "failed" if settled else "overtaken", error=answer.reason if settled else "")


def _over(answer: Broken, kills: int) -> Incident.Kind | None:
    """Why a feed is read no more, if so: its site says that it is gone for good, or it kills its parser every time."""
    if answer.status == 410:
        return Incident.Kind.ENDED
    return Incident.Kind.QUARANTINED if kills >= KILLED else None


def _move(claim: Claim, moved_to: str) -> None:
    """Follow a permanent redirect for good after the third equal one: many a site redirects everything while it is repaired."""
    feed = claim.feed
    if not moved_to and not feed.moved_to:
        return
    times = feed.moved_times + 1 if moved_to == feed.moved_to else 1
    mine = Feed.objects.filter(id=feed.id, url=feed.url)
    if not moved_to or times < BELIEVED:
        mine.update(moved_to=moved_to, moved_times=times if moved_to else 0)
        return
    try:
        with transaction.atomic():
            mine.update(url=moved_to, moved_to="", moved_times=0)
    except IntegrityError:
        detail = f"it moved to {moved_to}, which is a feed here already: remove one of them"
        mine.update(moved_to="", moved_times=0)
        incidents.open_(feed.id, Incident.Kind.MOVED, detail=detail, now=claim.now)


def _bad_entries(poll: diff.Poll, kept: Kept) -> str:
    bad = poll.bad + kept.refused
    return f"{bad} of its entries could not be read: please report this" if bad else ""
