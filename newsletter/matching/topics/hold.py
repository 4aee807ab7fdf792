"""Put a topic on hold: its matches are collected, and owed to nobody until it is released."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Q

from newsletter.audit.actor import Actor
from newsletter.audit.record import record
from newsletter.lib.refused import Refused
from newsletter.matching.topics.lookup import bump_index_version, find_topic, no_such_topic, thing_of
from newsletter.models import Match, Topic

#: Digests read matches until so long after the item can become owed; deliveries of an item are stored for longer.
DIGEST_GRACE = timedelta(days=10)


@dataclass(frozen=True)
class Held:
    """The topic is on hold. `waiting`: how many matches were owed and now wait."""

    topic_id: int
    waiting: int


@dataclass(frozen=True)
class Released:
    """The hold has ended. `owed`: how many matches are owed again; `dropped`: how many are mailed to nobody."""

    topic_id: int
    owed: int
    dropped: int


def hold(name: str, *, now: datetime, actor: Actor) -> Held | Refused:
    """Collect a topic's matches from now on without owing them. Matches that are owed wait, too; planned mail is still sent."""
    with transaction.atomic():
        topic = find_topic(name)
        if topic is None:
            return no_such_topic()
        if topic.held_since is not None:
            return Refused("this topic is already on hold: 'newsletter topics release NAME' releases it")
        Topic.objects.filter(id=topic.id).update(held_since=now)
        record(actor, "topic.hold", thing_of(topic), now=now, before={"held": False}, after={"held": True})
        bump_index_version()
    return Held(topic.id, hold_matches([topic.id]))


def hold_matches(topic_ids: Collection[int]) -> int:
    """Hold what is owed of those of these topics that are on hold; returns how many matches. Repeatable."""
    held = Topic.objects.filter(id__in=topic_ids, held_since__isnull=False).values_list("id", flat=True)
    owed = Match.objects.filter(topic_id__in=list(held), owed_at__isnull=False, withdrawn_at=None)
    return owed.update(held_at=F("owed_at"), owed_at=None)


def repair_holds(*, now: datetime) -> None:
    """Correct what a worker wrote while a hold began or ended. Repeatable."""
    hold_matches(Topic.objects.filter(held_since__isnull=False).values_list("id", flat=True))
    strays = Match.objects.filter(held_at__isnull=False, topic__held_since=None, withdrawn_at=None, owe_until__gte=now)
    strays.update(owed_at=F("held_at"), held_at=None)


def release(name: str, *, mail: bool, now: datetime, actor: Actor) -> Released | Refused:
    """End a hold. What was owed before it is owed again; what was collected in it only with `mail`.

    Only young items (ten days) become an alert; a digest still takes up what an alert before the hold had been made of.
    Who has an item already is not mailed it again: `delivery_item` outlives both.
    """
    with transaction.atomic():
        topic = find_topic(name)
        if topic is None:
            return no_such_topic()
        if topic.held_since is None:
            return Refused("it is not on hold")
        Topic.objects.filter(id=topic.id).update(held_since=None)
        bump_index_version()
        waiting = Match.objects.filter(topic_id=topic.id, held_at__isnull=False)
        again = waiting.filter(_young(now))
        if not mail:
            again = again.filter(held_at__lte=topic.held_since)
        owed = again.update(owed_at=F("held_at"), held_at=None)
        released = Released(topic.id, owed, waiting.update(held_at=None))
        after = {"held": False, "owed": released.owed, "dropped": released.dropped}
        record(actor, "topic.release", thing_of(topic), now=now, before={"held": True}, after=after)
        return released


@dataclass(frozen=True)
class WaitingMatches:
    """What a hold keeps.

    `before`: owed when it began, and mailed after it; `during`: collected in it; `too_old`: mailed to nobody any more.
    """

    before: int
    during: int
    too_old: int

    @property
    def total(self) -> int:
        """All that wait."""
        return self.before + self.during + self.too_old


def waiting_matches(topic: Topic, *, now: datetime) -> WaitingMatches:
    """What `release` would do with the matches that wait, in counts of items."""
    if topic.held_since is None:
        return WaitingMatches(0, 0, 0)
    counts = Match.objects.filter(topic_id=topic.id, held_at__isnull=False).aggregate(
        before=Count("id", filter=_young(now) & Q(held_at__lte=topic.held_since)),
        during=Count("id", filter=_young(now) & Q(held_at__gt=topic.held_since)),
        all=Count("id"),
    )
    return WaitingMatches(counts["before"], counts["during"], counts["all"] - counts["before"] - counts["during"])


def _young(now: datetime) -> Q:
    """Matches that can still be mailed."""
    return Q(withdrawn_at=None) & (
        Q(owe_until__gte=now) | Q(gathering_id__isnull=False, owe_until__gte=now - DIGEST_GRACE)
    )
