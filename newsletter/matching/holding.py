"""A topic put on hold: its matches are collected, and nobody is owed them until it is released."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from newsletter.matching.naming import Refused, find, raise_number, unknown
from newsletter.models import Match, Topic

#: Digests read this long past the time in which an item can become owed; who got an item is known for longer.
SWEPT = timedelta(days=10)


@dataclass(frozen=True)
class Held:
    """The topic is on hold; `waiting` counts the matches that were owed and are not any more."""

    topic_id: int
    waiting: int


@dataclass(frozen=True)
class Released:
    """The topic goes on; `owed` counts the matches that are owed again, `dropped` those that nobody is mailed."""

    topic_id: int
    owed: int
    dropped: int


def hold(name: str, *, now: datetime) -> Held | Refused:
    """Collect a topic's matches from now on without owing them. What is owed and young waits as well; what is planned goes."""
    with transaction.atomic():
        topic = find(name)
        if topic is None:
            return unknown()
        if topic.held_since is not None:
            return Refused("it is on hold already: 'newsletter topics release NAME' ends that")
        Topic.objects.filter(id=topic.id).update(held_since=now)
        raise_number()
    return Held(topic.id, put_aside(topic.id, now=now))


def put_aside(topic_id: int, *, now: datetime) -> int:
    """Let what a held topic owes wait; returns how many matches. Repeatable: a worker may have had an index of before."""
    owed = Match.objects.filter(topic_id=topic_id, topic__held_since__lte=now, owed_at__isnull=False)
    return owed.filter(withdrawn_at=None).update(held_at=F("owed_at"), owed_at=None)


def release(name: str, *, mail: bool, now: datetime) -> Released | Refused:
    """End a hold. What was owed before it is owed again; what was collected in it only with `mail`.

    Only young items (ten days) become an alert; a digest still takes up what an alert before the hold had been made of.
    Who has an item already is not mailed it again: `delivery_item` outlives both.
    """
    with transaction.atomic():
        topic = find(name)
        if topic is None:
            return unknown()
        if topic.held_since is None:
            return Refused("it is not on hold")
        Topic.objects.filter(id=topic.id).update(held_since=None)
        raise_number()
        waiting = Match.objects.filter(topic_id=topic.id, held_at__isnull=False)
        told = Q(gathering_id__isnull=False, owe_until__gte=now - SWEPT)
        again = waiting.filter(Q(owe_until__gte=now) | told)
        if not mail:
            again = again.filter(held_at__lte=topic.held_since)
        owed = again.update(owed_at=F("held_at"), held_at=None)
        return Released(topic.id, owed, waiting.update(held_at=None))
