"""Every door by hand: the commands, one file per group."""

import os
import sys
from typing import Annotated

import typer
from django.db import DatabaseError
from typer._click.exceptions import ClickException

from newsletter import __version__
from newsletter.cli.deliveries import commands
from newsletter.cli.feeds import commands as feeds_commands
from newsletter.cli.output import Failed, harmless
from newsletter.cli.sending import commands as sending_commands
from newsletter.cli.service import operations, serve
from newsletter.cli.subscribers import commands as subscribers_commands
from newsletter.cli.subscribers import suppressions
from newsletter.cli.topics import commands as topics_commands
from newsletter.cli.topics import import_export, match, urgent
from newsletter.lib.crypto import KeysDoNotFit

__all__ = ["app", "invoke"]

app = typer.Typer(
    name="newsletter",
    help="Reads digest feeds and mails each subscriber only what meets their topics or keywords.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (serve, operations, match):
    group.register(app)
urgent.register(topics_commands.app)
import_export.register(topics_commands.app)
app.add_typer(feeds_commands.app, name="feeds")
app.add_typer(topics_commands.app, name="topics")
app.add_typer(subscribers_commands.app, name="subscribers")
app.add_typer(commands.deliveries, name="deliveries")
app.add_typer(sending_commands.app, name="sending")
app.add_typer(suppressions.app, name="suppressions")


def _version(asked: bool) -> None:
    if asked:
        print(f"newsletter {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Reads digest feeds and mails each subscriber only what meets their topics or keywords."""


def invoke(words: list[str]) -> int:
    """Run a command; returns its exit code. Errors are one line on standard error, never a traceback."""
    try:
        code = app(words, standalone_mode=False)
    except Failed as error:
        return _say(str(error), error.code)
    except ClickException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message())
            return 2
        command = " ".join(["newsletter", *(word for word in words[:2] if not word.startswith("-"))])
        return _say(f"{error.format_message()} See '{command} --help'", 2)
    except (typer.Abort, KeyboardInterrupt):
        return _say("stopped", 1)
    except KeysDoNotFit as error:
        return _say(f"{error}. Put back the keys file that was kept", 1)
    except DatabaseError as error:
        _traceback_if_wanted()
        return _say(f"the database refused ({type(error).__name__}): run 'newsletter doctor'", 1)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost guard: a user never sees a traceback
        _traceback_if_wanted()
        return _say(f"unexpected {type(error).__name__}: run it again with NEWSLETTER_LOG_LEVEL=DEBUG to see where", 1)
    return code if isinstance(code, int) else 0


def _say(line: str, code: int) -> int:
    print(f"newsletter: {harmless(' '.join(line.split()))}", file=sys.stderr)
    return code


def _traceback_if_wanted() -> None:
    if os.environ.get("NEWSLETTER_LOG_LEVEL", "").upper() == "DEBUG":
        import traceback

        traceback.print_exc()
