"""How far a process got with the window that it is handing over, in a file that outlives it.

A worker that is killed leaves a window in doubt, of which mostly a few mails were under way. Each process that sends has a
file in `DATA_DIR/workers`, mapped into its memory and locked as long as it lives; beside each delivery of a window it writes
that its body is about to leave, before the first byte does, and what was answered. It costs no write to a disk: the kernel
keeps the page when a process dies.

What is written there is believed only when the process is surely dead and nothing of it was lost: the lock is free (a process
that is merely stopped still has it), the machine is the same and was not restarted since (its boot id), and the file is no
copy (its device and inode). Else all of the window stays in doubt.
"""

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final
from uuid import UUID

from newsletter.lib.provider_interface import Accepted, Deferred, Outcome, Rejected

#: Threads of a process that send, and deliveries in a window; beyond that nothing is recorded.
SLOTS: Final = 32
MOST: Final = 64
_HEADER: Final = struct.Struct("=20s36sQQ")
_MAGIC: Final = b"newsletter-worker-1"
_SLOT: Final = struct.Struct(f"=16sI{MOST}q{MOST}B")
_STATES: Final = struct.calcsize(f"=16sI{MOST}q")
_NOBODY: Final = bytes(16)


class MailProgress(IntEnum):
    """What is known of one mail of a window."""

    #: Surely not taken: its body was not begun, or the server said no.
    NOT_TAKEN = 0
    #: Its body may have left.
    BEGUN = 1
    #: The server said yes.
    ACCEPTED = 2


Window = Mapping[int, MailProgress]
# Plain numbers: these are written for each mail.
_BEGUN: Final = int(MailProgress.BEGUN)
#: Of an answer; what leaves us in doubt stays begun.
_TOLD: Final[dict[type[Outcome], int]] = {
    Accepted: int(MailProgress.ACCEPTED), Deferred: int(MailProgress.NOT_TAKEN), Rejected: int(MailProgress.NOT_TAKEN)
}  # fmt: skip


class Slot:
    """The window of one thread. Nothing here raises: it is memory."""

    def __init__(self, memory: mmap.mmap, start: int) -> None:
        self._memory, self._start = memory, start
        self._places: dict[int, int] = {}

    def open(self, token: UUID, delivery_ids: Sequence[int]) -> None:
        """Begin a window of the batch that is held by `token`; call it before anything of it is handed over."""
        self._places = {}
        self._memory[self._start : self._start + 16] = _NOBODY  # half a window belongs to nobody
        if len(delivery_ids) > MOST:
            return
        ids = [*delivery_ids, *[0] * (MOST - len(delivery_ids))]
        packed = _SLOT.pack(token.bytes, len(delivery_ids), *ids, *bytes(MOST))
        self._memory[self._start + 16 : self._start + _SLOT.size] = packed[16:]
        self._memory[self._start : self._start + 16] = packed[:16]
        self._places = {number: self._start + _STATES + place for place, number in enumerate(delivery_ids)}

    def begun(self, delivery_id: int) -> None:
        """The body of this mail is about to leave."""
        place = self._places.get(delivery_id)
        if place is not None:
            self._memory[place] = _BEGUN

    def answered(self, delivery_id: int, outcome: Outcome) -> None:
        """What became of this mail."""
        place, told = self._places.get(delivery_id), _TOLD.get(type(outcome))
        if place is not None and told is not None:
            self._memory[place] = told


class WorkerFile:
    """The file of this process, locked until it ends. Made after a fork, never before: locks do not pass to children."""

    def __init__(self, path: Path) -> None:
        """Make it.

        Raises:
            OSError: it cannot be made or locked there.
        """
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self.path = path
        size = _HEADER.size + SLOTS * _SLOT.size
        making = path.with_suffix(".new")
        self._descriptor = os.open(making, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.posix_fallocate(self._descriptor, 0, size)
        self._memory = mmap.mmap(self._descriptor, size)
        about = os.fstat(self._descriptor)
        self._memory[: _HEADER.size] = _HEADER.pack(_MAGIC, _boot_id(), about.st_dev, about.st_ino)
        making.rename(path)
        self._used = 0

    def slot(self) -> Slot | None:
        """Memory for one more thread; None when there is none left."""
        if self._used >= SLOTS:
            return None
        self._used += 1
        return Slot(self._memory, _HEADER.size + (self._used - 1) * _SLOT.size)

    def remove(self) -> None:
        """The process ends, and nothing of it is under way."""
        with suppress(OSError):
            self.path.unlink()
        os.close(self._descriptor)


@dataclass(frozen=True)
class DeadWorker:
    """A process of this machine that is surely dead, and the windows that it had open, by the token of their batch."""

    id: UUID
    windows: Mapping[UUID, Window]


def dead_workers(directory: Path, *, but: UUID | None) -> Iterator[DeadWorker]:
    """The processes of this machine that died, each looked after by one caller at a time; its file goes when that is done.

    `but` is the caller itself: to open and close its own file would give up its lock.
    """
    if not directory.is_dir():
        return
    for path in sorted(directory.iterdir()):
        number = _id_of(path)
        if number is None or number == but:
            continue
        with suppress(OSError), _locked(path) as raw:
            if raw is None:
                continue
            windows = _read(raw)
            if windows is not None:
                yield DeadWorker(number, windows)
            path.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Iterator[bytes | None]:
    """What the file holds, under its lock; None while its process lives, or another one looks after it."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
            return
        about, raw = os.fstat(file.fileno()), file.read()
        if len(raw) < _HEADER.size or path.stat().st_ino != about.st_ino:
            yield None
            return
        magic, boot, device, inode = _HEADER.unpack_from(raw)
        same = (magic.rstrip(b"\0"), boot) == (_MAGIC, _boot_id()) and (device, inode) == (about.st_dev, about.st_ino)
        yield raw if same else b""


def _read(raw: bytes) -> dict[UUID, Window] | None:
    """The open windows; None for a file that is not to be believed."""
    if not raw:
        return None
    windows: dict[UUID, Window] = {}
    for start in range(_HEADER.size, len(raw) - _SLOT.size + 1, _SLOT.size):
        token, count, *rest = _SLOT.unpack_from(raw, start)
        if token != _NOBODY and count <= MOST:
            ids, states = rest[:count], rest[MOST : MOST + count]
            windows[UUID(bytes=token)] = {
                number: MailProgress(state) for number, state in zip(ids, states, strict=True)
            }
    return windows


def _id_of(path: Path) -> UUID | None:
    try:
        return UUID(path.name)
    except ValueError:
        return None


def _boot_id() -> bytes:
    """Of this start of this machine; random where none can be read, so that nothing is believed there."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip().ljust(36)[:36]
    except OSError:
        return os.urandom(36)
