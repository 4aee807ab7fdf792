"""Row 24: nobody's keyword is a regular expression, and no text and keyword together take long."""

import contextlib
import re

import pytest

from newsletter.matching.engine.document import Document
from newsletter.matching.engine.query_index import QueryIndex, spans
from newsletter.matching.query.compiled import compile_query
from newsletter.matching.query.language import parse
from newsletter.matching.query.query_error import QueryError
from tests.hang_guard import hang_guard

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
TEXTS = ("a" * 100_000 + "!", *(unit * 30_000 for unit in ("a ", "a-", "aA", "a\u0301", "'a")))


@pytest.mark.parametrize("typed", PATTERNS)
def test_signs_of_a_pattern_are_words_or_refused(typed: str) -> None:
    with contextlib.suppress(QueryError), hang_guard():
        assert not QueryIndex({1: compile_query(parse(typed))}).matching_topics(Document("", f"bbb {'a' * 64}! ccc"))


@pytest.mark.parametrize("typed", ['"a a a a"', '"a a" AND "a a a" -b', "aaaaaaaaaaaaaaa*", "a-a", "title:a b"])
def test_no_text_takes_long(typed: str) -> None:
    index = QueryIndex({1: compile_query(parse(typed))})
    with hang_guard():
        for text in TEXTS:
            index.matching_topics(Document("", text))
            spans(typed, "", text)


def test_a_long_keyword_of_pattern_signs_is_read_quickly() -> None:
    for typed in ("(" * 300, "a-" * 150, "'" * 300, '"a' * 150, "-" * 300, "a OR " * 60, "*" * 300, "((a))" * 60):
        with hang_guard():
            try:
                parse(typed)
            except QueryError as error:
                assert not re.search(r"Traceback|recursion", str(error))
