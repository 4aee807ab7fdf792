"""Hands feeds to a small process that forks a child for each: the parser is imported once, and no fork ever has our threads."""

import atexit
import contextlib
import os
import socket
import subprocess
import sys
from threading import BoundedSemaphore, Lock

from newsletter.feeds.sandbox import fork_server_main
from newsletter.feeds.sandbox.fork_server_main import STARTED

#: Feeds that are read at once.
AT_ONCE = 16


class Lost(Exception):
    """The nursery ended before it took the feed up."""


class Nursery:
    """One for each process, shared by its threads; its own process is started with the first feed, and again when it died.

    `AT_ONCE` feeds are read at once, others wait their turn: far more than processors, so that the few which are made to hang do
    not take the place of all others (they step behind them, see `forking`).
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._turns = BoundedSemaphore(AT_ONCE)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def ask(self, order: bytes, *, seconds: float) -> bytes:
        """What the child that got `order` says, empty when it was killed.

        Raises:
            TimeoutError: nothing came within `seconds`, which should be longer than the child has.
            Lost: three nurseries in a row died.
        """
        with self._turns:
            for _ in range(3):
                ours, theirs = socket.socketpair()
                with ours:
                    control = self._hand_over(theirs)
                    try:
                        return _converse(ours, order, seconds)
                    except Lost:
                        self.close(control)
        raise Lost

    def close(self, control: socket.socket | None = None) -> None:
        """End the nursery's process (only if it is still the one behind `control`); the next feed starts another.

        Children that are at work end by themselves.
        """
        with self._lock:
            if self._process is None or (control is not None and control is not self._control):
                return
            if self._control is not None:
                self._control.close()
            self._process.kill()
            self._process.wait()
            self._process = self._control = None

    def abandon(self) -> None:
        """Let go of a nursery that belongs to the process from which this one was forked."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.returncode = 0  # the parent's to wait for

    @property
    def pid(self) -> int:
        """The nursery's process, 0 when none runs."""
        return self._process.pid if self._process is not None else 0

    def _hand_over(self, theirs: socket.socket) -> socket.socket:
        """Send the child's end; what it went through."""
        with theirs, self._lock:
            control = self._control or self._start()
            with contextlib.suppress(OSError):  # a dead nursery: the other end closes without a word
                socket.send_fds(control, [b"."], [theirs.fileno()])
            return control

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        # -I and -S skip what start-up would look for; the path is handed over. The environment stays here: it holds secrets.
        # A session of its own: Ctrl-C is for us, and a child that it kills would count as a broken feed
        start = f"import sys; sys.path[:] = {sys.path!r}; from {fork_server_main.__name__} import main; main({theirs.fileno()})"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", start],
                env={"LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._control = ours
        return ours


def _converse(ours: socket.socket, order: bytes, seconds: float) -> bytes:
    ours.settimeout(seconds)
    try:
        if ours.recv(1) != STARTED:
            raise Lost
    except (TimeoutError, ConnectionResetError) as error:
        raise Lost from error
    try:
        ours.sendall(order)
        ours.shutdown(socket.SHUT_WR)
        with ours.makefile("rb") as stream:
            return stream.read()
    except (BrokenPipeError, ConnectionResetError):  # killed while it was reading or writing
        return b""


_ours = Nursery()


def nursery() -> Nursery:
    """The nursery of this process."""
    return _ours


def _forked() -> None:
    global _ours
    _ours.abandon()
    _ours = Nursery()


os.register_at_fork(after_in_child=_forked)
atexit.register(lambda: _ours.close())
