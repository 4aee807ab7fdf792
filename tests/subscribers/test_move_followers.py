"""Merging topics: nobody loses or doubles a subscription, whoever follows what, and each is told by one mail."""

from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from newsletter.audit.actor import Actor
from newsletter.lib.refused import Refused
from newsletter.matching.topics import restore
from newsletter.matching.topics.merge import MergedTopic, merge_topic
from newsletter.models import AuditEntry, Cadence, Message, Notice, Subscriber, Subscription, Topic
from newsletter.subscribers import people
from newsletter.subscribers.move_followers import move_followers, move_person
from tests import factories

NOW = factories.NOW
ACTOR = Actor("command", "somebody")
CADENCES = st.none() | st.sampled_from(Cadence)


def moving(source_id: int, target_id: int, *, now) -> tuple[int, int, int]:
    done = move_followers(source_id, target_id, now=now)
    return done.moved, done.both, done.told


def merge(source: Topic, target: Topic, now=NOW) -> MergedTopic | Refused:
    return merge_topic(source.name, target.name, now=now, actor=ACTOR, move=moving)


def topic(name: str) -> Topic:
    made = factories.topic(name)
    Topic.objects.filter(id=made.id).update(slug=name.lower())
    return made


def live(person: Subscriber) -> dict[str, int]:
    rows = Subscription.objects.filter(subscriber=person, ended_at=None).values_list("topic__name", "cadence")
    assert len(rows) == len(dict(rows)), "followed twice"
    return dict(rows)


class Follows(NamedTuple):
    """How often somebody follows each of three topics, and how they are."""

    cadences: tuple[Cadence | None, ...]
    state: str
    paused: bool


class TestAnyMerges(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(st.builds(Follows, st.tuples(*[CADENCES] * 3), st.sampled_from(["active", "pending"]), st.booleans())),
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=4),
    )
    def test_everybody_follows_what_they_followed_where_it_went(self, rows: list[Follows], merges) -> None:
        names = [f"t{n}-{factories.topic().id}" for n in range(3)]
        topics = [topic(name) for name in names]
        everybody = []
        for row in rows:
            paused = NOW + timedelta(days=3) if row.paused else None
            person = factories.subscriber(state=row.state, paused_until=paused)
            followed = {number: cadence for number, cadence in enumerate(row.cadences) if cadence is not None}
            for number, cadence in followed.items():
                factories.follow(person, topics[number], cadence)
            everybody.append((person, followed, row.state))
        changed: set[int] = set()
        for turn, (source, target) in enumerate(merges):
            if isinstance(merge(topics[source], topics[target], NOW + timedelta(minutes=turn)), Refused):
                continue
            for person, followed, _ in everybody:
                if source in followed:
                    followed.setdefault(target, followed.pop(source))
                    followed.pop(source, None)
                    changed.add(person.id)
        for person, followed, state in everybody:
            assert live(person) == {names[number]: cadence for number, cadence in followed.items()}
            told = Notice.objects.filter(subscriber=person, kind="moved").count()
            assert told == (person.id in changed and state == "active")


@pytest.mark.django_db
def test_a_topic_cannot_be_merged_into_itself_or_while_it_is_on_hold() -> None:
    one, two = topic("One"), topic("Two")
    assert "into itself" in merge(one, one).reason
    Topic.objects.filter(id=one.id).update(held_since=NOW)
    assert "on hold" in merge(one, two).reason
    Topic.objects.filter(id=one.id).update(held_since=None)
    message = Message.objects.create(topic=one, state="scheduled", start_at=NOW, created_at=NOW, changed_at=NOW)
    assert "a message to its followers" in merge(one, two).reason
    message.delete()
    assert isinstance(merge(two, one), MergedTopic)
    assert "no such topic" in merge(two, one).reason
    [row] = AuditEntry.objects.filter(action="topic.merge")
    assert (row.object_name, row.after["merged_into"]) == ("Two", "One")


@pytest.mark.django_db
def test_who_confirms_or_comes_back_later_follows_the_topic_that_it_went_into() -> None:
    old, middle, new = topic("Old"), topic("Middle"), topic("New")
    returning, late = factories.subscriber(), factories.subscriber()
    ended = factories.follow(returning, old, Cadence.WEEKLY)
    Subscription.objects.filter(id=ended.id).update(ended_at=NOW, ended_reason="reader")
    merge(old, middle)
    merge(middle, new)
    assert people.subscribe(late, [old.id], Cadence.DAILY, source="page", now=NOW) == 1
    Subscription.objects.filter(id=ended.id).update(ended_at=None, ended_reason=None)
    move_person(returning.id, now=NOW)
    assert (live(late), live(returning)) == ({"New": Cadence.DAILY}, {"New": Cadence.WEEKLY})


@pytest.mark.django_db
def test_a_merged_topic_that_is_restored_has_its_own_followers_again() -> None:
    old, new = topic("Old"), topic("New")
    person = factories.subscriber()
    factories.follow(person, old, Cadence.DAILY)
    merge(old, new)
    assert not isinstance(restore.restore_topic("Old", now=NOW, actor=ACTOR), Refused)
    people.subscribe(person, [old.id], Cadence.WEEKLY, source="page", now=NOW)
    assert live(person) == {"New": Cadence.DAILY, "Old": Cadence.WEEKLY}
    merge(new, Topic.objects.get(id=old.id))
    assert live(person) == {"Old": Cadence.WEEKLY}
