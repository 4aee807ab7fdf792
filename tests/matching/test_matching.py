"""Words, queries and the index: right in every script, and equal to a naive matcher to the offset."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.matching import query as queries
from newsletter.matching.index import Index, spans
from newsletter.matching.query import And, Not, Or, QueryError, Term
from newsletter.matching.text import keys, words


def found(query: str, text: str, title: str = "") -> list[str]:
    shown = {"title": title, "text": text}
    return [shown[hit.field][hit.start : hit.end] for hit in spans(query, title, text)]


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("Uyghur", "Two Uyghurs, UYGHUR towns and a Uyghur’s house", ["Uyghurs", "UYGHUR", "Uyghur’s"]),
        ("Huawei", "Huawei's, HUAWEI and Huaweis", ["Huawei's", "HUAWEI", "Huaweis"]),
        ("art", "party, artist, art.", ["art"]),
        ("new", "renewal", []),
        ("news", "a new day", []),
        ("维吾尔", "住在新疆的维吾尔人", ["维吾尔"]),
        ("Huawei", "华为Huawei公司", ["Huawei"]),
        ("uyghur", "EM_NATION_TYPE_UYGHUR", ["UYGHUR"]),
        ("हिन्दी", "यह हिन्दी है", ["हिन्दी"]),
        ("हिन", "यह हिन्दी है", []),
        ("уйгур", "Уйгур и уйгурский", ["Уйгур"]),
        ("ئۇيغۇر", "يېڭى ئۇيغۇر كىتاب", ["ئۇيغۇر"]),
        ("café", "cafe\u0301", ["cafe\u0301"]),
        ("cafe\u0301", "café", ["café"]),
        ("Huawei", "Ｈｕａｗｅｉ", ["Ｈｕａｗｅｉ"]),
        ("Huawei", "Hua\u00adwei and Hua\u200bwei", ["Hua\u00adwei", "Hua\u200bwei"]),
        ('"submarine cable"', "Submarine  cables and a cable", ["Submarine  cables"]),
        ("O'Neill", "O’Neill’s", ["O’Neill’s"]),
    ],
)
def test_whole_words_in_every_script(query: str, text: str, expected: list[str]) -> None:
    assert found(query, text) == expected


def test_and_or_not_and_parentheses() -> None:
    assert found("(cable OR ship) sea -war", "A ship on the sea") == ["ship", "sea"]
    assert found("(cable OR ship) sea -war", "A ship at war on the sea") == []
    assert found("cable AND NOT ship", "cable") == ["cable"]
    assert found("cable sea", "cable", title="sea") == ["sea", "cable"]


@pytest.mark.parametrize(
    ("bad", "column"),
    [
        ("", 1),
        ("-secret", 1),
        ("secret OR -other", 1),
        ("(secret", 8),
        ("secret OR", 10),
        ("secret)", 7),
        ('"secret', 1),
        ("!!", 1),
        ("x" * 301, 301),
        (" ".join(f"w{number}" for number in range(21)), 1),
    ],
)
def test_a_bad_query_is_refused_with_a_place_and_without_its_words(bad: str, column: int) -> None:
    with pytest.raises(QueryError) as error:
        queries.parse(bad)
    assert error.value.column == column
    assert error.value.hint
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_deep_is_refused_and_never_runs_over() -> None:
    with pytest.raises(QueryError):
        queries.parse("(" * 140 + "a" + ")" * 140 + " OR (b (c OR (d (e OR (f (g OR (h (i OR j)))))))) ")
    with pytest.raises(QueryError):
        queries.parse("NOT " * 70 + "a")


@pytest.mark.parametrize("same", ["Submarine  CABLE", "submarine cable", " submarine\tcable "])
def test_the_same_keyword_has_one_form(same: str) -> None:
    assert queries.normal(same) == queries.normal("submarine cable")
    assert queries.normal(same) != queries.normal('"submarine cable"')


@pytest.mark.parametrize("bad", ["a OR b", "(a b)", "-a"])
def test_readers_have_words_phrases_and_minus(bad: str) -> None:
    if bad != "(a b)":
        with pytest.raises(QueryError):
            queries.keyword(bad)
    assert queries.keyword(' "a phrase" word -not ') == '"a phrase" word -not'


LETTERS = st.text(alphabet="ab'’s 维吾尔Aé\u0301_-.ئۇغय़ि", max_size=40)
WORD = st.sampled_from(["ab", "abs", "ba", "s", "维吾", "吾", "尔", "é", "ئۇ", "aa", "bab"])
QUERY = st.recursive(
    WORD | st.tuples(WORD, WORD).map(lambda pair: f'"{pair[0]} {pair[1]}"'),
    lambda inner: st.tuples(inner, st.sampled_from([" ", " OR ", " -"]), inner).map(
        lambda three: f"({three[0]}){three[1]}({three[2]})"
    ),
    max_leaves=5,
)


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_an_error(text: str) -> None:
    try:
        parsed = queries.parse(text)
    except QueryError as error:
        assert error.column >= 1
    else:
        assert queries.parse(queries.normal(text)) is not None
        assert list(queries.positive(parsed))


@example("吾\u093c")
@given(LETTERS)
def test_places_are_where_the_words_stand(text: str) -> None:
    for word in words(text):
        assert 0 <= word.start < word.end <= len(text)
        again = keys(text[word.start : word.end])
        assert again[:1] == (word.key,)


def naive(query: queries.Query, title: str, text: str) -> set[tuple[str, int, int]] | None:
    """Written the slow way: every term at every word of both fields."""
    places: dict[Term, set[tuple[str, int, int]]] = {}
    for term in queries.terms(query):
        for name, shown in (("title", title), ("text", text)):
            read = words(shown)
            for at in range(len(read) - len(term.keys) + 1):
                here = [word.key for word in read[at : at + len(term.keys)]]
                last = term.keys[-1]
                plural = [*term.keys[:-1], last + "s"]
                loose = len(last) >= 3 and last.isalpha() and not last.endswith("s") and here == plural
                if here == list(term.keys) or loose:
                    spot = (name, read[at].start, read[at + len(term.keys) - 1].end)
                    places.setdefault(term, set()).add(spot)

    def holds(part: queries.Query) -> bool:
        match part:
            case Term():
                return part in places
            case Not(inner):
                return not holds(inner)
            case And(parts):
                return all(map(holds, parts))
            case Or(parts):
                return any(map(holds, parts))

    if not holds(query):
        return None
    return {spot for term in queries.positive(query) for spot in places.get(term, set())}


@given(st.lists(QUERY, max_size=5), LETTERS, LETTERS)
def test_the_index_is_the_naive_matcher(asked: list[str], title: str, text: str) -> None:
    parsed = {}
    for number, one in enumerate(asked):
        try:
            parsed[number] = queries.parse(one)
        except QueryError:
            continue
    met = {
        one.topic_id: {(hit.field, hit.start, hit.end) for hit in one.hits} for one in Index(parsed).meet(title, text)
    }
    truth = {number: naive(query, title, text) for number, query in parsed.items()}
    assert met == {number: places for number, places in truth.items() if places is not None}
