"""`match --queries FILE`: each line answered as `match --query` answers it, and bad lines named."""

import io
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.cli import invoke
from newsletter.cli.topics import query_file
from newsletter.lib import db
from newsletter.matching.live_index import stored_items
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
Command = Callable[..., tuple[int, str, str]]
TITLES = ("A submarine cable", "A ship in the harbour", "A ship lays a cable")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    def run(*words: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = invoke(list(words))
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


@pytest.fixture
def items() -> None:
    for number, title in enumerate(TITLES):
        factories.item(title, "Text.", seen=db.now() - timedelta(days=number + 1))


def test_each_line_is_answered_as_a_query_by_itself(command: Command, items: None, tmp_path: Path) -> None:
    lines = ["cable", "ship AND harbour", "glacier", '"lays a"', "cable"]
    file = tmp_path / "queries.txt"
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n\n".join(lines).encode())
    code, out, err = command("match", "--queries", str(file), "--json")
    assert (code, err) == (0, "")
    answers = json.loads(out)
    assert [(one["line"], one["query"], one["error"]) for one in answers] == [
        (1 + 2 * number, line, None) for number, line in enumerate(lines)
    ]
    for one in answers:
        assert one["matches"] == json.loads(command("match", "--query", one["query"], "--json")[1])
    assert [len(one["matches"]) for one in answers] == [2, 1, 0, 1, 2]


def test_bad_lines_are_named_and_stop_no_other(command: Command, items: None) -> None:
    given = b"(cable\n\nship\n\xff\n-cable\n"
    code, out, err = command("match", "--queries", "-", "--json", stdin=given)
    assert code == 0
    assert [line.split(": ")[0] for line in err.splitlines()] == ["-, line 1", "-, line 4", "-, line 5"]
    answers = json.loads(out)
    assert [(one["line"], bool(one["error"]), len(one["matches"])) for one in answers] == [
        (1, True, 0),
        (3, False, 2),
        (4, True, 0),
        (5, True, 0),
    ]
    assert "UTF-8" in answers[2]["error"] and "column" in answers[0]["error"]


def test_for_people_each_query_stands_above_its_items(command: Command, items: None) -> None:
    _, out, _ = command("match", "--queries", "-", stdin=b"harbour\nglacier\n")
    heading, item, other, none = out.splitlines()
    assert (heading, other, none) == ("harbour:", "glacier:", "  No stored item matches.")
    assert item.startswith("  item ") and TITLES[1] in item


def test_items_are_read_once_for_all_queries(command: Command, items: None, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    real = stored_items.document
    monkeypatch.setattr(stored_items, "document", lambda *given: read.append(1) or real(*given))
    command("match", "--queries", "-", "--json", stdin=b"\n".join(b"cable%d" % number for number in range(50)))
    assert len(read) == len(TITLES)


@pytest.mark.parametrize(
    ("words", "stdin", "code", "says"),
    [
        ((), b"", 2, "--query or --queries"),
        (("--query", "cable", "--queries", "-"), b"cable", 2, "--query or --queries"),
        (("--queries", "-"), b"\n \n", 1, "one a line"),
        (("--queries", "-"), b"(a\n", 1, "no query could be used"),
        (("--queries", "/nowhere/queries"), b"", 1, "cannot be read"),
        (("--queries", "-"), b"x" * (query_file.CAP + 1), 1, "larger than"),
        (("--queries", "-"), b"x\n" * (query_file.MOST + 1), 1, "is the most"),
    ],
)
def test_what_cannot_be_answered(command: Command, words: tuple[str, ...], stdin: bytes, code: int, says: str) -> None:
    answered, out, err = command("match", *words, stdin=stdin)
    assert (answered, out) == (code, "")
    assert says in err.splitlines()[-1]
