"""The heartbeat of this process, in a thread with a database connection of its own, and its window record.

Prefork children have one each, started after the fork. When the heartbeat cannot be written the process goes on: the batches it
holds may be recovered by others meanwhile, and since its token no longer matches it opens no further window. The window under
way is finished, for it is in doubt either way, and mails that left are better than mails that did not.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import structlog
from django.db import Error, connection

from newsletter import __version__
from newsletter.delivery.sending import workers
from newsletter.delivery.sending.workers import Process
from newsletter.lib.mail.window_record import Slot, WorkerFile

log = structlog.get_logger()

#: Beside the keys: a file for each process of this machine that sends.
DIRECTORY = "workers"
#: Seconds after which a heartbeat that failed is tried again.
AGAIN = 1.0
#: Seconds that the first heartbeat, and the last word, are waited for.
_PATIENCE = 3.0


class Heartbeat:
    """The heartbeat of one process, from `start` to `stop`."""

    def __init__(self, directory: Path) -> None:
        self.process = Process(uuid4(), socket.gethostname(), os.getpid(), __version__)
        self._stopped, self._first = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._file = _file(directory / DIRECTORY / str(self.process.id))

    def start(self) -> None:
        """Begin, and wait a moment for the first heartbeat: what is claimed before it has only its lease."""
        self._thread.start()
        self._first.wait(_PATIENCE)

    def stop(self) -> None:
        """End; what is still held is taken back at once by whoever looks next."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._thread.join(_PATIENCE)
        if self._file is not None:
            self._file.remove()

    def slot(self) -> Slot | None:
        """A slot in which one more thread records the progress of its window."""
        return self._file.slot() if self._file is not None else None

    def _run(self) -> None:
        failing = False
        while not self._stopped.is_set():
            try:
                workers.beat(self.process)
                self._first.set()
                failing = False
            except Error as error:
                if not failing:
                    log.warning("heartbeat_failed", error=type(error).__name__)
                failing = True
                connection.close()
            self._stopped.wait(AGAIN if failing else workers.EVERY)
        self._retire()

    def _retire(self) -> None:
        try:
            workers.retire(self.process.id)
        except Error as error:  # then its silence tells
            log.warning("heartbeat_failed", error=type(error).__name__)
        finally:
            connection.close()


class _Here:
    """The heartbeat of this process, if it has one; a fork has none of its parent's."""

    heartbeat: Heartbeat | None = None


def start(directory: Path) -> None:
    """Show from now on that this process lives. `directory` is the data directory."""
    if _Here.heartbeat is not None and _Here.heartbeat.process.pid == os.getpid():
        return
    _Here.heartbeat = Heartbeat(directory)
    _Here.heartbeat.start()


def stop() -> None:
    """This process sends no more."""
    if _Here.heartbeat is not None and _Here.heartbeat.process.pid == os.getpid():
        _Here.heartbeat.stop()
        _Here.heartbeat = None


@contextmanager
def running(directory: Path) -> Iterator[None]:
    """This process sends as long as the block lasts."""
    start(directory)
    try:
        yield
    finally:
        stop()


def worker_id() -> UUID | None:
    """The id under which this process claims; None: it has no heartbeat."""
    return _Here.heartbeat.process.id if _Here.heartbeat is not None else None


def slot() -> Slot | None:
    """A slot in which one more thread of this process records the progress of its window."""
    return _Here.heartbeat.slot() if _Here.heartbeat is not None else None


def _file(path: Path) -> WorkerFile | None:
    try:
        return WorkerFile(path)
    except OSError as error:
        log.warning("no_window_record", error=type(error).__name__)
        return None
