"""Detect a restored database or a copied data directory, which must not send before an operator confirms it."""

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from uuid import UUID

#: The file beside the keys.
FILE_NAME = "installation"
_LENGTH = 80


class Standing(Enum):
    """What is known of the data here, with the words for operators; nothing is decided by these."""

    #: It may send.
    OURS = "this data is of this installation"
    #: Neither a doubt nor a yes: data that was copied a moment ago looks just as that of a service at work.
    NEW_HOST = (
        "this data directory is new to the data: nothing is sent from here until another host was seen at work with it"
    )
    #: The doubts: nothing is sent until an operator confirms.
    NO_FILE = "this data looks restored or copied: the database worked before, but not with this data directory"
    MISMATCH = "this data looks restored or copied: the database and the data directory are of two installations"
    BEHIND = "this data looks restored or copied: the database is older than what this installation did last"
    COPY = "this data looks restored or copied: the data directory is a copy of another"

    @property
    def in_doubt(self) -> bool:
        """Whether the data looks restored or copied."""
        return self not in (Standing.OURS, Standing.NEW_HOST)


@dataclass(frozen=True)
class KeptMark:
    """What was written beside the keys: which data, how far it was, and which file held that (a copy is another file)."""

    epoch: UUID
    mark: int
    inode: int


@dataclass(frozen=True)
class Observed:
    """What the directory and the database say; `kept` is the file's, `epoch` and `mark` are the database's."""

    kept: KeptMark | None
    #: The file is another one than that which was written.
    copied: bool
    epoch: UUID
    mark: int
    #: The mark was seen to move, which only hosts that have the file do, so a host without one is new.
    moved: bool
    #: Somebody was at work with the data a moment ago, which a fresh copy says as well.
    living: bool
    #: A doubt was said before, and nobody confirmed.
    doubted: bool


def read(directory: Path) -> KeptMark | None:
    """What is kept in `directory`; None when nothing readable is."""
    try:
        epoch, mark, inode = (directory / FILE_NAME).read_text(encoding="ascii").split()
        return KeptMark(UUID(epoch), int(mark), int(inode))
    except (OSError, ValueError):
        return None


def write(directory: Path, epoch: UUID, mark: int) -> None:
    """Write it in place, for a new file would look like a copy; one sector, so a crash leaves the old words or the new.

    Raises:
        OSError: it cannot be written.
    """
    descriptor = os.open(directory / FILE_NAME, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        words = f"{epoch} {mark} {os.fstat(descriptor).st_ino}"
        os.pwrite(descriptor, f"{words:{_LENGTH - 1}}\n".encode(), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_copy(directory: Path, kept: KeptMark) -> bool:
    """Whether the file is another one than that which was written."""
    return (directory / FILE_NAME).stat().st_ino != kept.inode


def decide_standing(seen: Observed) -> Standing:
    """Whether this installation may send, by the first line that applies.

    | file            | database                         | standing |
    |-----------------|----------------------------------|----------|
    | none or foreign | has no mark: it never worked     | OURS     |
    | none            | doubted before, or nobody at work | NO_FILE |
    | none            | its mark moves: others are at work | OURS   |
    | none            | its mark stands                  | NEW_HOST |
    | foreign         | has a mark                       | MISMATCH |
    | its own         | its mark is behind the file's    | BEHIND   |
    | a copy          | any                              | COPY     |
    | its own         | any                              | OURS     |
    """
    kept = seen.kept
    if seen.mark == 0 and (kept is None or kept.epoch != seen.epoch):
        return Standing.OURS
    if kept is None:
        if seen.doubted or not seen.living:
            return Standing.NO_FILE
        return Standing.OURS if seen.moved else Standing.NEW_HOST
    if kept.epoch != seen.epoch:
        return Standing.MISMATCH
    if kept.mark > seen.mark:
        return Standing.BEHIND
    return Standing.COPY if seen.copied else Standing.OURS
