"""Fork server for feed parsing: imports the parser once and forks a child per feed, so children inherit no threads."""

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


class ForkServerDied(Exception):
    """The fork server ended before a child started on the feed."""


class ForkServer:
    """One for each process, shared by its threads. The server process starts with the first feed, and again when it has died.

    `AT_ONCE` feeds are parsed at once, others wait: far more than there are processors, so that a few that hang do not keep out
    all others (they run at a lower priority, see `fork_server_main.limit_resources`).
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._slots = BoundedSemaphore(AT_ONCE)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def ask(self, request: bytes, *, seconds: float) -> bytes:
        """The answer of a child to `request`; empty when the child was killed.

        Raises:
            TimeoutError: no answer came within `seconds`, which should be longer than the child's own limit.
            ForkServerDied: the server died three times in a row.
        """
        with self._slots:
            for _ in range(3):
                ours, theirs = socket.socketpair()
                with ours:
                    control = self._hand_over(theirs)
                    try:
                        return _converse(ours, request, seconds)
                    except ForkServerDied:
                        self.close(control)
        raise ForkServerDied

    def close(self, control: socket.socket | None = None) -> None:
        """End the fork server's process (only if it is still the one behind `control`); the next feed starts another.

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
        """Let go of a server process that belongs to the process from which this one was forked."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.returncode = 0  # the parent's to wait for

    @property
    def pid(self) -> int:
        """The id of the server process, 0 when none runs."""
        return self._process.pid if self._process is not None else 0

    def _hand_over(self, theirs: socket.socket) -> socket.socket:
        """Send the child's end of a socket pair to the server; returns the server's control socket."""
        with theirs, self._lock:
            control = self._control or self._start()
            with contextlib.suppress(OSError):  # a dead fork server: the other end is closed, which `_converse` sees
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


def _converse(ours: socket.socket, request: bytes, seconds: float) -> bytes:
    ours.settimeout(seconds)
    try:
        if ours.recv(1) != STARTED:
            raise ForkServerDied
    except (TimeoutError, ConnectionResetError) as error:
        raise ForkServerDied from error
    try:
        ours.sendall(request)
        ours.shutdown(socket.SHUT_WR)
        with ours.makefile("rb") as stream:
            return stream.read()
    except (BrokenPipeError, ConnectionResetError):  # killed while it was reading or writing
        return b""


_server = ForkServer()


def fork_server() -> ForkServer:
    """The fork server of this process."""
    return _server


def _forked() -> None:
    global _server
    _server.abandon()
    _server = ForkServer()


os.register_at_fork(after_in_child=_forked)
atexit.register(lambda: _server.close())
