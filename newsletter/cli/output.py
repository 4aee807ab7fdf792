"""How commands speak: results on standard output as a table or as one JSON document, everything else on standard error."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Annotated, Any, NoReturn

import typer

#: The option that every command has.
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


#: C0 and C1 controls but tab and line feed: escape sequences begin with one of them.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Failed(Exception):
    """The command could not do what it was asked; the message says what to do."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def fail(message: str) -> NoReturn:
    """End the command with one line and exit code 1."""
    raise Failed(message)


def misuse(message: str) -> NoReturn:
    """End the command with one line and exit code 2: it was asked for something that cannot be."""
    raise Failed(message, 2)


def example(*lines: str) -> str:
    """The epilogue of a command's help."""
    return "Example:\n\n" + "\n\n".join(f"    newsletter {line}" for line in lines)


def result(document: Any, as_json: bool, *lines: str) -> None:
    """Print what was done: the document, or the lines for people."""
    if as_json:
        print(json.dumps(document, default=_plain, ensure_ascii=False, indent=2))
        return
    for line in map(harmless, lines):
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

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns:
        drawn.add_column(heading, overflow="fold")
    for row in rows:
        drawn.add_row(*(_cell(value(row)) for value in columns.values()))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=160)
    console.print(drawn)


def ask(question: str, otherwise: str) -> None:
    """Ask on a terminal, and end the command unless the answer is yes; elsewhere end with exit code 2 and say what to do."""
    if not sys.stdin.isatty():
        misuse(otherwise)
    typer.confirm(question, abort=True, err=True)


def note(line: str) -> None:
    """Say something on the way, on standard error."""
    print(harmless(line), file=sys.stderr, flush=True)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show, on a terminal's standard error, how many of how many are done: what is yielded is told both."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def harmless(line: str) -> str:
    """`line` without what a terminal would obey: titles, URLs and reasons come from outside."""
    return _CONTROLS.sub("", line)


def when(moment: datetime | None) -> str:
    """A moment for people: UTC, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"


def span(seconds: float | None) -> str:
    """A length of time for people, in its largest unit: `40 min`, `7 h`, `2 days`."""
    if seconds is None:
        return "-"
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def joined(parts: Iterable[object]) -> str:
    """Parts with commas, or a dash."""
    return ", ".join(map(str, parts)) or "-"


def _cell(value: object) -> str:
    return when(value) if isinstance(value, datetime) or value is None else harmless(str(value))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
