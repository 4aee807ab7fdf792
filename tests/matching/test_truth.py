"""The engine and the naive matcher say the same of the same texts and queries, in mixed scripts, to the offset."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench import corpus
from newsletter.matching.engine.document import Document
from newsletter.matching.engine.explain import explain
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.query import language
from newsletter.matching.query.compiled import Alias, compile_query
from newsletter.matching.query.nodes import Query
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.text.tokenize import TokenizedText, tokenize
from tests.matching.naive import Naive, tokens

# fmt: off
PIECES = [
    "a", "b", "ab", "abs", "bab", "UN", "un", "U.N.", "us", "US", "USs", "l'", "O'", "’s", "'", "’", "-", "‐", "--", "_", ".",
    ", ", " ", " ", " ", " ", "\n", "\n\n", "\n \n", "cafe", "café", "cafe\u0301", "Ａｂ", "\u00ad", "\u200d", "policy",
    "policies", "Policy’s", "维", "吾", "尔", "維吾爾", "コー", "ｶﾞ", "ไท", "ย", "ทิ", "བོད", "་", "ئۇيغۇر", "ە", "ه", "كِتاب",
    "کتاب", "शब्द", "शब्दों", "हिन्दी", "한국", "\u1112\u1161\u11ab", "уйгур", "уйгуры", "ß", "ss", "İ", "i", "№", "²", "™",
    "ﬁ", "\u0301", "e-mail", "email", "5G", "ᾳ", "ё", "AT&T", "&", "$", "#", "+", "C++", "C#", "c", "1,000", "1000", "1.000", ",",
    "1\u202f000", "000", "1", "x", "dell'", "un'", "y'", "nk'", "'ll", "'d", "'n", "abc", "צה", '"', "ל", "ב", "ካብ", "ዚ",
    "the", "then", "Williams", "William", "Julie", "Julies", "July", "Путин", "Путина", "Иван", "Иванов", "который",
]
WORDS = [
    "a", "b", "ab", "abs", "UN", "un", "US", "us", "U.N.", "café", "cafe", "policy", "维吾", "吾尔", "維", "コ", "ガ", "ทิ", "ท",
    "བོ", "ئۇيغۇر", "ە", "كتاب", "शब्द", "हिन्दी", "한", "уйгур", "ss", "i", "no", "fi", "e-mail", "email", "a-b", "l'ab", "5g",
    "ονα", "ё", "е", "AT&T", "C++", "c#", "C", "$1", "1000", "1,000", "#abc", "x+", "צהל", "ካብ", "the", "Williams", "William",
    "Julie", "julie", "Julies", "July", "july", "Путин", "путин", "Путина", "Иван", "иван", "ABS", "Policy", "Policies",
    "policies", "E-mail",
]
# fmt: on
TEXT = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
WORD = st.sampled_from(WORDS)
PLAIN = st.one_of(
    WORD,
    st.lists(WORD, min_size=1, max_size=4).map(lambda some: f'"{" ".join(some)}"'),
    st.lists(WORD, min_size=2, max_size=3).flatmap(
        lambda some: st.integers(0, 4).map(lambda far: f'"{" ".join(some)}"~{far}')
    ),
    WORD.map(lambda word: f"={word}"),
    WORD.map(lambda word: f"~{word}"),
    st.sampled_from(["pol*", "caf*", "ema*", "e-mai*", "abs*", "уйг*", "ئۇي*"]),
)
TERM = PLAIN | st.tuples(st.sampled_from(["title", "source", "author", "lang", "feed"]), PLAIN).map(":".join)
QUERY = st.recursive(
    TERM,
    lambda inner: st.tuples(inner, st.sampled_from([" ", " OR ", " -"]), inner).map(
        lambda three: f"({three[0]}){three[1]}({three[2]})"
    ),
    max_leaves=5,
)
ALIASES = {
    "ab": (Alias("un", "p", "g"), Alias("维吾", "p", "g"), Alias("policy", "p", "g", ("us", "café"))),
    "un": (Alias('"a b"', "p", "g"), Alias("=US", "p", "g", ("ab",))),
    "e mail": (Alias("e-mail", "p", "g"),),
    "policy": (Alias("policy", "p", "g", ("un",)), Alias("ab", "p", "g")),
}


def parsed(asked: list[str]) -> dict[int, Query]:
    made = {}
    for number, one in enumerate(asked):
        try:
            made[number] = language.parse(one)
        except QueryError:
            continue
    return made


@example("U.N.U.N.cafe")
@example("l'l'a")
@example("U.N.l'a")
@given(TEXT)
def test_words_are_what_the_documentation_says(text: str) -> None:
    assert [(one.key, one.start, one.end) for one in tokenize(text)] == [
        (one.key, one.start, one.end) for one in tokens(text)
    ]


@given(TEXT)
def test_keys_and_places_go_together(text: str) -> None:
    reading = TokenizedText(text)
    assert len(reading.keys) == len(reading._spans)
    for number in range(len(reading.keys)):
        start, end = reading.place(number)
        assert 0 <= start < end <= len(text)


@given(st.lists(QUERY, max_size=6), TEXT, TEXT, st.lists(TEXT, max_size=2))
def test_the_index_is_the_naive_matcher(asked: list[str], title: str, text: str, sources: list[str]) -> None:
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
def test_each_moment_of_a_changing_index_is_an_index_of_its_own(
    changes: list[tuple[int, str | None]], texts: list[str]
) -> None:
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
def test_precision_and_recall_are_perfect_on_posts() -> None:
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
