"""Texts, queries and aliases for property tests, in mixed scripts: what is likely to be tokenized or matched wrongly."""

from hypothesis import strategies as st

from newsletter.matching.query import language
from newsletter.matching.query.compiled import Alias
from newsletter.matching.query.nodes import Query
from newsletter.matching.query.query_error import QueryError

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
    """The queries that can be parsed, by their number."""
    queries = {}
    for number, text in enumerate(asked):
        try:
            queries[number] = language.parse(text)
        except QueryError:
            continue
    return queries
