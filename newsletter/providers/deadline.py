"""A time limit over a whole exchange of HTTP: a socket's own is for each step, and a server that drips never meets it."""

import io
import socket
import time
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any, Final

#: Bytes that are written in one step. Of TLS these are four records, each with a step's time: a reader that sips at the very
#: end of the whole can stretch it by three steps.
_PIECE: Final = 65_536


class Deadline:
    """`step` and `whole` in seconds: how long each step of an exchange may take, and all of them from `begin` on."""

    def __init__(self, step: float, whole: float) -> None:
        self._step = step
        self._whole = whole
        self._until = time.monotonic() + whole

    def begin(self) -> None:
        """An exchange begins."""
        self._until = time.monotonic() + self._whole

    def left(self) -> float:
        """Seconds that are left for the whole of it.

        Raises:
            TimeoutError: none.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def arm(self, sock: socket.socket) -> None:
        """Let the next step on `sock` end in time; raises as `left`."""
        sock.settimeout(min(self._step, self.left()))

    def follow(self, connection: HTTPConnection) -> None:
        """Arm each read of the answers that come on `connection`."""

        def response(sock: socket.socket, **more: Any) -> HTTPResponse:
            return HTTPResponse(_Readable(sock, self), **more)  # type: ignore[arg-type]  # it asks for a file, and no more

        connection.response_class = response  # type: ignore[assignment]

    def pieces(self, connection: HTTPConnection, body: Iterable[bytes]) -> Iterator[memoryview]:
        """The body of a request, armed for each piece that is written."""
        for part in body:
            view = memoryview(part)
            for start in range(0, len(view), _PIECE):
                self.arm(connection.sock)
                yield view[start : start + _PIECE]


class _Readable:
    """What an answer needs of a socket."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reads(self._sock, self._deadline))


class _Reads(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._raw = sock.makefile("rb", buffering=0)  # it keeps the socket open for as long as the answer is read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._deadline.arm(self._sock)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
