"""The engine and the naive matcher return the same hits for the same texts and queries, in mixed scripts."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench import corpus
from newsletter.matching.engine.document import Document
from newsletter.matching.engine.explain import explain
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.query import language
from newsletter.matching.query.compiled import compile_query
from newsletter.matching.text.tokenize import TokenizedText, tokenize
from tests.matching.naive import Naive, tokens
from tests.matching.strategies import ALIASES, QUERY, TEXT, parsed


@example("U.N.U.N.cafe")
@example("l'l'a")
@example("U.N.l'a")
@given(TEXT)
def test_tokens_equal_those_of_the_naive_tokenizer(text: str) -> None:
    assert [(one.key, one.start, one.end) for one in tokenize(text)] == [
        (one.key, one.start, one.end) for one in tokens(text)
    ]


@given(TEXT)
def test_every_key_has_a_place(text: str) -> None:
    reading = TokenizedText(text)
    assert len(reading.keys) == len(reading._spans)
    for number in range(len(reading.keys)):
        start, end = reading.place(number)
        assert 0 <= start < end <= len(text)


@given(st.lists(QUERY, max_size=6), TEXT, TEXT, st.lists(TEXT, max_size=2))
def test_index_equals_the_naive_matcher(asked: list[str], title: str, text: str, sources: list[str]) -> None:
    item = Document(title, text, "", tuple(sources), ("a UN",), (), "b café", 5)
    trees = parsed(asked)
    index = QueryIndex({number: compile_query(tree, ALIASES) for number, tree in trees.items()})
    met = {one.topic_id: {(hit.field, hit.start, hit.end) for hit in one.hits} for one in index.matching_queries(item)}
    naive = Naive(item, ALIASES)
    truth = {number: naive.matches(tree) for number, tree in trees.items()}
    assert met == {number: places for number, places in truth.items() if places is not None}
    for number, tree in trees.items():
        assert explain(tree, item, ALIASES).met == (number in met)


@given(
    st.lists(st.tuples(st.integers(0, 4), QUERY | st.none()), max_size=12),
    st.lists(TEXT, min_size=1, max_size=3),
)
def test_versions_of_a_changing_index_are_independent(changes: list[tuple[int, str | None]], texts: list[str]) -> None:
    items, index, now = [Document("", text) for text in texts], QueryIndex({}), {}
    moments = [(index, now)]
    for topic_id, asked in changes:
        plans = {topic_id: compile_query(tree, ALIASES) for tree in parsed([asked or ""]).values()}  # noqa: B035 - one or none
        now = {**{one: plan for one, plan in now.items() if one != topic_id}, **plans}
        index = index.updated(plans, () if plans else [topic_id])
        assert [index.matching_topics(item) for item in items] == [
            QueryIndex(now).matching_topics(item) for item in items
        ]
        moments.append((index, now))
    for seen, then in moments:
        assert seen.queries == then
        for item in items:
            assert (
                seen.matching_queries(item)
                == QueryIndex(then).matching_queries(item)
                == seen.rebuilt().matching_queries(item)
            )


@pytest.mark.no_cover
def test_posts_match_with_perfect_precision_and_recall() -> None:
    made = corpus.make(6, 300, vocabulary=2_000)
    trees = {number: language.parse(corpus.written(query)) for number, query in enumerate(made.queries)}
    index = QueryIndex({number: compile_query(tree) for number, tree in trees.items()})
    found = 0
    for post in made.posts:
        item = Document("", post, "en")
        naive = Naive(item)
        truth = {number: places for number, tree in trees.items() if (places := naive.matches(tree)) is not None}
        assert {
            one.topic_id: {(hit.field, hit.start, hit.end) for hit in one.hits} for one in index.matching_queries(item)
        } == truth
        found += len(truth)
    assert found > 100
