"""Own keywords: they go with their last follower, and what they met goes when nobody can be owed it any more."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from newsletter.lib.progress import never_stop
from newsletter.matching import match, retention
from newsletter.matching.live_index.current import CurrentIndex
from newsletter.matching.topics import topics
from newsletter.models import Anchor, IndexState, Item, ItemVersion, Match, Subscription, Topic, TopicRevision
from tests import factories
from tests.factories import NOW, VAULT

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def own(word: str) -> Topic:
    return Topic.objects.get(id=topics.keyword_topic(word, vault=VAULT, now=NOW))


def test_keyword_without_followers_is_deleted_with_its_rows() -> None:
    IndexState.objects.get_or_create(id=1)
    followed, ended, gone = own("followed"), own("ended"), own("gone")
    curated = factories.topic()
    factories.follow(factories.subscriber(), followed)
    late = factories.follow(factories.subscriber(), ended)
    Subscription.objects.filter(id=late.id).update(ended_at=NOW)
    item = factories.item()
    for topic in (followed, ended, gone, curated):
        factories.match(item, topic)
    number = IndexState.objects.get().number
    assert retention.prune_own_topics(NOW, never_stop) == {"topic": 1}
    assert set(Topic.objects.all()) == {followed, ended, curated}
    for model in (Match, TopicRevision, Anchor):
        assert not model.objects.filter(topic_id=gone.id).exists()
        assert model.objects.filter(topic_id=followed.id).exists()
    assert IndexState.objects.get().number == number + 1  # workers leave it out of their index
    assert retention.delete_unfollowed([followed.id]) == 0
    assert IndexState.objects.get().number == number + 1


def test_only_named_topics_are_deleted(monkeypatch) -> None:
    monkeypatch.setattr(retention, "_TOPICS", 2)
    found = [own(f"word{number}") for number in range(5)]
    assert retention.delete_unfollowed([topic.id for topic in found[:3]]) == 3
    assert set(Topic.objects.all()) == set(found[3:])


def test_keyword_matches_are_deleted_after_21_days_and_not_owed_again() -> None:
    topic, curated = own("huawei"), factories.topic()
    factories.follow(factories.subscriber(), topic)
    item = factories.item(seen=NOW)
    factories.match(item, topic)
    kept = factories.match(item, curated)
    retention.prune_own_matches(NOW + 21 * DAY, never_stop)
    assert Match.objects.count() == 2
    later = NOW + 21 * DAY + timedelta(hours=1)
    assert retention.prune_own_matches(later, never_stop) == {"match": 1}
    assert list(Match.objects.all()) == [kept]
    # an edit lets the item meet the keyword again: as something old
    ItemVersion.objects.create(
        item=item, n=2, title="Huawei again", text="Huawei", html="<p>Huawei</p>", meaning_hash=b"x", seen_at=later
    )
    Item.objects.filter(id=item.id).update(version=2, matched_at=None)
    match.match_fresh(now=later, index=CurrentIndex(VAULT))
    assert Match.objects.get(topic=topic).owed_at is None


@pytest.mark.django_db(transaction=True)
def test_keyword_about_to_be_followed_is_not_deleted() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one write at a time")
    topic, who = own("huawei"), factories.subscriber()
    chosen, looked = threading.Event(), threading.Event()

    def confirm() -> None:
        try:
            with transaction.atomic():
                assert topics.keyword_topic("huawei", vault=VAULT, now=NOW) == topic.id
                chosen.set()
                looked.wait(20)
                factories.follow(who, topic)
        finally:
            connection.close()

    thread = threading.Thread(target=confirm)
    thread.start()
    chosen.wait(20)
    try:
        assert retention.delete_unfollowed() == 0
    finally:
        looked.set()
        thread.join()
    assert Subscription.objects.get().topic_id == topic.id
    assert retention.delete_unfollowed() == 0
    Subscription.objects.all().delete()
    assert retention.delete_unfollowed() == 1


@pytest.mark.django_db(transaction=True)
def test_keyword_followed_after_selection_is_not_deleted(monkeypatch) -> None:
    topic, who = own("huawei"), factories.subscriber()
    drop = retention._drop

    def late(ids: list[int]) -> int:
        factories.follow(who, topic)
        return drop(ids)

    monkeypatch.setattr(retention, "_drop", late)
    assert retention.delete_unfollowed() == 0
    assert Subscription.objects.get().topic_id == topic.id
