"""The command line: `invoke` runs a command, `command_table.py` names them all, one folder holds each group."""

import os
import sys
from typing import Annotated, Any

import typer
from typer._click.exceptions import ClickException
from typer._completion_classes import completion_init

from newsletter import __version__
from newsletter.cli.command_name import command_name
from newsletter.cli.command_table import COMMANDS, TASKS
from newsletter.cli.lazy_group import LazyGroup
from newsletter.cli.output import CommandFailed, for_people

__all__ = ["app", "invoke"]


class _Root(LazyGroup):
    def __init__(self, **attrs: Any) -> None:
        super().__init__(table=COMMANDS, tasks=TASKS, **attrs)


app = typer.Typer(
    name="newsletter",
    cls=_Root,
    help="Reads digest feeds and mails each subscriber only what matches their topics or keywords.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

#: A shell sets it when it asks for completions, or for the script that does so: docs/cli.md.
_COMPLETION = "_NEWSLETTER_COMPLETE"


def _version(wanted: bool) -> None:
    if wanted:
        print(f"newsletter {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Reads digest feeds and mails each subscriber only what matches their topics or keywords."""


def invoke(words: list[str]) -> int:
    """Run a command; returns its exit code. Errors are one line on standard error, never a traceback."""
    completes = _COMPLETION in os.environ
    if completes:
        completion_init()
    name = "newsletter" if completes else command_name()
    try:
        code = app(words, prog_name=name, standalone_mode=False, complete_var=_COMPLETION)
    except CommandFailed as error:
        return _print_error(str(error), error.code)
    except ClickException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message())
            return 2
        context = getattr(error, "ctx", None)
        message = error.format_message()
        stop = "" if message.endswith((".", "?")) else "."
        return _print_error(f"{message}{stop} See '{context.command_path if context else name} --help'", 2)
    except (typer.Abort, KeyboardInterrupt):
        return _print_error("stopped", 1)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost guard: a user never sees a traceback
        return _unexpected(error)
    return code if isinstance(code, int) else 0


def _unexpected(error: Exception) -> int:
    """Report an error that no command handles. Imports its class only here, so that other commands start faster."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError

    from newsletter.lib.crypto import KeysDoNotFit

    match error:
        case ImproperlyConfigured():
            return _print_error(str(error), 2)
        case KeysDoNotFit():
            return _print_error(f"{error}. Put back the keys file that was kept", 1)
        case DatabaseError():
            _traceback_if_wanted()
            return _print_error(f"the database refused ({type(error).__name__}): run 'newsletter doctor'", 1)
    _traceback_if_wanted()
    return _print_error(
        f"unexpected {type(error).__name__}: run it again with NEWSLETTER_LOG_LEVEL=DEBUG to see where", 1
    )


def _print_error(line: str, code: int) -> int:
    print(f"newsletter: {for_people(' '.join(line.split()))}", file=sys.stderr)
    return code


def _traceback_if_wanted() -> None:
    if os.environ.get("NEWSLETTER_LOG_LEVEL", "").upper() == "DEBUG":
        import traceback

        traceback.print_exc()
