"""Processes of an installation under test, started again when they die, as a supervisor does it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.fork_server import Forked, Nursery
from tests.faults.servers import ROOT

Process = subprocess.Popen[bytes] | Forked


class Crew:
    """Each command is a process of its own, in a process group of its own, until `stop`.

    With FAULTS_FORK in their environment they are forked from one that is warm, instead of being started each from nothing.
    """

    def __init__(self, environment: dict[str, str], directory: Path) -> None:
        self.environment = environment
        self._log = directory / "processes.log"
        self._commands: list[list[str]] = []
        self._running: list[Process] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._watching: threading.Thread | None = None
        #: Seconds that each worker took to end when it was asked to.
        self.drains: list[float] = []
        with self._log.open("ab") as log:
            self._nursery = Nursery(environment, ROOT, log) if "FAULTS_FORK" in environment else None

    def start(self, *commands: list[str]) -> None:
        with self._lock:
            for command in commands:
                self._commands.append(command)
                self._running.append(self._spawn(command))
        if self._watching is None:
            self._watching = threading.Thread(target=self._watch, daemon=True)
            self._watching.start()

    def those(self, word: str) -> list[Process]:
        """The living processes whose command has this word."""
        with self._lock:
            pairs = zip(self._commands, self._running, strict=True)
            return [one for command, one in pairs if word in command and one.poll() is None]

    def workers(self) -> list[Process]:
        """The living processes that send."""
        return [one for word in ("worker", "run", "once") for one in self.those(word)]

    def memory(self, word: str) -> int:
        """Bytes that the largest process of those, or of their children, holds in memory."""
        pids = [pid for one in self.those(word) for pid in (one.pid, *children(one.pid))]
        return max((_resident(pid) for pid in pids), default=0)

    def stop(self) -> None:
        """End all at once: what was to be seen was seen."""
        self._ended.set()
        if self._watching is not None:
            self._watching.join()
        for one in self._running:
            kill_group(one)
        for one in self._running:
            one.wait()
        if self._nursery is not None:
            self._nursery.close()

    def roll(self) -> None:
        """End one worker by SIGTERM, as a deployment does; a new one takes its place."""
        victim = self.workers()[0]
        began = time.monotonic()
        victim.terminate()
        victim.wait(timeout=60)
        self.drains.append(time.monotonic() - began)

    def told(self) -> str:
        """What the processes logged."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _spawn(self, command: list[str]) -> Process:
        if self._nursery is not None:
            return self._nursery.fork(command)
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command], env=self.environment, cwd=ROOT, stdout=log, stderr=log, process_group=0
            )

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            with self._lock:
                for number, one in enumerate(self._running):
                    if one.poll() is not None:
                        self._running[number] = self._spawn(self._commands[number])


def children(pid: int) -> list[int]:
    """The prefork children of a worker."""
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def is_up(child: int) -> bool:
    """Whether a prefork child is at work: it then watches the tables in a second thread."""
    with contextlib.suppress(OSError):
        return len(list(Path(f"/proc/{child}/task").iterdir())) > 1
    return False


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def kill(pid: int) -> bool:
    """kill -9; False when there is no such process any more."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def kill_group(one: Process) -> None:
    """kill -9 a process and its children."""
    if one.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(one.pid, signal.SIGKILL)


@contextlib.contextmanager
def crew(environment: dict[str, str], directory: Path, *commands: list[str]) -> Iterator[Crew]:
    """Processes that run until the end of the block."""
    made = Crew(environment, directory)
    try:
        made.start(*commands)
        yield made
    finally:
        made.stop()
