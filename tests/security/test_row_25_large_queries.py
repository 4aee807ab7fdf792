"""Row 25: a query has limits, so that none costs more than another; and so has what one person may follow."""

from collections.abc import Callable

import pytest

from newsletter.matching.engine import term_index
from newsletter.matching.engine.document import Document
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.query import language
from newsletter.matching.query.compiled import compile_query
from newsletter.matching.query.nodes import Tree, evaluate
from newsletter.matching.query.query_error import QueryError
from newsletter.web.public import forms, preferences

WORDS = [f"word{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(100)]
TOO_LARGE = [
    " OR ".join(WORDS[: language.MOST_TERMS + 1]),
    " ".join(f'"{word} x"' for word in WORDS[: language.MOST_TERMS + 1]),
    "x" * (language.LONGEST + 1),
    "a*",
    "-word",
]


def nested(depth: int) -> str:
    """`a (b OR (c (d OR ...)))`, so deep that no bracket is idle."""
    typed = WORDS[depth]
    for level in reversed(range(depth)):
        typed = f"{WORDS[level]} {'OR' if level % 2 else 'AND'} ({typed})"
    return typed


@pytest.mark.parametrize("typed", [*TOO_LARGE, nested(language.DEEPEST + 2)], ids=range(len(TOO_LARGE) + 1))
def test_what_is_too_large_is_refused_with_words(typed: str) -> None:
    with pytest.raises(QueryError):
        language.parse(typed)


def test_the_limits_are_what_the_docs_say() -> None:
    assert (language.LONGEST, language.MOST_TERMS, language.DEEPEST) == (300, 20, 8)
    assert (forms.MOST_KEYWORDS, preferences.MOST) == (10, 100)


@pytest.mark.django_db
def test_the_form_takes_ten_lines(client, topics) -> None:
    for lines, status in ((10, 200), (11, 422), (5_000, 422)):
        typed = "\n".join(f"zz{n:04}" for n in range(lines))
        page = client.post("/", {"keyword": typed, "preview": "1", "cadence": "2"})
        assert (page.status_code, b'role="status"' in page.content) == (status, lines <= 10)


def test_of_two_thousand_queries_an_article_evaluates_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those whose rarest word it has, and not all that share its usual words."""
    evaluated: list[Tree[int]] = []

    def counted(tree: Tree[int], met: Callable[[int], bool]) -> bool:
        evaluated.append(tree)
        return evaluate(tree, met)

    monkeypatch.setattr(term_index, "evaluate", counted)
    queries = {
        n: compile_query(language.parse(f"{WORDS[n % 100]} {WORDS[n // 100 % 100]}q -{WORDS[(n + 1) % 100]}"))
        for n in range(2_000)
    }
    index = QueryIndex(queries)
    assert 719 in index.matching_topics(Document("", " ".join([*WORDS[:20] * 100, f"{WORDS[7]}q"])))
    assert len(evaluated) <= 100, "as many as have this word"
