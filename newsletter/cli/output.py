"""Input and output of commands: results go to standard output as a table or as one JSON document, all else to standard error."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from newsletter.cli.command_name import command_name, in_callers_folder, name_in_hints
from newsletter.lib.refused import Refused

T = TypeVar("T")

#: The option that every command has.
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
#: Where an export is written.
Target = Annotated[str, typer.Argument(metavar="[FILE]", help="Where to write; - or nothing is standard output.")]

#: C0 and C1 controls but tab and line feed: escape sequences begin with one of them.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class CommandFailed(Exception):
    """The command could not do what it was asked; the message says what to do."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def fail(message: str) -> NoReturn:
    """End the command with one line and exit code 1."""
    raise CommandFailed(message)


def misuse(message: str) -> NoReturn:
    """End the command with one line and exit code 2: it was asked for something that cannot be."""
    raise CommandFailed(message, 2)


def or_fail(answer: T | Refused) -> T:
    """The answer; if it is a refusal, end the command with its reason."""
    if isinstance(answer, Refused):
        fail(answer.reason)
    return answer


def example(*lines: str) -> str:
    """The examples below a command's help."""
    heading = "Example:" if len(lines) == 1 else "Examples:"
    return f"{heading}\n\n" + "\n\n".join(f"    {command_name()} {line}" for line in lines)


def result(document: Any, as_json: bool, *lines: str) -> None:
    """Print what was done: the document, or the lines for people."""
    if as_json:
        print(json.dumps(document, default=_to_json, ensure_ascii=False, indent=2))
        return
    for line in map(for_people, lines):
        print(line)


def table(rows: Sequence[Any], as_json: bool, columns: Mapping[str, Any], *, empty: str) -> None:
    """Print rows: as JSON whole, for people the `columns` (heading → function of a row), or `empty` when there are none."""
    if as_json:
        result(list(rows), as_json)
        return
    if not rows:
        result(None, False, empty)
        return
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns:
        grid.add_column(heading, overflow="fold")
    for row in rows:
        grid.add_row(*(_cell(value(row)) for value in columns.values()))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=160)
    console.print(grid)


def ask(question: str, otherwise: str) -> None:
    """Ask on a terminal, and end the command unless the answer is yes; elsewhere end with exit code 2 and say what to do."""
    if not sys.stdin.isatty():
        misuse(otherwise)
    typer.confirm(question, abort=True, err=True)


def note(line: str) -> None:
    """Print one line on standard error."""
    print(for_people(line), file=sys.stderr, flush=True)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on a terminal's standard error. Yields a function that takes how many are done, and of how many."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def for_people(text: str) -> str:
    """Return `text` as it is printed: without control characters, and with commands that work where the person stands."""
    return name_in_hints(strip_terminal_codes(text))


def strip_terminal_codes(line: str) -> str:
    """Return `line` without control characters, which a terminal would obey: titles, URLs and reasons come from outside."""
    return _CONTROLS.sub("", line)


def when(moment: datetime | None) -> str:
    """Format a moment for people: UTC, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"


def counted(number: int, singular: str, plural: str = "") -> str:
    """A number with the word that agrees with it: `1 mail`, `2 mails`; `plural` for words that do not just take an s."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def read_file(file: str, cap: int) -> bytes:
    """Read a file, or standard input for `-`; at most one byte more than `cap`, so that the caller sees it is too large."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(cap + 1)
        with in_callers_folder(file).open("rb") as stream:
            return stream.read(cap + 1)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")


def write_file(file: str, text: str, document: object, as_json: bool, what: str) -> None:
    """Write `text` to a file and say so; for `-` print it alone, or `document` where JSON is asked for."""
    if file == "-":
        if as_json:
            result(document, as_json)
        else:
            typer.echo(text.encode(), nl=False)
        return
    try:
        in_callers_folder(file).write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}")
    result({"file": file}, as_json, f"{what} written to {file}")


def joined(parts: Iterable[object]) -> str:
    """Join the parts with commas; a dash if there are none."""
    return ", ".join(map(str, parts)) or "-"


def _cell(value: object) -> str:
    return when(value) if isinstance(value, datetime) or value is None else for_people(str(value))


def _to_json(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
