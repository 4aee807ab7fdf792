"""Mail sinks in processes of their own: they take everything, keep nothing, and count every recipient.

    with smtp() as sink: ...        # sink.url as in NEWSLETTER_MAIL_URL, sink.taken()
    with sendgrid() as sink: ...    # sink.url as in NEWSLETTER_SENDGRID_URL
    with smtp(log=path) as sink: ... # each recipient is written to the file before the answer, one a line

One thread and epoll, so that what is measured is the sender and not the sink. Both want to be spoken to as the standards
say: after the end of a mail at most a group of commands may follow before our reply (RFC 2920), and no second HTTP request.
"""

import itertools
import json
import re
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

#: What may follow the end of a mail: commands are short.
_GROUP = 4096
_CHUNK = memoryview(bytearray(1 << 20))  # one for all: a fresh one for each read costs more than the read
_END = b"\r\n.\r\n"
_TO = re.compile(rb'"to": ?\[\{"email": ?"([^"]+)"\}\]')
#: No two requests are called the same, or the ledger takes one for the other.
_REFS = itertools.count(1)
_OFFERS = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"


@dataclass(frozen=True)
class Taken:
    """What a sink has had so far: recipients, mails or requests, and bytes of all that came in."""

    recipients: int
    requests: int
    size: int


@dataclass(frozen=True)
class Sink:
    """A sink that runs."""

    url: str
    pid: int
    _ask: IO[str] = field(repr=False)
    _told: IO[str] = field(repr=False)

    @property
    def port(self) -> int:
        """On 127.0.0.1."""
        return int(self.url.rpartition(":")[2])

    def taken(self) -> Taken:
        """What it has counted."""
        self._ask.write("taken\n")
        self._ask.flush()
        return Taken(**json.loads(self._told.readline()))


@contextmanager
def smtp(log: Path | None = None) -> Iterator[Sink]:
    """A mail server."""
    with _running("smtp", log) as sink:
        yield sink


@contextmanager
def sendgrid(log: Path | None = None) -> Iterator[Sink]:
    """A SendGrid that answers 202 to everything."""
    with _running("sendgrid", log) as sink:
        yield sink


@contextmanager
def _running(kind: str, log: Path | None) -> Iterator[Sink]:
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "bench.sinks", kind, *([str(log)] if log else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        scheme = "smtp" if kind == "smtp" else "http"
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("pipes were asked for")
        try:
            port = int(process.stdout.readline())
            yield Sink(f"{scheme}://127.0.0.1:{port}", process.pid, process.stdin, process.stdout)
        finally:
            process.terminate()


class _Smtp:
    """One connection to the mail server."""

    greeting = b"220 sink\r\n"

    def __init__(self) -> None:
        self.recipients = self.requests = 0
        self.names: list[bytes] = []
        self._rest = self._to = b""
        self._in_mail = False

    def heard(self, came: bytes) -> bytes:
        """The replies to what came; empty: nothing to say yet."""
        data, at, replies = self._rest + came, 0, []
        while True:
            if self._in_mail:
                end = data.find(_END, max(at, len(data) - _GROUP))
                if end < 0:
                    self._rest = data[-len(_END) :]  # the mail itself is of no interest
                    break
                at = end + len(_END)
                self._in_mail = False
                self.requests += 1
                self.names.append(self._to)
                replies.append(b"250 2.0.0 Ok: queued as 4F9D195432\r\n")
            else:
                end = data.find(b"\r\n", at)
                if end < 0:
                    self._rest = data[at:]
                    break
                replies.append(self._reply(data[at:end]))
                at = end + (0 if self._in_mail else 2)  # a mail may be nothing but its end
        return b"".join(replies)

    def _reply(self, line: bytes) -> bytes:
        match line[:4].upper():
            case b"EHLO":
                return _OFFERS
            case b"RCPT":
                self.recipients += 1
                self._to = line[9:].partition(b">")[0]  # RCPT TO:<…>
            case b"DATA":
                self._in_mail = True
                return b"354 go on\r\n"
            case b"QUIT":
                return b"221 2.0.0 bye\r\n"
        return b"250 2.0.0 ok\r\n"


class _SendGrid:
    """One connection to the Web API."""

    greeting = b""

    def __init__(self) -> None:
        self.recipients = self.requests = 0
        self.names: list[bytes] = []
        self._parts: list[bytes] = []
        self._missing = 0

    def heard(self, came: bytes) -> bytes:
        """As of the mail server. A quote within a JSON text is escaped, so `"to"` is never part of one."""
        if not self._missing:
            came = b"".join([*self._parts, came])
            head, found, body = came.partition(b"\r\n\r\n")
            self._parts = [body if found else came]
            if not found:
                return b""
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self._missing = int(length) - len(body)
        else:
            self._parts.append(came)
            self._missing -= len(came)
        if self._missing:
            return b""
        found = _TO.findall(b"".join(self._parts))
        self.names.extend(found)
        self.recipients += len(found)
        self.requests += 1
        self._parts = []
        return b"HTTP/1.1 202 Accepted\r\nX-Message-Id: sink-%d\r\nContent-Length: 0\r\n\r\n" % next(_REFS)


def _serve(kind: str, log: str = "/dev/null") -> None:
    """Until the standard input ends; a line on it is answered by the counts so far."""
    names = Path(log).open("ab")  # noqa: SIM115 - as long as the process lives
    listening = socket.create_server(("127.0.0.1", 0), backlog=1000)
    print(listening.getsockname()[1], flush=True)
    made = _Smtp if kind == "smtp" else _SendGrid
    waiting = select.epoll()
    lines: dict[int, tuple[socket.socket, _Smtp | _SendGrid]] = {}
    gone, size = [0, 0], 0
    for file in (sys.stdin.fileno(), listening.fileno()):
        waiting.register(file, select.EPOLLIN)
    while True:
        for file, _event in waiting.poll():
            if file == listening.fileno():
                connection, _ = listening.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                lines[connection.fileno()] = (connection, made())
                waiting.register(connection.fileno(), select.EPOLLIN)
                connection.sendall(made.greeting)
            elif file == sys.stdin.fileno():
                if not sys.stdin.readline():
                    return
                there = [talk for _, talk in lines.values()]
                recipients = gone[0] + sum(talk.recipients for talk in there)
                requests = gone[1] + sum(talk.requests for talk in there)
                print(json.dumps({"recipients": recipients, "requests": requests, "size": size}), flush=True)
            else:
                size += _turn(file, lines, waiting, gone, names)


def _turn(
    file: int,
    lines: dict[int, tuple[socket.socket, _Smtp | _SendGrid]],
    waiting: select.epoll,
    gone: list[int],
    log: BinaryIO,
) -> int:
    """Listen to one connection, and answer; returns how many bytes came."""
    connection, talk = lines[file]
    came = b""
    try:
        came = bytes(_CHUNK[: connection.recv_into(_CHUNK)])
        replies = talk.heard(came) if came else b""
        if talk.names:
            log.write(b"\n".join(talk.names) + b"\n")
            log.flush()
            talk.names.clear()
        if replies:
            connection.sendall(replies)
    except OSError:
        came = b""
    if not came or (isinstance(talk, _Smtp) and replies.endswith(b"bye\r\n")):
        waiting.unregister(file)
        connection.close()
        del lines[file]
        gone[0] += talk.recipients
        gone[1] += talk.requests
    return len(came)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
