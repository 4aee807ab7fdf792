"""Merge a topic into another one, or replace it by another one: its followers move, and it retires."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import record
from newsletter.lib.refused import Refused
from newsletter.matching.topics.lookup import bump_index_version, find_topic, no_such_topic, thing_of
from newsletter.models import Message, Topic

#: A message to followers who are moved meanwhile would go to nobody, or to half of them.
_UNDER_WAY = (Message.State.SCHEDULED, Message.State.PLANNING)


@dataclass(frozen=True)
class MergedTopic:
    """A topic was merged into another. Exact numbers of people, not to be shown: who moved, who followed both, who is told."""

    topic_id: int
    into_id: int
    moved: int
    both: int
    told: int


class MoveFollowers(Protocol):
    """Moves the followers of a topic to another one; returns how many moved, followed both, and are told."""

    def __call__(self, source_id: int, target_id: int, *, now: datetime) -> tuple[int, int, int]: ...


def merge_topic(name: str, into: str, *, now: datetime, actor: Actor, move: MoveFollowers) -> MergedTopic | Refused:
    """Retire a topic and let its followers follow another one, with their frequency.

    Each is told once by mail. What was owed to them under the old topic still comes; the items of the new one come from now on.
    """
    with transaction.atomic():
        source, target = find_topic(name), find_topic(into)
        if source is None or target is None:
            return no_such_topic()
        # nobody begins to follow it meanwhile (`subscribers/people.py` waits), and two merges do not cross
        locked = Topic.objects.select_for_update().filter(id__in=(source.id, target.id), state=Topic.State.ACTIVE)
        current = {topic.id: topic for topic in locked.order_by("id")}
        refusal = merge_problem(current.get(source.id), current.get(target.id))
        if refusal is not None:
            return refusal
        Topic.objects.filter(id=source.id).update(state=Topic.State.RETIRED, merged_into=target)
        Topic.objects.filter(merged_into=source).update(merged_into=target)
        Topic.objects.filter(id=target.id).update(merged_into=None)
        moved, both, told = move(source.id, target.id, now=now)
        bump_index_version()
        before = {"state": Topic.State.ACTIVE}
        after = {"state": Topic.State.RETIRED, "merged_into": target.name}
        record(actor, "topic.merge", thing_of(source), now=now, before=before, after=after)
        return MergedTopic(source.id, target.id, moved, both, told)


def merge_problem(source: Topic | None, target: Topic | None) -> Refused | None:
    """Why a topic cannot be merged into another one. Returns None if it can."""
    if source is None or target is None:
        return no_such_topic()
    if source.id == target.id:
        return Refused("a topic cannot be merged into itself: name another one")
    if source.held_since is not None:
        return Refused("it is on hold, and matches wait: release it first, so that it is clear what becomes of them")
    under_way = Message.objects.filter(topic_id=source.id, state__in=_UNDER_WAY)
    if under_way.exists():
        return Refused("a message to its followers is scheduled or being planned: stop it first, or wait for it")
    return None
