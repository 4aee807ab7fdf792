"""Commands are imported when they are called: the table that stands for them says what they say, and help needs no more."""

import importlib
import importlib.util
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from newsletter import cli
from newsletter.cli.command_table import COMMANDS, TASKS, Command, Group
from newsletter.cli.lazy_group import load

ROOT = Path(__file__).parents[2]
#: What `status` and the lists have no use for.
PARTS = [
    "celery",
    "css_inline",
    "httpx2",
    "jinja2",
    "kombu",
    "lark",
    "nh3",
    "psycopg",
    "pydantic",
    "redis",
    "selectolax",
]
PARTS += ["email_validator", "feedparser", "sendgrid", "Stemmer", "newsletter.feeds.sandbox", "newsletter.worker.tasks"]
#: What a help page has no use for.
DJANGO = ["cryptography", "django", "newsletter.settings", "newsletter.wiring", "rich", "structlog"]


def rows() -> Iterator[tuple[str, str, Command]]:
    for name, row in COMMANDS.items():
        if isinstance(row, Group):
            yield from ((f"{name} {below}", below, one) for below, one in row.commands.items())
        else:
            yield name, name, row


ROWS = list(rows())


@pytest.mark.parametrize(("name", "row"), [(name, row) for _, name, row in ROWS], ids=[words for words, _, _ in ROWS])
def test_the_table_says_what_the_module_says(name: str, row: Command) -> None:
    assert row.help == load(name, row.module).get_short_help_str(1000)


def test_help_lists_each_command_once_under_a_task() -> None:
    groups = [(COMMANDS, TASKS)]
    groups += [(row.commands, row.tasks) for row in COMMANDS.values() if isinstance(row, Group) and row.tasks]
    assert len(groups) == 3
    for commands, tasks in groups:
        assert sorted(name for names in tasks.values() for name in names) == sorted(commands)


def test_every_command_of_every_module_is_in_the_table() -> None:
    found = set()
    for one in pkgutil.walk_packages(cli.__path__, "newsletter.cli."):
        app = getattr(importlib.import_module(one.name), "app", None)
        if isinstance(app, typer.Typer):
            module = one.name.removeprefix("newsletter.cli.")
            found |= {(module, command.name or command.callback.__name__) for command in app.registered_commands}  # type: ignore[union-attr]
            found |= {(module, group.name) for group in app.registered_groups}
    assert {(row.module, name) for _, name, row in ROWS} == found


def loaded(words: tuple[str, ...], directory: Path) -> tuple[set[str], str]:
    """The modules that `newsletter WORDS` imports, in a process of its own, and what it prints."""
    program = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr));"
        "from newsletter.__main__ import main; sys.argv[0] = 'newsletter'; main()"
    )
    base = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env=base | {"PYTHONPATH": str(ROOT), "NEWSLETTER_DATA_DIR": str(directory)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "newsletter.cli.command_table" in done.stderr
    return set(done.stderr.splitlines()[-1].split()), done.stdout


def test_the_parts_are_modules() -> None:
    assert [
        name for name in (*PARTS, *DJANGO) if name not in sys.modules and importlib.util.find_spec(name) is None
    ] == []


@pytest.mark.parametrize(
    "words", [("--help",), ("feeds", "--help"), ("feeds", "lst"), ("--version",)], ids=lambda words: " ".join(words)
)
def test_help_imports_no_command_and_touches_nothing(words: tuple[str, ...], tmp_path: Path) -> None:
    modules, shown = loaded(words, tmp_path / "data")
    assert modules & {*PARTS, *DJANGO} == set()
    assert not (tmp_path / "data").exists()
    if words == ("--help",):
        assert all(name in shown for name in COMMANDS)
        assert all(f"\n{task}:\n" in shown for task in TASKS)
        assert max(map(len, shown.splitlines())) <= 80
    if words == ("feeds", "--help"):
        assert "backfill" in shown and "List all feeds and their health." in shown


@pytest.mark.parametrize(
    "words", [("status",), ("feeds", "list"), ("topics", "list")], ids=lambda words: " ".join(words)
)
def test_a_look_imports_no_part_that_it_does_not_use(words: tuple[str, ...], tmp_path: Path) -> None:
    modules, shown = loaded(words, tmp_path / "data")
    assert shown
    assert modules & set(PARTS) == set()


def complete(shell: str, words: str, directory: Path) -> str:
    program = "import sys; from newsletter.__main__ import main; sys.argv[0] = 'newsletter'; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT), "NEWSLETTER_DATA_DIR": str(directory)}
        | {"_NEWSLETTER_COMPLETE": shell, "_TYPER_COMPLETE_ARGS": words}
        | {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_a_shell_completes_commands_without_importing_them(tmp_path: Path) -> None:
    assert complete("complete_bash", "newsletter sta", tmp_path / "data").split() == ["status"]
    assert complete("complete_bash", "newsletter feeds i", tmp_path / "data").split() == ["incidents", "import"]
    assert '"list":"List all topics."' in complete("complete_zsh", "newsletter topics l", tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("shell", "says"), [("bash", "complete -o default"), ("zsh", "compdef"), ("fish", "complete")])
def test_a_shell_gets_its_script(shell: str, says: str, tmp_path: Path) -> None:
    assert says in complete(f"source_{shell}", "", tmp_path / "data")
