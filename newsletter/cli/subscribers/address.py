"""The address on the command line: given, asked for, or read from standard input."""

import sys
from typing import Annotated

import typer

from newsletter.cli.output import fail
from newsletter.lib.mail.provider_interface import Address
from newsletter.subscribers.email_address import InvalidAddress, parse_address

AddressArgument = Annotated[
    str,
    typer.Argument(
        metavar="[ADDRESS]",
        help="The address. Leave it out (or write '-') to keep it out of your shell's history: you are asked for it, or it is "
        "read from standard input.",
    ),
]


def read_address(text: str) -> Address:
    """The address of an argument; for `-` one line of standard input, asked for on a terminal."""
    if text == "-" and sys.stdin.isatty():
        print("Address: ", end="", file=sys.stderr, flush=True)
    try:
        return parse_address(sys.stdin.readline() if text == "-" else text)
    except InvalidAddress as error:
        fail(str(error))
