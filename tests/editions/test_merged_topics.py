"""After a merge everything that was owed still comes, once; nothing old of the new topic does; and one mail tells of it."""

from datetime import timedelta

import pytest

from newsletter.editions import compose, gatherings
from newsletter.editions.notices import plan_notices
from newsletter.lib.mail import placeholders
from newsletter.models import Batch, Cadence, Delivery, Item, Lane, Notice, Rhythm, Subscription, Topic
from newsletter.subscribers.move_followers import move_followers
from tests import factories
from tests.editions.composing import items_given, mails

pytestmark = pytest.mark.django_db
NOW = factories.NOW
HOUR = timedelta(hours=1)


def seen(title: str, *topics: Topic, ago: timedelta = HOUR) -> Item:
    made = factories.item(title, seen=NOW - ago)
    for topic in topics:
        factories.match(made, topic, owed_at=NOW - ago)
    return made


def merge(source: Topic, target: Topic, now=NOW) -> None:
    Topic.objects.filter(id=source.id).update(state="retired", merged_into=target)
    Topic.objects.filter(merged_into=source).update(merged_into=target)
    move_followers(source.id, target.id, now=now)


def digest(composer: compose.Composer, now=NOW) -> None:
    Rhythm.objects.update(due_at=now)
    for gathering in gatherings.open_due_digests(now=now):
        compose.compose(gathering, composer, clock=lambda: now)


def test_a_digest_brings_what_the_old_topic_owed_and_not_what_the_new_one_had(composer) -> None:
    old, new = factories.topic("Old"), factories.topic("New")
    moved, both = factories.subscriber(), factories.subscriber()
    factories.follow(moved, old, Cadence.DAILY)
    factories.follow(both, old, Cadence.DAILY)
    factories.follow(both, new, Cadence.DAILY)
    only_old, shared, only_new = seen("A", old), seen("B", old, new), seen("C", new)
    merge(old, new)
    later = NOW + HOUR
    after = factories.item("D", seen=later)
    factories.match(after, new, owed_at=later)
    digest(composer, later)
    assert {item for item, person in items_given() if person == moved.id} == {only_old.id, shared.id, after.id}
    assert {item for item, person in items_given() if person == both.id} == {
        only_old.id,
        shared.id,
        only_new.id,
        after.id,
    }
    digest(composer, later + timedelta(days=1))
    assert Delivery.objects.count() == 2  # nothing twice


def test_an_alert_under_way_still_comes_as_an_alert(composer) -> None:
    old, new = factories.topic("Old"), factories.topic("New")
    person = factories.subscriber()
    factories.follow(person, old, Cadence.IMMEDIATE)
    item = seen("A", old)
    gathering = gatherings.close_alert_gathering(now=NOW, wait=timedelta(0))
    merge(old, new)
    compose.compose(gathering, composer, clock=lambda: NOW)
    assert items_given() == {(item.id, person.id)}
    assert set(Batch.objects.values_list("lane", flat=True)) == {Lane.ALERT}


def test_who_ends_the_new_topic_gets_nothing_more_of_the_old_one(composer) -> None:
    old, new = factories.topic("Old"), factories.topic("New")
    person = factories.subscriber()
    factories.follow(person, old, Cadence.DAILY)
    seen("A", old)
    merge(old, new)
    Subscription.objects.filter(topic=new).update(ended_at=NOW, ended_reason="reader")
    digest(composer, NOW + HOUR)
    assert items_given() == set()


def test_two_merges_make_one_mail_that_names_both_topics_in_its_text_only(composer) -> None:
    first, second, new = factories.topic("First"), factories.topic("Second"), factories.topic("New one")
    person = factories.subscriber()
    factories.follow(person, first, Cadence.WEEKLY)
    factories.follow(person, second, Cadence.DAILY)
    merge(first, second)
    merge(second, new, NOW + HOUR)
    assert Notice.objects.count() == 1
    assert plan_notices(composer, now=NOW + HOUR)
    assert plan_notices(composer, now=NOW + HOUR) == ()
    [(edition, mail)] = mails()
    assert "“First” is now part of “New one”." in mail["text"] and "“Second” is now part of “New one”." in mail["text"]
    assert "First" not in mail["subject"] and placeholders.placeholder("link") in mail["html"]
    assert Batch.objects.get().lane == Lane.DIGEST and edition.kind == "notice"


def test_a_confirmation_does_not_wait_for_those_who_are_told_of_a_merge(composer) -> None:
    old, new = factories.topic("Old"), factories.topic("New")
    factories.follow(factories.subscriber(), old, Cadence.WEEKLY)
    merge(old, new)
    values = {"nonce": b"n" * 16, "created_at": NOW, "expires_at": NOW + HOUR}
    Notice.objects.create(subscriber=factories.subscriber(state="pending"), kind="confirm", **values)
    plan_notices(composer, now=NOW)
    assert set(Notice.objects.filter(planned_at=None).values_list("kind", flat=True)) == {"moved"}
