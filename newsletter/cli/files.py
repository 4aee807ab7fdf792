"""Files that commands read and write; - is standard input or output."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.output import fail, result

#: Where a command writes what it moves out.
Target = Annotated[str, typer.Argument(metavar="[FILE]", help="Where to write; - or nothing is standard output.")]


def read(file: str, cap: int) -> bytes:
    """The bytes of a file, a little more than `cap` when it is too large."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(cap + 1)
        with Path(file).open("rb") as opened:
            return opened.read(cap + 1)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")


def write(file: str, text: str, document: object, json: bool, what: str) -> None:
    """Write `text`, and say so; on standard output alone, or as `document` where JSON is asked for."""
    if file == "-":
        if json:
            result(document, json)
        else:
            typer.echo(text.encode(), nl=False)
        return
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}")
    result({"file": file}, json, f"{what} written to {file}")
