"""Subscribing on the command line: the address is asked for on a terminal, and nobody is added twice."""

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from newsletter import cli
from newsletter.models import Subscriber
from newsletter.worker import startup
from tests import factories
from tests.journey import road

pytestmark = pytest.mark.django_db
ADDRESS = "canary@example.org"
Command = Callable[..., tuple[int, str, str]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings, tmp_path: Path
) -> Iterator[Command]:
    """A command typed on a terminal; returns its exit code, and what it printed."""

    def run(*words: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", Terminal(typed))
        capsys.readouterr()
        code = cli.invoke(list(words))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    with road.configured(settings, data_dir=tmp_path):
        startup.prepare()
        factories.topic("Cable")
        factories.topic("Seals")
        yield run


@pytest.mark.parametrize("address", [(), ("-",)])
def test_the_address_is_asked_for_on_a_terminal(command: Command, address: tuple[str, ...]) -> None:
    code, out, error = command("subscribers", "add", *address, "--topic", "Cable", "--confirmed", typed=f"{ADDRESS}\n")
    assert (code, error) == (0, "Address: ")
    assert "added, follows 1 topic or keyword" in out and "canary" not in out
    assert command("subscribers", "show", typed=f"{ADDRESS}\n")[2] == "Address: "


def test_an_address_on_the_command_line_is_not_asked_for(command: Command) -> None:
    assert command("subscribers", "add", ADDRESS, "--topic", "Cable", "--confirmed")[2] == ""


def test_keywords_are_asked_for_too(command: Command) -> None:
    code, out, error = command("subscribers", "add", ADDRESS, "--query", "-", "--confirmed", typed="one\ntwo\n")
    assert (code, error) == (0, "Keywords, one a line; Ctrl-D ends them:\n") and "follows 2 topics or keywords" in out


def test_somebody_who_is_subscribed_is_not_added_again(command: Command) -> None:
    command("subscribers", "add", ADDRESS, "--topic", "Cable", "--confirmed")
    again = command("subscribers", "add", ADDRESS, "--topic", "Cable", "--confirmed")
    assert (again[0], "is already subscribed" in again[1], "added, follows" in again[1]) == (0, True, False)
    more = command("subscribers", "add", ADDRESS, "--topic", "Cable", "--topic", "Seals", "--confirmed")
    assert "is already subscribed, and now follows 1 more topic or keyword" in more[1]
    assert Subscriber.objects.count() == 1


def test_the_list_explains_why_it_names_nobody(command: Command) -> None:
    command("subscribers", "add", ADDRESS, "--topic", "Cable", "--confirmed")
    code, out, _ = command("subscribers", "list")
    assert code == 0 and "1 active" in out and "0 pending" in out
    assert "addresses are encrypted" in out and "canary" not in out
