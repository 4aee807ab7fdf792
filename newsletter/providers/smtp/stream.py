"""The bytes of one connection to a mail server: how many surely did not leave, and the replies that came whole."""

import select
import smtplib
import ssl
import time
from collections import deque
from typing import Final

from newsletter.providers.smtp.connect import why

#: Of a TLS record (RFC 8446, 5.1).
_RECORD: Final = 16_384
_LONGEST_REPLY: Final = 65_536


class Cut(Exception):
    """The connection broke while writing: bytes from `upto` on have surely not left. Says why."""

    def __init__(self, upto: int, words: str) -> None:
        super().__init__(words)
        self.upto = upto


class Wire:
    """An open connection. `timeout`, in seconds, is for each write; `replies` are codes and texts, the oldest first."""

    def __init__(self, server: smtplib.SMTP, *, timeout: float) -> None:
        if server.sock is None:
            raise ValueError("the connection is not open")
        self._server = server
        self._sock = server.sock
        self._sock.setblocking(False)
        # what a TLS record that failed held may be on its way; a plain write that failed took nothing
        self._step = _RECORD if isinstance(server.sock, ssl.SSLSocket) else 0
        self._timeout = timeout
        self._rest = b""  # of a reply that is not whole yet
        self._code = b""  # of a reply of several lines
        self._heard_at = time.monotonic()
        self.replies: deque[tuple[int, bytes]] = deque()

    def fileno(self) -> int:
        """For who waits until something comes."""
        return self._sock.fileno()

    @property
    def more(self) -> bool:
        """Whether something came that was not taken from `replies` yet, even if it is not whole."""
        return bool(self.replies or self._rest or self._code)

    @property
    def silent_for(self) -> float:
        """Seconds since something was read."""
        return time.monotonic() - self._heard_at

    def close(self) -> None:
        """Without a word."""
        self._server.close()

    def write(self, data: bytes) -> None:
        """Write all of it.

        Raises:
            Cut: a part of it did not leave.
        """
        at, step, view, deadline = 0, self._step, memoryview(data), 0.0
        while at < len(data):
            try:
                at += self._sock.send(view[at : at + step] if step else view[at:])
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError) as error:
                event = select.POLLIN if isinstance(error, ssl.SSLWantReadError) else select.POLLOUT
                deadline = deadline or time.monotonic() + self._timeout
                if not self._wait(event, deadline):
                    raise Cut(at + step, "timed out") from None
            except OSError as error:
                raise Cut(at + step, why(error)) from None

    def read(self) -> None:
        """Add the replies that came to `replies`.

        Raises:
            OSError: the connection broke, or is at its end.
        """
        while True:
            try:
                came = self._sock.recv(_LONGEST_REPLY)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            if not came:
                raise smtplib.SMTPServerDisconnected
            self._heard_at = time.monotonic()
            self._parse(self._rest + came)
            if not (isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()):
                return

    def there(self) -> bool:
        """Whether nothing came unasked: whoever speaks without being asked says goodbye, or has gone."""
        return not self._wait(select.POLLIN, 0.0)

    def asked(self, line: bytes, within: float) -> int:
        """The code of the reply to one command, 0 if none came within so many seconds."""
        deadline = time.monotonic() + within
        try:
            self.write(line)
            while not self.replies:
                if not self._wait(select.POLLIN, deadline):
                    return 0
                self.read()
        except (Cut, OSError):
            return 0
        return self.replies.popleft()[0]

    def _wait(self, event: int, deadline: float) -> bool:
        watch = select.poll()
        watch.register(self._sock, event)
        return bool(watch.poll(max(0.0, deadline - time.monotonic()) * 1000))

    def _parse(self, came: bytes) -> None:
        """Whole replies of what came (RFC 5321, 4.2.1); what is no reply gets the code 0."""
        *lines, self._rest = came.split(b"\n")
        begun = self._code
        for line in lines:
            code = line[:3]
            fits = not begun or code == begun
            if fits and line[3:4] == b"-":
                begun = code
                continue
            known = fits and len(code) == 3 and code.isdigit()
            self.replies.append((int(code) if known else 0, line[4:]))
            begun = b""
        self._code = begun
        if len(self._rest) > _LONGEST_REPLY:
            self.replies.append((0, b""))
