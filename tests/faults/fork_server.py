"""Processes forked from one that has imported the service already: half a minute of starting saved in every minute of a suite.

Run as a program it reads commands (a list of words in JSON, as after `python`) from its input, forks a child for each, in a
process group of its own, and answers with its id; at the end of its input it ends, its children do not.
"""

import json
import os
import runpy
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO


class Forked:
    """A child of the nursery, with as much of `subprocess.Popen` as a crew needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """None while it lives."""
        return 0 if select.select([self._handle], [], [], 0)[0] else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            TimeoutExpired: it did not come in time.
        """
        if not select.select([self._handle], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return 0

    def terminate(self) -> None:
        """SIGTERM."""
        signal.pidfd_send_signal(self._handle, signal.SIGTERM)


class Nursery:
    """The program, in the environment of its children, whose output goes to `log`."""

    def __init__(self, environment: dict[str, str], root: Path, log: IO[bytes]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.fork_server"],
            env=environment, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip

    def fork(self, command: list[str]) -> Forked:
        """Start a command."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(command)}\n")
        self._process.stdin.flush()
        return Forked(int(self._process.stdout.readline()))

    def close(self) -> None:
        """Fork nobody any more."""
        self._process.communicate(timeout=20)


def main() -> None:
    """Import what all need, then fork whoever is asked for."""
    from tests.faults import load  # noqa: F401, I001 - it sets Django up, which the others need
    import celery.bin.celery
    import celery.concurrency.prefork
    import celery.worker  # noqa: F401
    import newsletter.cli  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    while line := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line))
        print(pid, flush=True)


def _become(command: list[str]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setpgid(0, 0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    _, module, *words = command
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    main()
