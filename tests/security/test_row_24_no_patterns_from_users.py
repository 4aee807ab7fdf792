"""Row 24: nobody's keyword is a regular expression, and no text and keyword together take long."""

import re
import time

import pytest

from newsletter.matching.engine.document import Document
from newsletter.matching.engine.query_index import QueryIndex, spans
from newsletter.matching.query.compiled import compile_query
from newsletter.matching.query.language import parse
from newsletter.matching.query.query_error import QueryError

PATTERNS = (
    "(a+)+$",
    "(a|aa)+$",
    "^(a*)*b",
    "(?=a)a+",
    r"(a)\1+",
    "a{1,9999}",
    "[a-z]+",
    ".*.*.*=",
    "/a+/",
    "~a",
    "a|b|.*",
)
TEXTS = ("a" * 100_000 + "!", "a " * 8_000, "a-" * 8_000, "aA" * 8_000, "a\u0301" * 8_000, "'a" * 8_000)


@pytest.mark.parametrize("typed", PATTERNS)
def test_signs_of_a_pattern_are_words_or_refused(typed: str) -> None:
    began = time.process_time()
    try:
        query = parse(typed)
    except QueryError:
        pass
    else:
        assert not QueryIndex({1: compile_query(query)}).topics(Document("", "bbb ccc"))
    assert time.process_time() - began < 1


@pytest.mark.parametrize("typed", ['"a a a a"', '"a a" AND "a a a" -b', "aaaaaaaaaaaaaaa*", "a-a", "title:a b"])
def test_no_text_takes_long(typed: str) -> None:
    index = QueryIndex({1: compile_query(parse(typed))})
    began = time.process_time()
    for text in TEXTS:
        index.topics(Document("", text))
        spans(typed, "", text)
    assert time.process_time() - began < 6, "a second for each"


def test_a_long_keyword_of_pattern_signs_is_read_quickly() -> None:
    began = time.process_time()
    for typed in ("(" * 300, "a-" * 150, "'" * 300, '"a' * 150, "-" * 300, "a OR " * 60, "*" * 300, "((a))" * 60):
        try:
            parse(typed)
        except QueryError as error:
            assert not re.search(r"Traceback|recursion", str(error))
    assert time.process_time() - began < 2
