"""Is this database the one that this installation used last? A restored backup or a copied directory must not send by itself."""

import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

#: The file beside the keys.
NAME = "installation"
#: What every such doubt begins with: the gate's own words are compared with it.
DOUBT = "this data looks restored or copied"
#: Neither a doubt nor a yes: data that was copied a moment ago looks just as that of a service at work.
WAITS = "this data directory is new to the data: nothing is sent from here until another host was seen at work with it"
_LENGTH = 80


@dataclass(frozen=True)
class Kept:
    """What was written beside the keys: which data, how far it was, and which file held that (a copy is another file)."""

    epoch: UUID
    mark: int
    inode: int


def read(directory: Path) -> Kept | None:
    """What is kept in `directory`; None when nothing readable is."""
    try:
        epoch, mark, inode = (directory / NAME).read_text(encoding="ascii").split()
        return Kept(UUID(epoch), int(mark), int(inode))
    except (OSError, ValueError):
        return None


def write(directory: Path, epoch: UUID, mark: int) -> None:
    """Write it in place, for a new file would look like a copy; one sector, so a crash leaves the old words or the new.

    Raises:
        OSError: it cannot be written.
    """
    descriptor = os.open(directory / NAME, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        words = f"{epoch} {mark} {os.fstat(descriptor).st_ino}"
        os.pwrite(descriptor, f"{words:{_LENGTH - 1}}\n".encode(), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_copy(directory: Path, kept: Kept) -> bool:
    """Whether the file is another one than that which was written."""
    return (directory / NAME).stat().st_ino != kept.inode


def doubt(
    kept: Kept | None, *, copied: bool, epoch: UUID, mark: int, moved: bool, living: bool, doubted: bool
) -> str | None:
    """Why nothing may be sent from here: a doubt, until somebody confirms it, or WAITS; None when it may.

    `epoch` and `mark` are the database's. `moved`: the mark was seen to move, which only hosts that have the file do, so a
    host without one is new. `living`: somebody was at work with the data a moment ago, which a fresh copy says as well.
    `doubted`: a doubt was said before, and nobody confirmed.
    """
    if mark == 0 and (kept is None or kept.epoch != epoch):
        return None  # it never worked yet
    if kept is None:
        if doubted or not living:
            return f"{DOUBT}: {NEWS[0]}"
        return None if moved else WAITS
    if kept.epoch != epoch:
        return f"{DOUBT}: {NEWS[1]}"
    if kept.mark > mark:
        return f"{DOUBT}: {NEWS[2]}"
    return f"{DOUBT}: {NEWS[3]}" if copied else None


NEWS = (
    "the database worked before, but not with this data directory",
    "the database and the data directory are of two installations",
    "the database is older than what this installation did last",
    "the data directory is a copy of another",
)
