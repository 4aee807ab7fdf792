"""Signs in queries: which say something, which are found in texts, and which are refused with a hint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.matching.engine.document import Document
from newsletter.matching.engine.query_index import QueryIndex, spans
from newsletter.matching.query import language, parser
from newsletter.matching.query.compiled import compile_query, from_compact, to_compact
from newsletter.matching.query.language import parse
from newsletter.matching.query.query_error import QueryError
from newsletter.web.public.page_data import problem


def meets(query: str, text: str) -> bool:
    met = QueryIndex({1: compile_query(parse(query))}).matching_topics(Document("", text))
    assert bool(met) == bool(spans(query, "", text))
    return bool(met)


@pytest.mark.parametrize("sign", "-‐‑‒–—―−﹣－!！¬")
def test_dash_or_exclamation_mark_before_a_word_excludes_it(sign: str) -> None:
    assert parse(f"ping {sign}tree") == parse("ping -tree")
    assert parse(f'ping {sign}"big tree"') == parse('ping -"big tree"')
    assert parse(f"ping ({sign}tree)") == parse("ping -tree")
    with pytest.raises(QueryError):
        parse(f"ping {sign} tree")


@pytest.mark.parametrize("typed", ["ping && tree", "ping&&tree", "ping ＆＆ tree"])
def test_double_ampersand_means_and(typed: str) -> None:
    assert parse(typed) == parse("ping AND tree")


@pytest.mark.parametrize("typed", ["ping || tree", "ping | tree", "ping|tree", "ping ｜ tree"])
def test_bars_mean_or(typed: str) -> None:
    assert parse(typed) == parse("ping OR tree")


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("ping w/5 tree", "near each other"),
        ("ping W/5 tree", "near each other"),
        ("ping near/3 tree", "near each other"),
        ("ping pre/2 tree", "near each other"),
        ("ping /s tree", "near each other"),
        ("ping /p tree", "near each other"),
        ("ping /10 tree", "near each other"),
        ("ping NEAR tree", "near each other"),
        ("ping NEAR5 tree", "near each other"),
        ("ping ADJ tree", "near each other"),
        ("ping ADJ3 tree", "near each other"),
        ("ping N5 tree", "near each other"),
        ("ping W12 tree", "near each other"),
        ("ping AROUND(3) tree", "near each other"),
        ("ping SAME tree", "near each other"),
        ("ping XOR tree", "operator"),
        ("/pi.g/ tree", "near each other"),
        ("ping por?", "stands for no letter"),
        ("ping wom?n", "stands for no letter"),
        ("ping wom#n", "stand for no letters"),
        ("ping comput$", "stand for no letters"),
        ("ping comput%", "stand for no letters"),
        ("ping litigat!", "stands for no letters"),
        ("ping tr*e", "end of a word"),
        ("ping *ree", "end of a word"),
        ("ping tree~", "sound alike"),
        ("ping tree~2", "sound alike"),
        ("ping tree^2", "count for more"),
        ('"ping tree"^2', "count for more"),
        ("+ping tree", "leave out the +"),
        ("ping site:example.org", "no such field"),
        ("ping site: tree", "no such field"),
        ("ping meta.title:tree", "no such field"),
        ("[ping TO tree]", "ranges"),
        ("ping 2010..2020", "ranges"),
        ("ping --tree", "one minus"),
        ("ping NOT -tree", "one minus"),
        ("ping NOT NOT tree", "one minus"),
        ('"ping tre*"', "single word"),
        ('"ping wom?n"', "stands for no letter"),
        ('"AT&T ping"~5', "signs"),
        ("~AT&T", "signs"),
    ],
)
def test_syntax_of_other_search_engines_is_refused_with_a_hint(typed: str, hint: str) -> None:
    with pytest.raises(QueryError) as error:
        parse(typed)
    assert hint in error.value.hint
    assert "tree" not in error.value.hint and "ping" not in error.value.hint
    assert hint.casefold() in (problem(typed) or "").casefold()


@pytest.mark.parametrize(
    "typed",
    [
        "near with within",
        '"NEAR" "wom?"',
        r"\NEAR \WITH",
        "w/o sugar",
        "W5",
        "a 24/7 b",
        '"what is this?"',
        r'"5 \* 3"',
        r"tree\?",
        "rock 'n' roll",
        "node.js",
        "12:30",
    ],
)
def test_text_that_resembles_other_syntax_is_read(typed: str) -> None:
    assert problem(typed) is None
    assert parser.read_query(language.normalize_query(typed)) == parse(typed)


@pytest.mark.parametrize(
    ("query", "text", "met"),
    [
        ("C++", "We moved to C++", True),
        ("C++", "使用C++编程", True),
        ("C++", "C# and C", False),
        ("C", "C++ and C#, C++11", False),
        ("C", "The C language", True),
        ("c", "The C language", True),
        ("=C", "C++", False),
        ("=C++", "C++", True),
        ("=C++", "c++", False),
        ('"C# developer"', "a C# developer", True),
        ('"C# developer"', "a C developer", False),
        (".NET", "C# and .NET", True),
        (".NET", "see example.net, net", False),
        ("AT&T", "Shares of AT&T fell", True),
        ("AT&T", "look at T-shirts", False),
        ('"AT&T merger"', "the AT&T merger", True),
        ('"AT&T merger"', "at T merger", False),
        ("R&D", "R D, r. d.", False),
        ("$T", "$T stock", True),
        ("$T", "AT&T", False),
        ("Node.js", "Node.js", True),
        ("Node.js", "a node. JS", False),
        ("O'Brien", "Mr O’Brien", True),
        ("5G", "a 5G phone", True),
        ("24/7", "open 24/7", True),
        ("24/7", "24 7", False),
        ("#MeToo", "关于#MeToo运动", True),
        ("#MeToo", "MeToo", False),
        ("MeToo", "#MeToo", True),
        ("@name", "by @name", True),
        ("@name", "me@name.example", False),
        ("I/O", "an I/O error", True),
        ("I/O", "i, o", False),
        ("F-16", "an F16", True),
        ("P!nk", "P!nk sings", True),
        ("P!nk", "p nk", False),
        ("Disney+", "Disney+ and", True),
        ("Disney+", "Disney", False),
        ("Disney", "Disney+", True),
        ("tree,", "tree", True),
        ("source:AT&T", "AT&T", False),
        # numbers
        ("1000", "The fee is $1,000 a day", True),
        ("1,000", "1000, or", True),
        ("1000", "1.000 Euro", True),
        ("1000", "1\u202f000 euros, 1\xa0000", True),
        ("1000000", "1,000,000", True),
        ("1234567", "12,34,567", True),
        ("000", "1,000", False),
        ("$1,000", "$1000", True),
        ("$1,000", "€1,000", False),
        ("1", "1,000", False),
        ("168", "192.168.1.1", True),
        ("125", "0.125", True),
        # all in capitals
        ("GRAND PRIX", "the Grand Prix", True),
        ("NEW YORK", "New York", True),
        ("TOUR DE FRANCE", "Tour de France", True),
        ("UN CHINA", "un, China", False),
        ("PRIX", "Prix", False),
        ("NATO OR PRIX", "Prix", False),
    ],
)
def test_words_with_signs_match_exactly(query: str, text: str, met: bool) -> None:
    assert meets(query, text) == met


SIGNED = st.text(alphabet="abAB19 &|+#$@./!?%^~*-–_,:'\"\\[(){}<>=C", max_size=20)


@given(SIGNED)
def test_normal_form_reads_back_equal(typed: str) -> None:
    try:
        read = parse(typed)
    except QueryError:
        return
    assert parser.read_query(language.normalize_query(typed)) == read
    plan = compile_query(read)
    assert from_compact(to_compact(plan)) == plan
