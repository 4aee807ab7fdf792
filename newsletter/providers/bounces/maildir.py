"""Read new mails from a Maildir, and file them when they were processed."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

#: Files read in one round.
MOST = 500
#: How long processed reports are kept: they hold addresses in clear.
KEPT = timedelta(days=7)


class Flag(StrEnum):
    """The flags with which a mail is filed in `cur`, as mail programs know them."""

    #: Seen and trashed: it was a report, and is deleted later.
    PROCESSED = "ST"
    #: None: it stays new, for a person.
    NEW = ""
    #: Flagged: it could not be read.
    UNREADABLE = "F"


@dataclass(frozen=True)
class ReturnedMail:
    """A new mail: its first bytes, None if it cannot be read, and when it came."""

    path: Path
    raw: bytes | None = field(repr=False)
    received: datetime


def new_mails(directory: Path, *, most: int = MOST, largest: int) -> Iterator[ReturnedMail]:
    """Yield new mails by name, with at most `largest` bytes of each.

    Raises:
        OSError: there is no such Maildir, or it cannot be read.
    """
    for name in sorted(os.listdir(directory / "new"))[:most]:  # noqa: PTH208 - a Maildir may hold very many
        if not name.startswith("."):
            yield _read(directory / "new" / name, largest)


def file_away(mail: ReturnedMail, flag: Flag) -> bool:
    """Move a mail to `cur`; False if another reader was faster.

    Raises:
        OSError: the file may not be moved.
    """
    name = mail.path.name.partition(":2,")[0]
    try:
        mail.path.rename(mail.path.parent.parent / "cur" / f"{name}:2,{flag}")
    except FileNotFoundError:
        return False
    return True


def delete_processed(directory: Path, *, now: datetime) -> int:
    """Delete reports that were processed long ago; return how many."""
    deleted = 0
    for path in (directory / "cur").glob(f"*:2,{Flag.PROCESSED}"):
        try:
            if datetime.fromtimestamp(path.lstat().st_ctime, UTC) < now - KEPT:
                path.unlink()
                deleted += 1
        except FileNotFoundError:
            continue
    return deleted


def _read(path: Path, largest: int) -> ReturnedMail:
    try:
        # do not follow links, and do not wait for a writer if it is a pipe
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            raw = file.read(largest) if stat.S_ISREG(status.st_mode) else None
            return ReturnedMail(path, raw, datetime.fromtimestamp(status.st_mtime, UTC))
    except OSError:
        return ReturnedMail(path, None, datetime.fromtimestamp(0, UTC))
