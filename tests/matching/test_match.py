"""Matching on the database: receipts, what may be owed, repeating, edited items, topics and keywords."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.matching import match, retention
from newsletter.matching.live_index import current
from newsletter.matching.live_index.current import CurrentIndex
from newsletter.matching.topics import lookup, revisions, topic_status, topics
from newsletter.matching.topics.revisions import SavedRevision, TopicChange
from newsletter.models import Citation, Entry, IndexState, Item, ItemVersion, Match, Subscription, Topic, TopicRevision
from tests import factories
from tests.factories import ACTOR

pytestmark = pytest.mark.django_db
NOW = factories.NOW


@pytest.fixture(autouse=True)
def _fresh() -> None:
    IndexState.objects.get_or_create(id=1)


def add(name: str, query: str) -> int:
    made = topics.add_topic(name, query, now=NOW, actor=ACTOR)
    assert isinstance(made, SavedRevision)
    return made.topic_id


def edit(name: str, query: str) -> SavedRevision | Refused:
    draft = revisions.changed_draft(name, TopicChange(query))
    return draft if isinstance(draft, Refused) else revisions.save_draft(name, draft, now=NOW, actor=ACTOR)


def waiting(title: str = "Huawei’s cable", text: str = "Text.", **values: object) -> Item:
    item = factories.item(title, text)
    Item.objects.filter(id=item.id).update(matched_at=None, **values)
    return item


def run(now=NOW, index: CurrentIndex | None = None) -> match.Matched:
    return match.match_fresh(now=now, index=index or CurrentIndex(factories.VAULT))


def test_only_curated_matches_have_a_receipt() -> None:
    topic_id = add("Huawei", "Huawei")
    own_id = topics.keyword_topic("cable", vault=factories.VAULT, now=NOW)
    waiting()
    assert run() == match.Matched(1, 2)
    assert run() == match.Matched(0, 0)
    place = {"field": "title", "start": 0, "end": 8, "term": "Huawei", "alias": None, "pack": None}
    assert Match.objects.get(topic_id=topic_id).receipt == [place]
    assert Match.objects.get(topic_id=own_id).receipt is None


def test_unannounced_or_old_items_are_never_owed() -> None:
    add("Huawei", "Huawei")
    quiet, old, young = waiting(announced=False), waiting(first_seen_at=NOW - timedelta(days=11)), waiting()
    run()
    owed = dict(Match.objects.values_list("item_id", "owed_at"))
    assert (owed[quiet.id], owed[old.id], owed[young.id]) == (None, None, NOW)


def test_edited_item_adds_keeps_and_withdraws_matches() -> None:
    huawei, cable, ship = add("Huawei", "Huawei"), add("Cable", "cable"), add("Ship", "ship")
    item = waiting()
    run()
    ItemVersion.objects.create(
        item=item, n=2, title="A cable ship", text="Text.", html="", meaning_hash=b"2", seen_at=NOW
    )
    Item.objects.filter(id=item.id).update(version=2, matched_at=None)
    assert run().matches == 1
    kept = {row.topic_id: (row.item_version, row.withdrawn_at is None) for row in Match.objects.all()}
    assert kept == {huawei: (1, False), cable: (2, True), ship: (2, True)}


def test_unreadable_topic_does_not_stop_others() -> None:
    broken, good = add("Broken", "x"), add("Good", "Huawei")
    TopicRevision.objects.filter(topic_id=broken).update(query="((")
    waiting()
    assert run().matches == 1
    assert Match.objects.get().topic_id == good


def test_cached_index_gets_topics_added_later() -> None:
    index = CurrentIndex(factories.VAULT)
    run(index=index)
    add("Huawei", "Huawei")
    waiting()
    assert run(index=index).matches == 1


def test_large_index_is_updated_and_rebuilt_in_the_background(monkeypatch) -> None:
    monkeypatch.setattr(current, "_SMALL", 0)
    monkeypatch.setattr(current, "_MANY", 2)
    huawei = add("Huawei", "Huawei")
    gone, broken, own = (
        add("Gone", "Huawei"),
        add("Broken", "Huawei"),
        topics.keyword_topic("cable", vault=factories.VAULT, now=NOW),
    )
    index = CurrentIndex(factories.VAULT)
    assert set(index.get().topics) == {huawei, gone, broken, own}
    topics.retire_topic("Gone", now=NOW, actor=ACTOR)
    edit("Huawei", "cable -huawei")
    changed = index.get()
    assert changed.index.changes == 3  # one gone, one edited: the old and the new
    assert set(changed.topics) == changed.index.queries.keys() == {huawei, broken, own}
    edit("Broken", "x")
    TopicRevision.objects.filter(topic_id=broken, n=2).update(query="((")
    assert index.get().broken.keys() == {broken}
    for thread in threading.enumerate():
        if thread.name == "index":
            thread.join()
    rebuilt = index.get()
    assert rebuilt.index.changes <= 1  # what came while it was rebuilt
    assert (set(rebuilt.topics), rebuilt.curated) == ({huawei, own}, {huawei})
    waiting()
    assert run(index=index).matches == 1
    assert Match.objects.get().topic_id == own


@pytest.mark.django_db(transaction=True)
def test_revision_committed_after_a_higher_id_is_indexed() -> None:
    if not db.is_postgres():
        pytest.skip("SQLite has one writer at a time")
    written, end = threading.Event(), threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            topic = Topic.objects.create(kind="own", query_index=b"late", query_cipher=b"x", key_id=1, created_at=NOW)
            revision = TopicRevision.objects.create(topic=topic, n=1, query="late", made_at=NOW)
            Topic.objects.filter(id=topic.id).update(revision_id=revision.id)
            written.set()
            end.wait(10)
            lookup.bump_index_version()
        connection.close()

    other = threading.Thread(target=slowly)
    other.start()
    assert written.wait(10)
    early = add("Early", "early")
    index = CurrentIndex(factories.VAULT)
    assert set(index.get().topics) == {early}
    end.set()
    other.join()
    late = Topic.objects.get(kind="own")
    assert late.revision_id < Topic.objects.get(id=early).revision_id
    assert set(index.get().topics) == {early, late.id}


def test_fields_come_from_entry_and_citations() -> None:
    by_source, by_author = add("Wire", "source:wire"), add("Author", "author:Na feed:1 OR author:Na huawei")
    by_category, by_lang = add("Rights", "category:rights"), add("Chinese", "huawei lang:zh")
    item = waiting(lang="zh-Hant")
    Citation.objects.create(item=item, n=1, publisher="Example Wire")
    Entry.objects.filter(id=item.entry_id).update(author="Li Na", categories=["Human rights"])
    run()
    assert {row.topic_id for row in Match.objects.all()} == {by_source, by_author, by_category, by_lang}
    receipt = Match.objects.get(topic_id=by_source).receipt
    assert receipt == [{"field": "source", "start": 8, "end": 12, "term": "source:wire", "alias": None, "pack": None}]


def test_preview_matches_recent_items_and_stores_nothing() -> None:
    factories.item("Huawei now", seen=NOW - timedelta(days=1))
    factories.item("Huawei then", seen=NOW - timedelta(days=40))
    [found] = match.preview_matches(["huawei"], now=NOW, days=30)
    assert [one.title for one in found] == ["Huawei now"]
    assert Match.objects.count() == 0


def test_invalid_names_and_queries_are_refused() -> None:
    add("Uyghur", "Uyghur")
    for name, query in (("uyghur", "x"), ("", "x"), ("!", "x"), ("x" * 81, "x"), ("Other", "(")):
        assert isinstance(topics.add_topic(name, query, now=NOW, actor=ACTOR), Refused)
    assert isinstance(edit("Nothing", "x"), Refused)
    assert Topic.objects.count() == 1


def test_edit_makes_a_revision_and_retiring_ends_subscriptions() -> None:
    topic_id = add("Uyghur", "Uyghur")
    factories.follow(factories.subscriber(), Topic.objects.get(id=topic_id))
    assert edit("UYGHUR", "Uyghur OR Uighur") == SavedRevision(topic_id, 2)
    history = revisions.history("uyghur")
    assert not isinstance(history, Refused)
    assert [row.query for row in history] == ["Uyghur OR Uighur", "Uyghur"]
    topics.retire_topic("Uyghur", now=NOW, actor=ACTOR)
    assert Subscription.objects.get().ended_reason == "retired"
    waiting("Uyghur")
    assert run().matches == 0


def test_equal_keywords_share_an_encrypted_topic() -> None:
    first = topics.keyword_topic("Zzyzx road", vault=factories.VAULT, now=NOW)
    assert topics.keyword_topic(" ZZYZX  road ", vault=factories.VAULT, now=NOW) == first
    assert topics.keyword_topic("Zzyzx", vault=factories.VAULT, now=NOW) != first
    row = Topic.objects.get(id=first)
    assert b"zzyzx" not in bytes(row.query_cipher).lower() + bytes(row.query_index).lower()
    assert TopicRevision.objects.get(topic=row).query is None
    assert topics.keywords([first], vault=factories.VAULT) == {first: "Zzyzx road"}


def test_small_numbers_of_followers_are_hidden() -> None:
    topic = Topic.objects.get(id=add("Uyghur", "Uyghur"))
    for _ in range(9):
        factories.follow(factories.subscriber(), topic)
    assert topic_status.list_topics(small_number=10)[0].followers.shown is None
    factories.follow(factories.subscriber(), topic)
    assert topic_status.list_topics(small_number=10)[0].followers.shown == 10


def test_unfollowed_keywords_are_deleted_but_not_ended_subscriptions() -> None:
    gone, kept = (topics.keyword_topic(word, vault=factories.VAULT, now=NOW) for word in ("gone", "kept"))
    ended = factories.follow(factories.subscriber(), Topic.objects.get(id=kept))
    Subscription.objects.filter(id=ended.id).update(ended_at=NOW)
    assert retention.delete_unfollowed() == 1
    assert set(Topic.objects.values_list("id", flat=True)) == {kept}
    assert gone not in {kept}
