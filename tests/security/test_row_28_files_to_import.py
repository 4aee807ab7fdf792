"""Row 28: a file that an admin imports is read within limits, and adds nobody to the list. (There is no import of people.)

Files of topics: tests/security/test_row_28_yaml_bounds.py.
"""

import pytest
import typer

from newsletter.cli import app
from newsletter.feeds.catalogue import opml
from newsletter.lib.refused import Refused
from tests.hang_guard import hang_guard

LAUGHS = "<!DOCTYPE o [<!ENTITY a 'lol'>" + "".join(f"<!ENTITY a{n} '{'&a;' * 10}'>" for n in range(9)) + "]><opml/>"
REFUSED = {
    "entities": LAUGHS.encode(),
    "another file": b"<!DOCTYPE o [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><opml><body><outline text='&x;'/></body></opml>",
    "another dtd": b"<!DOCTYPE o SYSTEM 'http://127.0.0.1/x'><opml/>",
    "in utf-16": LAUGHS.encode("utf-16"),
    "nothing": b"",
    "zeros": bytes(100_000),
    "something else": b"PK\x03\x04" + bytes(range(256)) * 100,
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_whole(name: str) -> None:
    with hang_guard():
        assert isinstance(opml.read(REFUSED[name]), Refused)


def test_a_formula_or_an_address_in_it_is_a_title_or_a_problem() -> None:
    told = opml.read(
        b"<opml><body><outline text='=cmd|x!A1' xmlUrl='https://a.example/'/>"
        b"<outline type='rss' text='a@example.org'/></body></opml>"
    )
    assert isinstance(told, opml.Outlines)
    assert ([one.title for one in told.feeds], len(told.problems)) == (["=cmd|x!A1"], 1)


def test_no_command_takes_a_list_of_people() -> None:
    """Should one come, it needs tests of its own: nobody unconfirmed is mailed but for a question."""
    group = typer.main.get_command(app).commands["subscribers"]  # type: ignore[attr-defined]
    assert set(group.commands) == {"add", "edit", "end", "erase", "list", "show"}, "list shows totals only"
