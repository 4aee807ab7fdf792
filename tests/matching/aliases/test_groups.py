"""Spellings of the packs in topics: both ways, one way, only beside a word, switched off; and what a match keeps of them."""

import pytest

from newsletter.lib.refused import Refused
from newsletter.matching import match, rematch
from newsletter.matching.aliases.groups import AliasGroup, OnlyWith, alias_table, group_query, without_spellings
from newsletter.matching.engine.document import Document
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.live_index.current import CurrentIndex
from newsletter.matching.query.compiled import compile_query
from newsletter.matching.query.language import parse
from newsletter.matching.topics import explain_match, limits, reader_feedback, revisions, topics
from newsletter.matching.topics.revisions import TopicChange
from newsletter.models import IndexState, Item, Match, Topic
from tests import factories
from tests.factories import ACTOR

NOW = factories.NOW
UYGHUR = AliasGroup(
    "uyghur", "peoples", "Uyghur", ("Uyghur", "Uighur", "维吾尔"), "A book", ("XUAR", "Weiwuer Zizhiqu")
)
APPLE = AliasGroup(
    "apple",
    "companies",
    "Apple",
    ("苹果公司", "Apple Inc"),
    "A book",
    (),
    (OnlyWith("Apple", ("iPhone", "App Store")),),
)
GROUPS = (UYGHUR, APPLE)


def met(query: str, text: str, groups: tuple[AliasGroup, ...] = GROUPS) -> list[tuple[str, str | None]]:
    """(word as it stands, alias) of every hit."""
    found = QueryIndex({0: compile_query(parse(query), alias_table(groups))}).matching_queries(Document("", text))
    return [(text[hit.start : hit.end], hit.alias) for one in found for hit in one.hits]


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("Uyghur", "An Uighur town", [("Uighur", "Uighur")]),
        ("Uighur", "维吾尔", [("维吾尔", "维吾尔")]),
        ("维吾尔", "An Uyghur town", [("Uyghur", "Uyghur")]),
        ("uyghur", "Two Uyghurs", [("Uyghurs", None)]),
        ("Uyghur", "The XUAR today", [("XUAR", "XUAR")]),
        ("XUAR", "An Uyghur town", []),
        ("Weiwuer-Zizhiqu", "An Uyghur town", []),
        ("Uyghur", "Weiwuer Zizhiqu", [("Weiwuer Zizhiqu", '"Weiwuer Zizhiqu"')]),
        ('"Uyghur"', "An Uighur town", []),
        ("=Uyghur", "An Uighur town", []),
        ("苹果公司", "An Apple a day", []),
        ("Apple", "An Apple a day", []),
        ("apple", "Apples and the iPhone", [("Apples", "Apple")]),
        ("Apple", "苹果公司", [("苹果公司", "苹果公司")]),
        ('"Apple"', "An Apple a day", [("Apple", None)]),
        ("苹果公司", "An Apple iPhone", [("Apple", "Apple")]),
        ("苹果公司", "Apple opens its App Store", [("Apple", "Apple")]),
        ("Apple-Inc", "蘋果公司", [("蘋果公司", "苹果公司")]),
        ("cable -Uyghur", "A cable in the XUAR", []),
    ],
)
def test_spellings_find_each_other(query: str, text: str, expected: list[tuple[str, str | None]]) -> None:
    assert met(query, text) == expected


def test_group_query_matches_every_spelling() -> None:
    assert [group_query(group) for group in GROUPS] == ["Uyghur", "Apple"]
    for group in GROUPS:
        for spelling in (*group.spellings, *group.one_way):
            assert met(group_query(group), spelling), spelling


def test_disabled_spelling_neither_finds_nor_is_found() -> None:
    less = without_spellings(GROUPS, ["uighur"])
    assert met("Uyghur", "An Uighur town", less) == []
    assert met("Uighur", "An Uyghur town", less) == []
    assert met("Uyghur", "维吾尔", less) == [("维吾尔", "维吾尔")]


@pytest.fixture
def _fresh(db) -> None:
    IndexState.objects.get_or_create(id=1)


def meet(title: str, text: str = "Text.") -> Item:
    item = factories.item(title, text)
    Item.objects.filter(id=item.id).update(matched_at=None)
    match.match_fresh(now=NOW, index=CurrentIndex(factories.VAULT))
    return item


@pytest.mark.usefixtures("_fresh")
def test_receipt_names_the_alias_and_the_topic_can_disable_it() -> None:
    topics.add_topic("Uyghur", "Uyghur", now=NOW, actor=ACTOR)
    meet("新疆的维吾尔人")
    (hit,) = Match.objects.get().receipt
    assert hit == {"field": "title", "start": 3, "end": 6, "term": "Uyghur", "alias": "维吾尔", "pack": "peoples"}
    draft = revisions.changed_draft("Uyghur", TopicChange(off=("维吾尔",)))
    assert not isinstance(draft, Refused)
    revisions.save_draft("Uyghur", draft, now=NOW, actor=ACTOR)
    rematch.rematch(clock=lambda: NOW)
    assert Match.objects.get().withdrawn_at == NOW
    meet("又是维吾尔人")
    assert Match.objects.count() == 1


@pytest.mark.usefixtures("_fresh")
def test_keywords_match_no_aliases_and_topics_may_choose_none() -> None:
    own = topics.keyword_topic("Uyghur", vault=factories.VAULT, now=NOW)
    topics.add_draft("Plain", revisions.new_draft("Uyghur", packs=()), now=NOW, actor=ACTOR)
    meet("新疆的维吾尔人")
    assert not Match.objects.exists()
    meet("Two Uyghurs")
    assert Match.objects.get(topic_id=own).receipt is None


@pytest.mark.usefixtures("_fresh")
def test_explanations_of_matches_and_of_none() -> None:
    topics.add_topic("Cables", "(cable OR Hikvision) -fish", now=NOW, actor=ACTOR)
    good, bad, none = meet("海康威视"), meet("A cable for fish"), meet("Nothing")
    told = explain_match.explain_match(good.id, "cables")
    assert told.meets
    assert [(one.term, one.met) for one in told.decided] == [("Hikvision", True), ("fish", False)]
    assert told.words["Hikvision"] == ("海康威视",)
    assert told.stored.endswith("owed since 2026-11-24 09:00")
    told = explain_match.explain_match(bad.id, "Cables")
    assert (told.meets, [(one.term, one.met) for one in told.decided], told.stored) == (False, [("fish", True)], None)
    told = explain_match.explain_match(none.id, "Cables")
    assert [(one.term, one.met) for one in told.decided] == [("cable", False), ("Hikvision", False)]
    assert isinstance(explain_match.explain_match(10**6, "Cables"), Refused)
    assert isinstance(explain_match.explain_match(good.id, "Nothing"), Refused)


@pytest.mark.usefixtures("_fresh")
def test_noisy_spellings_are_listed_with_their_worst_items() -> None:
    topic = Topic.objects.get(id=topics.add_topic("Uyghur", "Uyghur", now=NOW, actor=ACTOR).topic_id)
    noisy, quiet = meet("A Weiwuer name"), meet("An Uyghur town")
    token = reader_feedback.objection_token(noisy.id, topic.id, factories.VAULT)
    for _ in range(limits.NOISY_FROM - 1):
        assert reader_feedback.record_objection(token, now=NOW, vault=factories.VAULT)
    assert reader_feedback.noisy_spellings(topic.id) == []
    assert reader_feedback.record_objection(token, now=NOW, vault=factories.VAULT)
    reader_feedback.record_objection(
        reader_feedback.objection_token(quiet.id, topic.id, factories.VAULT), now=NOW, vault=factories.VAULT
    )
    (one,) = reader_feedback.noisy_spellings(topic.id)
    assert (one.spelling, one.pack, one.matches, one.objections) == ("Weiwuer", "peoples", 1, 3)
    assert one.worst == (reader_feedback.ObjectedItem(noisy.id, "A Weiwuer name", ("Weiwuer",), 3),)


@pytest.mark.usefixtures("_fresh")
def test_invalid_objection_links_count_nothing() -> None:
    topic = topics.add_topic("Uyghur", "Uyghur", now=NOW, actor=ACTOR).topic_id
    item = meet("Uyghur")
    for token in (
        factories.VAULT.token("ask", item.id, topic.to_bytes(8)),
        factories.VAULT.token("objection", item.id, (topic + 1).to_bytes(8)),
        factories.VAULT.token("objection", 2**63, bytes(8)),
        "x",
    ):
        assert reader_feedback.objected_match(token, vault=factories.VAULT) is None
        assert not reader_feedback.record_objection(token, now=NOW, vault=factories.VAULT)
    assert Match.objects.get().objections == 0
