"""Change many feeds at once: check now, pause, resume, remove; and say beforehand what removing them takes away."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter.audit.actor import Actor
from newsletter.feeds.catalogue import manage
from newsletter.lib.refused import Refused
from newsletter.models import Entry, Feed, Item, Match

#: Feeds that are changed at once, at most: a page waits for it.
MOST = 2_000


@dataclass(frozen=True)
class ChangedFeeds:
    """How many feeds were changed as asked, and how many are not there any more; `title` is that of a single one."""

    done: int
    missing: int
    title: str = ""


@dataclass(frozen=True)
class Removal:
    """What goes when feeds are removed. `waiting` counts matches of it that are owed and were not put into a mail yet."""

    feeds: tuple[Feed, ...]
    entries: int
    items: int
    waiting: int


def change_many(action: str, feed_ids: Collection[int], *, now: datetime, actor: Actor) -> ChangedFeeds:
    """Do `action` (check, pause, resume or remove) to each of these feeds, each in a transaction of its own."""
    change = _CHANGES[action]
    answers = [change(feed_id, now, actor) for feed_id in feed_ids]
    done = [answer for answer in answers if not isinstance(answer, Refused)]
    return ChangedFeeds(len(done), len(answers) - len(done), done[0].title if len(done) == 1 else "")


def removal(feed_ids: Collection[int]) -> Removal:
    """Count what removing these feeds takes away. The built-in one stays."""
    chosen = Feed.objects.filter(id__in=feed_ids).exclude(state=Feed.State.BY_HAND)
    feeds = tuple(chosen.order_by("title", "id"))
    ids = [feed.id for feed in feeds]
    waiting = Match.objects.filter(item__entry__feed_id__in=ids, gathering_id=None, withdrawn_at=None)
    return Removal(
        feeds,
        Entry.objects.filter(feed_id__in=ids).count(),
        Item.objects.filter(entry__feed_id__in=ids).count(),
        waiting.exclude(owed_at=None).count(),
    )


def _check_now(feed_id: int, now: datetime, _actor: Actor) -> manage.ChangedFeed | Refused:
    return manage.mark_due(feed_id, now=now)


def _pause(feed_id: int, now: datetime, actor: Actor) -> manage.ChangedFeed | Refused:
    return manage.pause(feed_id, now=now, actor=actor)


def _resume(feed_id: int, now: datetime, actor: Actor) -> manage.ChangedFeed | Refused:
    return manage.resume(feed_id, now=now, actor=actor)


def _remove(feed_id: int, now: datetime, actor: Actor) -> manage.ChangedFeed | Refused:
    return manage.remove(feed_id, now=now, actor=actor)


_CHANGES: Mapping[str, Callable[[int, datetime, Actor], manage.ChangedFeed | Refused]] = {
    "check": _check_now,
    "pause": _pause,
    "resume": _resume,
    "remove": _remove,
}
