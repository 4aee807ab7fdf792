"""The byte stream of one connection to a mail server: counted writes, and replies read whole."""

import select
import smtplib
import ssl
import time
from collections import deque
from typing import Final

from newsletter.providers.smtp.connect import why

#: Bytes of a TLS record (RFC 8446, 5.1).
_RECORD: Final = 16_384
_LONGEST_REPLY: Final = 65_536


class WriteFailed(Exception):
    """A write failed: bytes from `upto` on have surely not left. The message says why."""

    def __init__(self, upto: int, words: str) -> None:
        super().__init__(words)
        self.upto = upto


class Stream:
    """An open connection. `timeout` is for each write, in seconds; `replies` are codes and texts, the oldest first."""

    def __init__(self, server: smtplib.SMTP, *, timeout: float) -> None:
        if server.sock is None:
            raise ValueError("the connection is not open")
        self._server = server
        self._sock = server.sock
        self._sock.setblocking(False)
        # a TLS record that failed may have left all the same; a plain write that failed took nothing
        self._step = _RECORD if isinstance(server.sock, ssl.SSLSocket) else 0
        self._timeout = timeout
        self._rest = b""  # a line that is not complete yet
        self._code = b""  # the code of a reply of several lines that is not complete yet
        self._last_read = time.monotonic()
        self.replies: deque[tuple[int, bytes]] = deque()

    def fileno(self) -> int:
        """The socket's file descriptor, to wait for replies."""
        return self._sock.fileno()

    @property
    def has_more(self) -> bool:
        """True if something was read that was not taken from `replies` yet, even part of a reply."""
        return bool(self.replies or self._rest or self._code)

    @property
    def silent_for(self) -> float:
        """Seconds since the last read."""
        return time.monotonic() - self._last_read

    def close(self) -> None:
        """Close without QUIT."""
        self._server.close()

    def write(self, data: bytes) -> None:
        """Write all of `data`.

        Raises:
            WriteFailed: a part of it did not leave.
        """
        written, step, view, deadline = 0, self._step, memoryview(data), 0.0
        while written < len(data):
            try:
                written += self._sock.send(view[written : written + step] if step else view[written:])
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError) as error:
                event = select.POLLIN if isinstance(error, ssl.SSLWantReadError) else select.POLLOUT
                deadline = deadline or time.monotonic() + self._timeout
                if not self._wait(event, deadline):
                    raise WriteFailed(written + step, "timed out") from None
            except OSError as error:
                raise WriteFailed(written + step, why(error)) from None

    def read(self) -> None:
        """Read what came and append complete replies to `replies`.

        Raises:
            OSError: the connection failed, or was closed by the server.
        """
        while True:
            try:
                received = self._sock.recv(_LONGEST_REPLY)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            if not received:
                raise smtplib.SMTPServerDisconnected
            self._last_read = time.monotonic()
            self._parse(self._rest + received)
            if not (isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()):
                return

    def is_quiet(self) -> bool:
        """True if nothing waits to be read. Between commands a server only speaks, or ends the connection, to say goodbye."""
        return not self._wait(select.POLLIN, 0.0)

    def request(self, command: bytes, within: float) -> int:
        """Send one command and return the code of its reply, or 0 if none came within so many seconds."""
        deadline = time.monotonic() + within
        try:
            self.write(command)
            while not self.replies:
                if not self._wait(select.POLLIN, deadline):
                    return 0
                self.read()
        except (WriteFailed, OSError):
            return 0
        return self.replies.popleft()[0]

    def _wait(self, event: int, deadline: float) -> bool:
        watch = select.poll()
        watch.register(self._sock, event)
        return bool(watch.poll(max(0.0, deadline - time.monotonic()) * 1000))

    def _parse(self, received: bytes) -> None:
        """Append the complete replies (RFC 5321, 4.2.1); a line that is no reply gets the code 0."""
        *lines, self._rest = received.split(b"\n")
        open_code = self._code
        for line in lines:
            code = line[:3]
            fits = not open_code or code == open_code
            if fits and line[3:4] == b"-":
                open_code = code
                continue
            valid = fits and len(code) == 3 and code.isdigit()
            self.replies.append((int(code) if valid else 0, line[4:]))
            open_code = b""
        self._code = open_code
        if len(self._rest) > _LONGEST_REPLY:
            self.replies.append((0, b""))
