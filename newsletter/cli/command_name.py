"""What a person types to call this program. Hints, usage lines and examples name it so."""

import os
import re
from pathlib import Path

#: Set by run.sh and .venv/bin/newsletter: what was typed to start them, if it was not `newsletter`.
_COMMAND = "_NEWSLETTER_COMMAND"
#: Set by the same: the folder in which it was typed. They change to the folder of the checkout.
_FOLDER = "_NEWSLETTER_FOLDER"
#: A command in a hint, such as 'newsletter feeds list'.
_IN_HINT = re.compile(r"(?<=')newsletter(?= )")


def command_name() -> str:
    """What works where the person stands: `./run.sh` if they started that, `newsletter` otherwise."""
    return os.environ.get(_COMMAND) or "newsletter"


def name_in_hints(text: str) -> str:
    """Return `text` with the commands in its hints as this person can type them."""
    name = command_name()
    return text if name == "newsletter" else _IN_HINT.sub(lambda _: name, text)


def in_callers_folder(file: str) -> Path:
    """The path of a file as the person who typed it means it."""
    return Path(os.environ.get(_FOLDER, "")) / file
