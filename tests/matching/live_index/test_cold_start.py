"""A process that has no index yet: anchors lead to every topic that an item meets, tell nothing, and are soon not needed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from django.db import connection
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.matching import match, retention
from newsletter.matching.engine.document import Document
from newsletter.matching.engine.item_matcher import ItemMatcher
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.engine.required_words import item_keys, required_words
from newsletter.matching.live_index import cold_start, keyword_hashes
from newsletter.matching.live_index.current import CurrentIndex
from newsletter.matching.query.compiled import compile_query
from newsletter.matching.topics import topics
from newsletter.matching.topics.revisions import SavedRevision
from newsletter.models import Anchor, IndexState, Item, Match, Topic
from tests import factories
from tests.factories import ACTOR
from tests.matching.strategies import ALIASES, QUERY, TEXT, parsed

NOW = factories.NOW
KEYWORDS = [
    "Zzyzx",
    "elections",
    '"submarine cable"',
    '"new submarine cable"',
    "cable -ship",
    "e-mail",
    "维吾尔",
    "US",
    "cheval",
]
POSTS = [
    ("A Zzyzx election", "A new submarine cable. They e-mailed us.", "en"),
    ("维吾尔", "Submarine\n\ncable, in the US, emails", "en"),
    ("Ship", "A cable ship", ""),
]


@example(["ab"], "", "a-b", "")
@example(['"policy"'], "", "policies", "en")
@example(["policy"], "", "Policies", "fr")
@given(st.lists(QUERY, max_size=4), TEXT, TEXT, st.sampled_from(["", "en", "fr", "ru", "zh"]))
def test_matching_item_has_a_required_word(asked: list[str], title: str, text: str, lang: str) -> None:
    item = Document(title, text, lang, (), ("a UN",))
    body = ItemMatcher(item).body
    for aliases in (ALIASES, {}):
        plans = {number: compile_query(tree, aliases) for number, tree in parsed(asked).items()}
        met = set(QueryIndex(plans).matching_topics(item))
        for number, plan in plans.items():
            found = required_words(plan)
            shared = None if found is None else found.keys(body.stems) & item_keys(body)
            assert shared is None or shared or number not in met
            assert not (found and found.sufficient and shared) or number in met


@contextmanager
def new_process() -> Iterator[CurrentIndex]:
    """The index of a process that has not compiled anything, and for which a few topics are many."""
    with patch.object(cold_start, "_FEW", 3):
        yield CurrentIndex(factories.VAULT)
    for thread in threading.enumerate():
        if thread.name == "whole index":
            thread.join()


def waiting(title: str, text: str, lang: str) -> Item:
    item = factories.item(title, text)
    Item.objects.filter(id=item.id).update(matched_at=None, lang=lang)
    return item


def run(index: CurrentIndex) -> set[tuple[int, int]]:
    match.match_fresh(now=NOW, index=index)
    return set(Match.objects.values_list("item_id", "topic_id"))


@pytest.fixture
def _topics(transactional_db: None) -> None:
    IndexState.objects.get_or_create(id=1)
    for keyword in KEYWORDS:
        topics.keyword_topic(keyword, vault=factories.VAULT, now=NOW)
    topics.add_topic("Ships", "ship OR title:zzyzx", now=NOW, actor=ACTOR)


@pytest.mark.usefixtures("_topics")
def test_cold_start_index_equals_the_whole_index() -> None:
    for post in POSTS:
        waiting(*post)
    with new_process() as index, patch.object(cold_start, "_FEW", 9), patch.object(cold_start, "_build_whole"):
        seen = [one.document for one in match.load_items(match.current_versions().order_by("item_id"))]
        few = cold_start.cold_start_index(seen, index)
        assert few is not None and len(few.index.queries) < len(few.topics) < len(KEYWORDS) + 1
        early = run(index)
    receipts = dict(Match.objects.exclude(receipt=None).values_list("item_id", "receipt"))
    Match.objects.all().delete()
    Item.objects.update(matched_at=None)
    whole = CurrentIndex(factories.VAULT)
    whole.get()
    assert run(whole) == early
    assert len(early) == 12
    assert dict(Match.objects.exclude(receipt=None).values_list("item_id", "receipt")) == receipts


@pytest.mark.usefixtures("_topics")
def test_whole_index_is_built_in_the_background_and_missing_hashes_are_stored() -> None:
    before = set(Anchor.objects.values_list("sign", "topic_id", "enough"))
    Anchor.objects.all().delete()
    Topic.objects.update(anchors_version=0)
    waiting(*POSTS[0])
    with new_process() as index:
        cold_start.cold_start_index([Document(*POSTS[0])], index)
    assert index.cached is not None
    assert set(Anchor.objects.values_list("sign", "topic_id", "enough")) == before
    assert not keyword_hashes.topics_without_hashes().exists()
    assert cold_start.cold_start_index([Document(*POSTS[0])], index) is None


@pytest.mark.usefixtures("_topics")
def test_new_language_needs_its_own_hashes() -> None:
    french = ("", "les chevaux", "fr")
    item = waiting(*french)
    with new_process() as index, patch.object(cold_start, "_build_whole"):
        assert cold_start.cold_start_index([Document(*french)], index) is None
    keyword_hashes.store_missing_hashes({"fr", "en"}, factories.VAULT)
    assert keyword_hashes.hashed_languages() == ["fr"]
    with new_process() as index, patch.object(cold_start, "_FEW", 9), patch.object(cold_start, "_build_whole"):
        present = cold_start.cold_start_index([Document(*french)], index)
        assert present is not None and len(present.known[Document(*french)]) == 1
        assert {pair[0] for pair in run(index)} == {item.id}


@pytest.mark.usefixtures("_topics")
def test_hashes_reveal_no_word_and_are_deleted_with_their_topic() -> None:
    curated = topics.add_topic("Zzyzx", "Zzyzx", now=NOW, actor=ACTOR)
    assert isinstance(curated, SavedRevision)
    assert not Anchor.objects.filter(topic_id=curated.topic_id).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM anchor")
        assert all(isinstance(value, int) for row in cursor.fetchall() for value in row)
    assert keyword_hashes.hash_words(["english:zzyzx"], factories.VAULT).keys() <= set(
        Anchor.objects.values_list("sign", flat=True)
    )
    other = type(factories.VAULT)(b"another", {1: bytes(32)}, bytes(32))
    assert not keyword_hashes.hash_words(["english:zzyzx"], other).keys() & set(
        Anchor.objects.values_list("sign", flat=True)
    )
    assert retention.delete_unfollowed() == len(KEYWORDS)
    assert not Anchor.objects.exists()


@pytest.mark.usefixtures("_topics")
def test_hashes_of_another_version_are_ignored_until_rewritten() -> None:
    """As after an upgrade: with the rules of before, `Lee` met "les" of French texts, and its anchor alone was enough."""
    lee = topics.keyword_topic("Lee", vault=factories.VAULT, now=NOW)
    french, named = Document("", "les chats", "fr"), Document("", "Bruce Lee", "en")
    with patch.object(keyword_hashes, "VERSION", 0):
        sign = next(iter(keyword_hashes.hash_words(["french:le"], factories.VAULT)))
    Anchor.objects.filter(topic_id=lee).delete()
    Anchor.objects.create(sign=sign, topic_id=lee, enough=True)
    Topic.objects.filter(id=lee).update(anchors_version=0, anchored=True)
    IndexState.objects.update(languages=["fr"])
    assert keyword_hashes.hash_words(["french:le"], factories.VAULT).keys() != {sign}
    for again in (False, True):
        with new_process() as index, patch.object(cold_start, "_FEW", 9), patch.object(cold_start, "_build_whole"):
            present = cold_start.cold_start_index([french, named], index)
        assert present is not None
        assert lee not in {met.topic_id for met in present.matching_queries(french)}
        assert lee in {met.topic_id for met in present.matching_queries(named)}
        if not again:
            assert keyword_hashes.store_missing_hashes((), factories.VAULT) == 1
            assert not keyword_hashes.topics_without_hashes().exists()


@pytest.mark.usefixtures("_topics")
def test_unreadable_keyword_does_not_stop_others() -> None:
    topic = Topic.objects.filter(kind="own").order_by("id")[0]
    key_id, cipher = factories.VAULT.encrypt("((", handle=bytes(topic.query_index or b""), column="query")
    Anchor.objects.filter(topic=topic).delete()
    Topic.objects.filter(id=topic.id).update(key_id=key_id, query_cipher=cipher, anchors_version=0)
    assert keyword_hashes.store_missing_hashes((), factories.VAULT) == 1
    waiting("elections", "", "en")
    with new_process() as index, patch.object(cold_start, "_FEW", 9), patch.object(cold_start, "_build_whole"):
        present = cold_start.cold_start_index([Document("elections", "", "en")], index)
        assert present is not None and present.broken.keys() == {topic.id}
        assert len(run(index)) == 1
