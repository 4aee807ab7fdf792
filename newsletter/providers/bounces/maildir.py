"""A Maildir into which anything may deliver: its new mails out, one after the other, and put away when they were read."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

#: Files of one round: the next one goes on.
MOST = 500
#: Reports hold addresses in clear: what was understood is deleted after so long.
KEPT = timedelta(days=7)


class Flag(StrEnum):
    """How a mail is put away in `cur`, in the letters that mail programs know."""

    #: Seen, and in the trash: it was a report, and is deleted later.
    UNDERSTOOD = "ST"
    #: Nothing: it waits there for a person, as new as before.
    LEFT = ""
    #: Flagged: it could not be read.
    BROKEN = "F"


@dataclass(frozen=True)
class Returned:
    """One new mail: its first bytes, and when it came; `raw` None when it cannot be read."""

    path: Path
    raw: bytes | None = field(repr=False)
    received: datetime


def waiting(directory: Path, *, most: int = MOST, largest: int) -> Iterator[Returned]:
    """New mails, by name, `largest` bytes of each.

    Raises:
        OSError: there is no such Maildir, or it cannot be read.
    """
    for name in sorted(os.listdir(directory / "new"))[:most]:  # noqa: PTH208 - a Maildir may hold very many
        if not name.startswith("."):
            yield _opened(directory / "new" / name, largest)


def put_away(mail: Returned, flag: Flag) -> bool:
    """Move a mail to `cur`; False when another reader was faster.

    Raises:
        OSError: the file may not be moved.
    """
    name = mail.path.name.partition(":2,")[0]
    try:
        mail.path.rename(mail.path.parent.parent / "cur" / f"{name}:2,{flag}")
    except FileNotFoundError:
        return False
    return True


def clear(directory: Path, *, now: datetime) -> int:
    """Delete what was understood long ago; returns how many."""
    gone = 0
    for path in (directory / "cur").glob(f"*:2,{Flag.UNDERSTOOD}"):
        try:
            if datetime.fromtimestamp(path.lstat().st_ctime, UTC) < now - KEPT:
                path.unlink()
                gone += 1
        except FileNotFoundError:
            continue
    return gone


def _opened(path: Path, largest: int) -> Returned:
    try:
        # neither through a link to elsewhere, nor waiting for somebody to write into a pipe
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(file.fileno())
            raw = file.read(largest) if stat.S_ISREG(found.st_mode) else None
            return Returned(path, raw, datetime.fromtimestamp(found.st_mtime, UTC))
    except OSError:
        return Returned(path, None, datetime.fromtimestamp(0, UTC))
