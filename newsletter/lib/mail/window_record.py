"""Record how far a process got with the window that it is handing over, in a file that outlives it.

A worker that is killed leaves a window in doubt, of which mostly a few mails were under way. Each process that sends has a
file in `DATA_DIR/workers`, mapped into its memory and locked as long as it lives; beside each delivery of a window it writes
that its body is about to leave, before the first byte does, and what was answered. It costs no write to a disk: the kernel
keeps the page when a process dies.

The record is believed only if the process is surely dead and nothing was lost: the lock is free (a process that is merely
stopped still holds it), the machine is the same and was not restarted since (its boot id), and the file is no copy (its device
and inode). Otherwise the whole window stays in doubt.
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

from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Rejected

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
# plain numbers, since they are written for each mail
_BEGUN: Final = int(MailProgress.BEGUN)
#: What an outcome proves; an unknown one leaves the mail begun.
_PROVED: Final[dict[type[Outcome], int]] = {
    Accepted: int(MailProgress.ACCEPTED), Deferred: int(MailProgress.NOT_TAKEN), Rejected: int(MailProgress.NOT_TAKEN)
}  # fmt: skip


class Slot:
    """The record of one thread's window. Nothing here raises: it is memory."""

    def __init__(self, memory: mmap.mmap, start: int) -> None:
        self._memory, self._start = memory, start
        self._offsets: dict[int, int] = {}

    def open(self, token: UUID, delivery_ids: Sequence[int]) -> None:
        """Begin a window of the batch held by `token`; call it before anything of it is handed over."""
        self._offsets = {}
        self._memory[self._start : self._start + 16] = _NOBODY  # a window that is half written belongs to no batch
        if len(delivery_ids) > MOST:
            return
        ids = [*delivery_ids, *[0] * (MOST - len(delivery_ids))]
        packed = _SLOT.pack(token.bytes, len(delivery_ids), *ids, *bytes(MOST))
        self._memory[self._start + 16 : self._start + _SLOT.size] = packed[16:]
        self._memory[self._start : self._start + 16] = packed[:16]
        self._offsets = {number: self._start + _STATES + index for index, number in enumerate(delivery_ids)}

    def begun(self, delivery_id: int) -> None:
        """Record that this mail's body is about to be written."""
        offset = self._offsets.get(delivery_id)
        if offset is not None:
            self._memory[offset] = _BEGUN

    def answered(self, delivery_id: int, outcome: Outcome) -> None:
        """Record the outcome of this mail."""
        offset, proved = self._offsets.get(delivery_id), _PROVED.get(type(outcome))
        if offset is not None and proved is not None:
            self._memory[offset] = proved


class WorkerFile:
    """The file of this process, locked until it ends. Make it after a fork: locks do not pass to children."""

    def __init__(self, path: Path) -> None:
        """Make and lock the file.

        Raises:
            OSError: that is not possible there.
        """
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self.path = path
        size = _HEADER.size + SLOTS * _SLOT.size
        new_path = path.with_suffix(".new")
        self._descriptor = os.open(new_path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.posix_fallocate(self._descriptor, 0, size)
        self._memory = mmap.mmap(self._descriptor, size)
        status = os.fstat(self._descriptor)
        self._memory[: _HEADER.size] = _HEADER.pack(_MAGIC, _boot_id(), status.st_dev, status.st_ino)
        new_path.rename(path)
        self._used = 0

    def slot(self) -> Slot | None:
        """Return memory for one more thread, or None if there is none left."""
        if self._used >= SLOTS:
            return None
        self._used += 1
        return Slot(self._memory, _HEADER.size + (self._used - 1) * _SLOT.size)

    def remove(self) -> None:
        """Remove the file: the process ends and nothing is under way."""
        with suppress(OSError):
            self.path.unlink()
        os.close(self._descriptor)


@dataclass(frozen=True)
class DeadWorker:
    """A process of this machine that is surely dead, with its open windows by the token of their batch."""

    id: UUID
    windows: Mapping[UUID, Window]


def dead_workers(directory: Path, *, excluding: UUID | None) -> Iterator[DeadWorker]:
    """Yield the dead processes of this machine, each to one caller at a time, and remove its file afterwards.

    `excluding` is the caller itself: opening and closing its own file would release its lock.
    """
    if not directory.is_dir():
        return
    for path in sorted(directory.iterdir()):
        number = _id_of(path)
        if number is None or number == excluding:
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
    """Lock a file and yield its content; None while its process lives or another caller has it."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
            return
        status, raw = os.fstat(file.fileno()), file.read()
        if len(raw) < _HEADER.size or path.stat().st_ino != status.st_ino:
            yield None
            return
        magic, boot, device, inode = _HEADER.unpack_from(raw)
        same = (magic.rstrip(b"\0"), boot) == (_MAGIC, _boot_id()) and (device, inode) == (status.st_dev, status.st_ino)
        yield raw if same else b""


def _read(raw: bytes) -> dict[UUID, Window] | None:
    """Return the open windows, or None if the file cannot be believed."""
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
    """Return the id of this start of the machine; random if it cannot be read, so that no record is believed."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip().ljust(36)[:36]
    except OSError:
        return os.urandom(36)
