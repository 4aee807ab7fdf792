"""Queries and words, case by case: every script, what makes no difference, what is refused."""

import re
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.matching.engine.document import Document
from newsletter.matching.engine.explain import explain
from newsletter.matching.engine.item_matcher import MAX_HITS
from newsletter.matching.engine.query_index import QueryIndex, spans
from newsletter.matching.query import language, parser
from newsletter.matching.query.compiled import Alias, alias_key, compile_query
from newsletter.matching.query.nodes import positive, terms
from newsletter.matching.query.query_error import QueryError


def found(query: str, text: str, title: str = "") -> list[str]:
    shown = {"title": title, "text": text}
    return [shown[hit.field][hit.start : hit.end] for hit in spans(query, title, text)]


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        # inflected forms, possessives, case
        ("Uyghur", "Two Uyghurs, UYGHUR towns and a Uyghur’s house", ["Uyghurs", "UYGHUR", "Uyghur’s"]),
        ("Huawei", "Huawei's, HUAWEI and Huaweis", ["Huawei's", "HUAWEI", "Huaweis"]),
        ("election", "elections, an elect, electing", ["elections", "elect", "electing"]),
        ("policy", "Policies of the police", ["Policies"]),
        ("news", "a new day", []),
        ("уйгур", "Уйгур, уйгуры и уйгурский", ["Уйгур", "уйгуры"]),
        ("शब्द", "शब्दों के शब्द", ["शब्दों", "शब्द"]),
        # whole words
        ("art", "party, artist, art.", ["art"]),
        ("new", "renewal", []),
        ("हिन्दी", "यह हिन्दी है", ["हिन्दी"]),
        ("हिन", "यह हिन्दी है", []),
        ("தமிழ்", "இது தமிழ் மொழி", ["தமிழ்"]),
        ("ئۇيغۇر", "يېڭى ئۇيغۇر كىتاب", ["ئۇيغۇر"]),
        ("ئۇيغ", "يېڭى ئۇيغۇر كىتاب", []),
        ("שלום", "הוא אמר שלום.", ["שלום"]),
        ("Αθήνα", "Στην ΑΘΉΝΑ.", ["ΑΘΉΝΑ"]),
        ("화웨이", "화웨이 뉴스, 화웨이가", ["화웨이"]),
        ("uygur", "EM_NATION_TYPE_UYGUR", ["UYGUR"]),
        # scripts without spaces
        ("维吾尔", "住在新疆的维吾尔人", ["维吾尔"]),
        ("維吾爾", "住在新疆的维吾尔人", ["维吾尔"]),
        ("华为", "華為的電纜", ["華為"]),
        ("Huawei", "华为Huawei公司", ["Huawei"]),
        ("华为Huawei", "這是華為 Huawei。", ["華為 Huawei"]),
        ("ウイグル", "新疆ウイグル自治区", ["ウイグル"]),
        ("ウイグル", "新疆ｳｲｸﾞﾙ自治区", ["ｳｲｸﾞﾙ"]),
        ("ไทย", "ประเทศไทยใหม่", ["ไทย"]),
        ("ລາວ", "ປະເທດລາວໃໝ່", ["ລາວ"]),
        ("ខ្មែរ", "ភាសាខ្មែរថ្មី", ["ខ្មែរ"]),
        ("བོད", "བོད་ཡིག", ["བོད"]),
        # letters that are one letter
        ("café", "cafe\u0301", ["cafe\u0301"]),
        ("cafe\u0301", "café", ["café"]),
        ("cafe", "café", []),
        ("Huawei", "Ｈｕａｗｅｉ", ["Ｈｕａｗｅｉ"]),
        ("Huawei", "Hua\u00adwei and Hua\u200bwei", ["Hua\u00adwei", "Hua\u200bwei"]),
        ("Huawei", "Hua\u200d\u2060wei\ufeff", ["Hua\u200d\u2060wei"]),
        ("Huawei", "\u202eHuawei\u202c", ["Huawei"]),
        ("한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8", ["\u1112\u1161\u11ab\u1100\u116e\u11a8"]),
        ("محمد", "مُحَمَّد", ["مُحَمَّد"]),
        ("محمد", "مـحـمـد", ["مـحـمـد"]),
        ("ئەركىن", "ئهركىن", ["ئهركىن"]),  # U+06D5 and U+0647
        ("ھۆكۈمەت", "\ufbaaۆكۈمەت", ["\ufbaaۆكۈمەت"]),  # a presentation form of U+06BE
        ("ھەر", "ەەر", []),  # the Uyghur consonant is not the vowel
        ("كتاب", "کتاب", ["کتاب"]),
        ("می\u200cخواهم", "میخواهم", ["میخواهم"]),
        ("strasse", "Straße", ["Straße"]),
        ("istanbul", "İSTANBUL", ["İSTANBUL"]),
        ("office", "oﬃce", ["oﬃce"]),
        # signs are not words
        ("no", "№ 5, no", ["no"]),
        ("tm", "Huawei™", []),
        ("Huawei", "Huawei™ and Huawei² said", ["Huawei", "Huawei"]),
        # acronyms
        ("UN", "The UN, the U.N. and U.N.’s UNs; un, unUN, RUN", ["UN", "U.N.", "U.N.’s", "UNs"]),
        ("U.N.", "The UN and the U.N.", ["UN", "U.N."]),
        ("US", "tell us, in the US", ["US"]),
        ("us", "tell us, in the US", ["us", "US"]),
        ('"US"', "us, US", ["US"]),
        ("IRAQ", "Iraq", []),
        ("CHINA", "China", ["China"]),
        ("5G", "5g", ["5g"]),
        ("PLA", "the P.L.A.", ["P.L.A."]),
        # apostrophes, hyphens, punctuation
        ("O'Neill", "O’Neill’s", ["O’Neill’s"]),
        ("ONU", "la charte de l’ONU", ["ONU"]),
        ("Xi'an", "Xian, Xi’an", ["Xian", "Xi’an"]),
        ("T'ien", "T‘ien", ["T‘ien"]),
        ("e-mail", "email, e mail, E‑mails", ["email", "e mail", "E‑mails"]),
        ("email", "e-mail, e mail", ["e-mail"]),
        ('"submarine cable"', "Submarine-cable, submarine, cable; submarine cables", ["Submarine-cable", "submarine, cable"]),
        ('"New York"', "a new\n\nYork", []),
        ("“submarine cable”", "submarine  cable", ["submarine  cable"]),
        ("「维吾尔」", "维吾尔", ["维吾尔"]),
        # prefix, exact, accents, proximity
        ("uygh*", "Uyghurs, UYGHURISTAN, Uighur", ["Uyghurs", "UYGHURISTAN"]),
        ("co-oper*", "co-operating", ["co-operating"]),
        ("=Huawei", "HUAWEI, Huawei’s, huawei, Huaweis", ["Huawei’s"]),
        ("=维吾尔", "維吾爾 维吾尔", ["维吾尔"]),
        ('="Radio Free Asia"', "Radio Free Asia, radio free Asia", ["Radio Free Asia"]),
        ("~cafe", "Café, CAFE, cafés", ["Café", "CAFE"]),
        ("~Łódź", "Lodz, Łódź", ["Lodz", "Łódź"]),
        ('"huawei cable"~2', "a cable that new Huawei lays; Huawei x y z cable", ["cable", "Huawei"]),
        ('"huawei cable"~1', "a cable that new Huawei lays", []),
        ('"cable huawei"~9', "cable\n\nHuawei", []),
        (r"\AND", "this AND that", ["AND"]),
        (r'"a \"b\" c"', 'a "b" c', ['a "b" c']),
    ],
)  # fmt: skip
def test_terms_match_texts(query: str, text: str, expected: list[str]) -> None:
    assert found(query, text) == expected


def test_boolean_operators_and_parentheses() -> None:
    assert found("(cable OR ship) sea -war", "A ship on the sea") == ["ship", "sea"]
    assert found("(cable OR ship) sea -war", "A ship at war on the sea") == []
    assert found("cable AND NOT ship", "cable") == ["cable"]
    assert found("cable sea", "cable", title="sea") == ["sea", "cable"]
    assert found("（cable OR ship） -war", "A ship") == ["ship"]


ITEM = Document(
    "Huawei’s cable", "Made in China.", "zh-TW", ("Radio Free Asia",), ("Li Na",), ("Human rights",), "China Digest", 12
)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("title:cable", ["title"]),
        ("title:china", []),
        ("title:(china OR cable)", ["title"]),
        ("source:asia", ["source"]),
        ("source:=Asia", ["source"]),
        ("source:asi*", ["source"]),
        ("source:asian", []),
        ("asia", []),
        ('author:"Li Na" category:rights', ["author", "category"]),
        ("cable lang:zh", ["title", "lang"]),
        ("cable lang:zh-tw feed:12", ["title", "lang", "feed"]),
        ("cable lang:zh-cn", []),
        ('cable feed:"china digest"', ["title", "feed"]),
        ("cable -source:asia", []),
        ("cable -lang:en", ["title"]),
    ],
)
def test_field_terms_match_only_their_field(query: str, fields: list[str]) -> None:
    met = QueryIndex({1: compile_query(language.parse(query))}).matching_queries(ITEM)
    assert [hit.field for one in met for hit in one.hits] == fields


@pytest.mark.parametrize(
    ("bad", "column", "hint"),
    [
        ("", 1, "empty"),
        ("-secret", 1, "leave out"),
        ("secret OR -other", 1, "each side of OR"),
        ("lang:en", 1, "alone"),
        ("secret OR feed:1", 1, "alone"),
        ("(secret", 8, "closing"),
        ("secret OR", 10, "too early"),
        ("OR secret", 1, "between words"),
        ("secret)", 7, "no partner"),
        ('"secret', 1, "quotation mark"),
        ("!!", 1, "no letter"),
        ("secret ''", 8, "no letter"),
        ("x" * 301, 301, "two topics"),
        (" ".join(f"w{number}" for number in range(21)), 1, "20"),
        ("secret titel:secret", 8, "title:"),
        ("https:secret", 1, "source:"),
        ("source:title:secret", 8, "side by side"),
        ("a title:(b source:secret)", 3, "inside"),
        ("se*", 1, "3 letters"),
        ("se*cret", 1, "end of a word"),
        ("维吾*", 1, "leave out"),
        ("=sec*", 1, "together"),
        ('"secret other"~x', 1, "0 to 100"),
        ('"secret other"~101', 1, "0 to 100"),
        ('"secret"~3', 1, "two different"),
        ('="secret other"~3', 1, "plain"),
        ("secret\\", 7, "backslash"),
        ("title:", 1, ""),
    ],
)
def test_query_error_has_column_and_does_not_repeat_the_query(bad: str, column: int, hint: str) -> None:
    if bad == "title:":  # a word like any other
        assert language.normalize_query(bad) == "title"
        return
    with pytest.raises(QueryError) as error:
        language.parse(bad)
    assert hint in error.value.hint
    assert error.value.column == column
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_deep_nesting_is_refused_without_recursion_error() -> None:
    with pytest.raises(QueryError):
        language.parse("(" * 140 + "a" + ")" * 140 + " OR (b (c OR (d (e OR (f (g OR (h (i OR j)))))))) ")
    with pytest.raises(QueryError):
        language.parse("NOT " * 70 + "a")


@pytest.mark.parametrize(
    "same", ["sub\u00admarine  cable", "submarine cable", " submarine\tcable ", "sub\u00admarine cable"]
)
def test_equal_keywords_normalize_to_one_form(same: str) -> None:
    assert language.normalize_query(same) == language.normalize_query("submarine cable")
    for other in ('"submarine cable"', "cable submarine", "~submarine cable"):
        assert language.normalize_query(same) != language.normalize_query(other)
    assert language.normalize_query("US") != language.normalize_query("us")


@pytest.mark.parametrize("bad", ["a OR b", "-a", "cab*", "=a", "~a", "title:a", '"a b"~3', "(a OR b) c"])
def test_keywords_allow_only_words_phrases_and_minus(bad: str) -> None:
    with pytest.raises(QueryError):
        language.parse_keyword(bad)
    assert language.parse_keyword(' "a phrase" word -not ') == '"a phrase" word -not'


SIGNS = st.text(alphabet="ab AO RNDT()\"'-=~*:\\1维é.“”（）\n", max_size=30)


@example("\\and\\*")
@example("ŉ")
@given(st.text(max_size=60) | SIGNS)
def test_any_text_parses_to_one_normal_form_or_query_error(text: str) -> None:
    try:
        parsed = language.parse(text)
    except QueryError as error:
        assert error.column >= 1
    else:
        again = parser.read_query(language.normalize_query(text))
        assert again == parsed
        assert list(positive(parsed))
        assert len(list(terms(parsed))) <= language.MOST_TERMS


PACK = {
    alias_key("Uyghur"): (
        Alias("Uighur", "peoples", "uyghur"),
        Alias("维吾尔", "peoples", "uyghur"),
        Alias("XUAR", "peoples", "uyghur"),
        Alias('"East Turkestan"', "peoples", "uyghur"),
    ),
    alias_key("Cupertino"): (Alias("Apple", "companies", "apple", ("iPhone", "factory")),),
    alias_key("Hong Kong"): (Alias("香港", "peoples", "hong-kong"),),
}


def fired(query: str, text: str) -> list[tuple[str, str | None]]:
    plan = compile_query(language.parse(query), PACK)
    met = QueryIndex({1: plan}).matching_queries(Document("", text))
    return [(text[hit.start : hit.end], hit.alias) for one in met for hit in one.hits]


def test_bare_word_matches_aliases_and_reports_which() -> None:
    text = "Uyghurs, Uighurs, 維吾爾, XUAR, xuar, East Turkestan"
    assert fired("uyghur", text) == [
        ("Uyghurs", None), ("Uighurs", "Uighur"), ("維吾爾", "维吾尔"), ("XUAR", "XUAR"), ("East Turkestan", '"East Turkestan"'),
    ]  # fmt: skip
    assert fired('"uyghur"', text) == fired("=uyghur", text) == []
    assert fired("XUAR", "Uyghur") == []
    assert fired("Hong-Kong", "香港") == [("香港", "香港")]


def test_alias_with_context_needs_another_word_in_the_item() -> None:
    assert fired("cupertino", "Apples and pears") == []
    assert fired("cupertino", "Apple builds factories") == [("Apple", "Apple")]
    why = explain(language.parse("cupertino"), Document("", "An apple"), PACK)
    assert (why.met, why.without_context) == (False, ("Apple",))


def test_explanation_names_the_deciding_terms() -> None:
    query = language.parse("(cable OR ship) sea -war")
    met = explain(query, Document("A ship", "on the sea"))
    assert met.met
    assert [one.term for one in met.decided] == ["ship", "sea", "war"]
    missing = explain(query, Document("A ship", "on the river"))
    assert [(one.term, one.met) for one in missing.decided] == [("sea", False)]
    excluded = explain(query, Document("A ship", "at war on the sea"))
    assert [(one.term, one.met) for one in excluded.decided] == [("war", True)]
    assert excluded.decided[0].hits[0].field == "text"


def test_item_language_selects_the_stemmer() -> None:
    index = QueryIndex({1: compile_query(language.parse("cheval")), 2: compile_query(language.parse("nation"))})
    assert [one.topic_id for one in index.matching_queries(Document("", "les chevaux", "fr"))] == [1]
    assert [one.topic_id for one in index.matching_queries(Document("", "chevaux, nations", ""))] == [2]


def test_hits_of_a_repeated_word_are_limited() -> None:
    long_phrase = '"' + "a b " * 9 + '"'
    asked = dict(enumerate(["a", '"a b"~9', "a OR b", long_phrase, "aaa*"]))
    index = QueryIndex({number: compile_query(language.parse(query)) for number, query in asked.items()})
    met = index.matching_queries(Document("", "a b " * 50_000))
    assert [(one.topic_id, len(one.hits)) for one in met] == [(number, MAX_HITS) for number in range(4)]
    (only,) = index.matching_queries(Document("", "a" * 200_000))
    assert (only.topic_id, only.hits[0].end) == (4, 200_000)


PLAIN = st.lists(
    st.sampled_from(["a", "-a", "US", "维吾尔", "²", "AND", "-OR", '"a b"', '-"US"', '"OR"', "é1", "a-b"]), min_size=1
)


@given(PLAIN.map(" ".join))
def test_fast_path_for_plain_queries_equals_the_grammar(text: str) -> None:
    def read() -> object:
        try:
            return parser.read_query(text)
        except QueryError as error:
            return str(error)

    at_once = read()
    with patch.object(parser, "_PLAIN", re.compile("(?!)")):
        assert read() == at_once
