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
<<<<<<< HEAD
    with contextlib.suppress(QueryError), hang_guard():
        assert not QueryIndex({1: compile_query(parse(typed))}).topics(Document("", f"bbb {'a' * 64}! ccc"))
=======
    began = time.process_time()
    try:
        query = parse(typed)
    except QueryError:
        pass
    else:
        assert not QueryIndex({1: compile_query(query)}).matching_topics(Document("", "bbb ccc"))
    assert time.process_time() - began < 1
>>>>>>> f79d2c1 (Matching engine: signs in one module, near windows by paragraph, one method for each kind of word; what only tests used goes)


@pytest.mark.parametrize("typed", ['"a a a a"', '"a a" AND "a a a" -b', "aaaaaaaaaaaaaaa*", "a-a", "title:a b"])
def test_no_text_takes_long(typed: str) -> None:
    index = QueryIndex({1: compile_query(parse(typed))})
<<<<<<< HEAD
    with hang_guard():
        for text in TEXTS:
            index.topics(Document("", text))
            spans(typed, "", text)
=======
    began = time.process_time()
    for text in TEXTS:
        index.matching_topics(Document("", text))
        spans(typed, "", text)
    assert time.process_time() - began < 6, "a second for each"
>>>>>>> f79d2c1 (Matching engine: signs in one module, near windows by paragraph, one method for each kind of word; what only tests used goes)


def test_a_long_keyword_of_pattern_signs_is_read_quickly() -> None:
    for typed in ("(" * 300, "a-" * 150, "'" * 300, '"a' * 150, "-" * 300, "a OR " * 60, "*" * 300, "((a))" * 60):
        with hang_guard():
            try:
                parse(typed)
            except QueryError as error:
                assert not re.search(r"Traceback|recursion", str(error))
