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
from io import FileIO
from pathlib import Path
from typing import IO

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

    def heard(self, came: memoryview) -> bytes:
        """The replies to what came; empty: nothing to say yet."""
        # the mail itself is of no interest
        data = bytes(came[-_GROUP:]) if self._in_mail and len(came) > _GROUP else self._rest + bytes(came)
        replies: list[bytes] = []
        if self._in_mail:
            mail, ended, data = data.partition(_END)
            if not ended:
                self._rest = mail[1 - len(_END) :]
                return b""
            replies.append(self._ended())
        *lines, self._rest = data.split(b"\r\n")
        replies.extend([self._reply(line) for line in lines])
        if self._in_mail:
            self._rest = b"\r\n"  # a mail may be nothing but its end
        return b"".join(replies)

    def _ended(self) -> bytes:
        self._in_mail = False
        self.requests += 1
        self.names.append(self._to)
        return b"250 2.0.0 Ok: queued as 4F9D195432\r\n"

    def _reply(self, line: bytes) -> bytes:
        match line[:4].upper():
            case b"RCPT":
                self.recipients += 1
                self._to = line[9:].partition(b">")[0]  # RCPT TO:<…>
            case b"DATA":
                self._in_mail = True
                return b"354 go on\r\n"
            case b"EHLO":
                return _OFFERS
            case b"QUIT":
                return b"221 2.0.0 bye\r\n"
        return b"250 2.0.0 ok\r\n"


class _SendGrid:
    """One connection to the Web API."""

    greeting = b""

    def __init__(self) -> None:
        self.recipients = self.requests = 0
        self.names: list[bytes] = []
        self._heard = bytearray()  # kept from one request to the next: memory that is new costs more than to read it
        self._end = self._seen = self._whole = 0

    def heard(self, chunk: memoryview) -> bytes:
        """As of the mail server. A quote within a JSON text is escaped, so `"to"` is never part of one."""
        self._heard[self._end : self._end + len(chunk)] = chunk
        self._end += len(chunk)
        if not self._whole:
            head = self._heard.find(b"\r\n\r\n", 0, self._end)
            if head < 0:
                return b""
            length = self._heard[:head].lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self._whole = head + 4 + int(length)
        found = _TO.findall(self._heard, self._seen, self._end)
        if found:
            self._seen = self._heard.rfind(b"}]", self._seen, self._end)
        self.names.extend(found)
        self.recipients += len(found)
        if self._end < self._whole:
            return b""
        self.requests += 1
        self._end = self._seen = self._whole = 0
        return b"HTTP/1.1 202 Accepted\r\nX-Message-Id: sink-%d\r\nContent-Length: 0\r\n\r\n" % next(_REFS)


def _serve(kind: str, log: str = "/dev/null") -> None:
    """Until the standard input ends; a line on it is answered by the counts so far."""
    names = Path(log).open("ab", buffering=0)  # noqa: SIM115 - as long as the process lives
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
    log: FileIO,
) -> int:
    """Listen to one connection, and answer; returns how many bytes came."""
    connection, talk = lines[file]
    size, replies = 0, b""
    try:
        size = connection.recv_into(_CHUNK)
        replies = talk.heard(_CHUNK[:size]) if size else b""
        if talk.names:
            log.write(b"\n".join(talk.names) + b"\n")
            talk.names.clear()
        if replies:
            connection.sendall(replies)
    except OSError:
        size = 0
    if not size or (isinstance(talk, _Smtp) and replies.endswith(b"bye\r\n")):
        waiting.unregister(file)
        connection.close()
        del lines[file]
        gone[0] += talk.recipients
        gone[1] += talk.requests
    return size


if __name__ == "__main__":
    _serve(*sys.argv[1:])
