"""How a feed is: in one word, with since when, why, and what to do. Pages and commands all print this."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.feeds.polling.schedule import is_silent
from newsletter.lib.clock import span
from newsletter.models import Feed

#: A feed that is due for longer is late: no worker polls, or there are too many feeds.
LATE = timedelta(minutes=10)
#: All words, the gravest first.
WORDS = ("quarantined", "ended", "broken", "late", "silent", "new", "due", "well", "by hand", "paused")
#: Words of feeds that need somebody.
NEEDS_SOMEBODY = frozenset(WORDS[:5])


@dataclass(frozen=True)
class FeedHealth:
    """`word` is one of `WORDS`; `reason` says why and what to do, and is empty for a feed that is well."""

    word: str
    reason: str = ""
    since: datetime | None = None

    @property
    def needs_somebody(self) -> bool:
        """True if somebody should look at the feed."""
        return self.word in NEEDS_SOMEBODY


def health(feed: Feed, now: datetime) -> str:
    """Return a feed's health, the gravest first: paused, by hand, ended, quarantined, broken, late, due, silent, new or well."""
    if feed.state != Feed.State.ACTIVE:
        return str(feed.state)
    if feed.failures:
        return "broken"
    if feed.next_fetch_at < now - LATE:
        return "late"
    if feed.next_fetch_at <= now:
        return "due"
    if feed.started_at is None:
        return "new"
    every = timedelta(seconds=feed.posts_every) if feed.posts_every is not None else None
    return "silent" if is_silent(every, feed.newest_at, now) else "well"


def explained(feed: Feed, now: datetime, *, error: str = "") -> FeedHealth:
    """Return a feed's health with its reason. `error` is that of its last fetch."""
    word = health(feed, now)
    match word:
        case "paused":
            return FeedHealth(
                word, "it is not read until somebody resumes it; what it publishes until then is mailed after that"
            )
        case "by hand":
            return FeedHealth(word, "admins publish its items: it is built in, and never read")
        case "ended":
            return FeedHealth(
                word, "its site says that it is gone for good: remove it, or resume it to try again", feed.failing_since
            )
        case "quarantined":
            reason = "reading it had to be stopped again and again: resume it to try once more"
            return FeedHealth(word, reason, feed.failing_since)
        case "broken":
            times = "once" if feed.failures == 1 else f"{feed.failures} times in a row"
            return FeedHealth(word, f"reading it failed {times}: {error or 'see its fetches'}", feed.failing_since)
        case "late":
            reason = (
                f"it has waited for {_ago(feed.next_fetch_at, now)}: check that a worker runs ('newsletter status')"
            )
            return FeedHealth(word, reason, feed.next_fetch_at)
        case "silent":
            reason = f"nothing new for {_ago(feed.newest_at, now)}, usually about every {span(feed.posts_every)}"
            return FeedHealth(word, reason, feed.newest_at)
        case "due" | "new":
            return FeedHealth(word, "it has not been read yet" if feed.started_at is None else "it is read in a moment")
        case _:
            return FeedHealth(word)


def gravity(word: str) -> int:
    """Return the place of a word among `WORDS`: the smaller, the graver."""
    return WORDS.index(word)


def _ago(moment: datetime | None, now: datetime) -> str:
    return span((now - moment).total_seconds()) if moment else "a while"
