"""The inverted index says of every item what the naive matcher says, or that it does not know."""

from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.matching.engine.document import Document
from newsletter.matching.engine.inverted_index import IndexedItem, ItemBlock, index_item
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.query import language
from newsletter.matching.query.compiled import MatchKind, compile_query
from newsletter.matching.query.nodes import Query, terms
from newsletter.matching.query.query_error import QueryError
from tests.matching.naive import Naive
from tests.matching.strategies import ALIASES, PIECES, QUERY, TEXT, WORDS, parsed

ITEMS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4)
LANGUAGES = st.sampled_from(["", "en", "fr", "de", "ru", "ar", "zh", "hi", "tr"])
#: Everything that a reader's own keyword may be made of.
TYPED = st.sampled_from([*WORDS, *(piece for piece in PIECES if piece.strip()), "UNs", "ABS", "THE"])
KEYWORD = st.lists(
    st.tuples(
        st.sampled_from(["", "", "-"]),
        TYPED
        | st.lists(TYPED, min_size=1, max_size=4).map(
            lambda some: '"' + " ".join(some).replace('"', "").replace("\\", "") + '"'
        ),
    ).map("".join),
    min_size=1,
    max_size=4,
).map(" ".join)


def truly(items: list[Document], tree: Query) -> set[int]:
    return {slot for slot, item in enumerate(items) if Naive(item, ALIASES).holds(tree)}


@given(st.lists(QUERY, min_size=1, max_size=4), ITEMS, st.lists(TEXT, max_size=2))
def test_certain_items_match_and_matching_items_are_possible(
    asked: list[str], texts: list[tuple[str, str]], sources: list[str]
) -> None:
    items = [Document(title, text, "", tuple(sources), ("a UN",), (), "b café", 5) for title, text in texts]
    block = ItemBlock().updated(dict(enumerate(map(index_item, items))))
    for tree in parsed(asked).values():
        found = block.decide(compile_query(tree, ALIASES), block.slots)
        assert found.certain <= truly(items, tree) <= found.possible


@example(["US -us", '"U.N."', "-un a"], [("US us", "U.N."), ("UNs a", "")])
@example(["维吾尔", '"a b a"'], [("維吾 吾爾", "a b b a"), ("", "a\n\nb a")])
@given(st.lists(KEYWORD, min_size=1, max_size=4), ITEMS)
def test_keywords_are_decided_except_for_forms_of_names_and_signs(
    asked: list[str], texts: list[tuple[str, str]]
) -> None:
    items = [Document(title, text) for title, text in texts]
    block = ItemBlock().updated(dict(enumerate(map(index_item, items))))
    for keyword in asked:
        try:
            tree = language.parse(language.parse_keyword(keyword))
        except QueryError:
            continue
        plan = compile_query(tree)
        found = block.decide(plan, block.slots)
        truth = {slot for slot, item in enumerate(items) if Naive(item).holds(tree)}
        assert found.certain <= truth <= found.possible
        # inflected names and signs are left to the matcher
        if not any(way.kind is MatchKind.NAME or way.symbols for sought in terms(plan) for way in sought.alternatives):
            assert found.certain == found.possible


@given(
    st.lists(KEYWORD | QUERY, min_size=1, max_size=4),
    st.lists(st.tuples(TEXT, TEXT, LANGUAGES), min_size=1, max_size=4),
)
def test_block_with_items_in_several_languages(asked: list[str], texts: list[tuple[str, str, str]]) -> None:
    items = [Document(*one) for one in texts]
    block = ItemBlock().updated(dict(enumerate(map(index_item, items))))
    for tree in parsed(asked).values():
        plan = compile_query(tree)
        matched = {slot for slot, item in enumerate(items) if QueryIndex({0: plan}).matching_topics(item)}
        found = block.decide(plan, block.slots)
        assert found.certain <= matched <= found.possible


@given(
    st.lists(
        st.dictionaries(st.integers(0, 5), TEXT.map(lambda text: index_item(Document("", text))) | st.none()),
        max_size=4,
    )
)
def test_updated_block_equals_a_new_block(changes: list[dict[int, IndexedItem | None]]) -> None:
    block, now = ItemBlock(), {}
    for change in changes:
        items = {slot: item for slot, item in change.items() if item is not None}
        gone = change.keys() - items.keys()
        block, now = block.updated(items, gone), {**{slot: now[slot] for slot in now.keys() - gone}, **items}
    again = ItemBlock().updated(now)
    assert (block.slots, block.size) == (again.slots, again.size)
    for tree in parsed([*WORDS, '"a b"', "US -ab"]).values():
        plan = compile_query(tree)
        assert block.decide(plan, block.slots) == again.decide(plan, again.slots)
