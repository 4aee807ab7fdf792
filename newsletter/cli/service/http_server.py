"""waitress with limits that hold against slow, idle and large requests.

waitress alone keeps a connection as long as a byte comes now and then, stops to accept at its limit of connections, and
spools whatever is sent to disk. Here each phase of a connection has a deadline, the longest waiting connection makes room
for a new one, and what is too large is refused at its headers, before anything of its body is kept.
"""

import contextlib
import copy
import json
import math
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from newsletter.config.config import METRICS_LISTENER

#: A WSGI application (PEP 3333).
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: Bytes of a request's body, and of its first line with all headers.
LARGEST_BODY = 65_536
LARGEST_HEADERS = 16_384
#: Connections of one listener. Half of what a process may usually open (1,024 files).
MOST_CONNECTIONS = 500
#: Bodies above `LARGEST_BODY` that may be under way at once, where a path takes them at all: they are held in memory.
MOST_LARGE_BODIES = 8
#: Seconds for the headers, from the first byte or from the connection; for headers and body; for taking the answer;
#: for the next request on a connection that was answered (Caddy keeps one for 120); for reading on after a refusal.
HEADERS, REQUEST, ANSWER, KEPT, LINGER = 10, 30, 30, 150, 2
#: Connections accepted in one round of the loop.
_ACCEPTS = 64
_NONE: Mapping[str, int] = MappingProxyType({})


class HTTPServer:
    """A WSGI application on one address, in threads of its own."""

    def __init__(
        self, application: Application, host: str, port: int, *, threads: int, large_bodies: Mapping[str, int] = _NONE
    ) -> None:
        """Listen. `large_bodies`: path → bytes, for what may be larger than `LARGEST_BODY`.

        Raises:
            OSError: the address is taken, or is not of this machine.
        """
        adjustments = Adjustments(
            host=host,
            port=port,
            threads=threads,
            ident=None,
            # forwarding headers come through as they are: web/client_address.py decides whose are believed
            clear_untrusted_proxy_headers=False,
            max_request_body_size=LARGEST_BODY + 1,
            max_request_header_size=LARGEST_HEADERS,
            # nothing is ever spooled: what may be received at all is held in memory
            inbuf_overflow=max([LARGEST_BODY, *large_bodies.values()]) + 1,
            # far away: `_Listener` makes room before
            connection_limit=10 * MOST_CONNECTIONS,
            cleanup_interval=1,
            # select() fails from file 1,024 on
            asyncore_use_poll=True,
        )
        self._map: dict[int, Any] = {}
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(threads)
        # a name such as localhost may have two addresses
        self._listeners = [
            _Listener(application, self._map, dispatcher=dispatcher, adj=adjustments, sockinfo=one, large=large_bodies)
            for one in adjustments.listen
        ]

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens: (host, port), also where port 0 was asked for."""
        return [listener.socket.getsockname()[:2] for listener in self._listeners]

    def run(self) -> None:
        """Serve until `close`."""
        wasyncore.loop(timeout=1, map=self._map, use_poll=True)

    def close(self) -> None:
        """Stop listening, and let go of what is idle."""
        for listener in self._listeners:
            listener.close()


def metrics_only(application: Application) -> Application:
    """The application with nothing but /metrics, open to whoever reaches this listener under whatever name."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "0")])
            return [b""]
        return application({**environ, "HTTP_HOST": "localhost", METRICS_LISTENER: True}, start_response)

    return answer


class _ApiRefusal:
    """What is refused before the API sees it, as problem details (RFC 9457)."""

    def __init__(self, error: Any) -> None:
        self._error = error

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status, headers and body."""
        code, title = self._error.code, self._error.reason
        document = {"type": "about:blank", "title": title, "status": code, "detail": self._error.body}
        headers = [("Content-Type", "application/problem+json")]
        return f"{code} {title}", headers, json.dumps(document).encode()


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """One request as it comes in."""

    #: Why it is refused; waitress asks it for the answer.
    error: Any

    def __init__(self, adj: Adjustments, channel: "_Channel") -> None:
        super().__init__(adj)
        self.channel = channel
        self.began = time.time()

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # int() of more than 4,300 digits
            raise ParsingError("Content-Length is invalid") from error
        self.adj = self.channel.server.adjustments_for(self.path)

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.error:
            self.channel.refused = True
            # else waitress would ask for the body that it has refused
            self.expect_continue = False
            if self.path.startswith("/api/") and not isinstance(self.error, _ApiRefusal):
                self.error = _ApiRefusal(self.error)
        return consumed


class _Channel(HTTPChannel):  # type: ignore[misc]
    """One connection."""

    #: When something was last answered, 0 before that.
    answered = 0.0
    #: Whether something that cannot be read or is too large came in: more of it may follow.
    refused = False
    #: Since when what follows a refusal is read and thrown away, 0 when it is not.
    lingers = 0.0

    def parser_class(self, adj: Adjustments) -> _Parser:
        return _Parser(adj, self)

    def write_soon(self, data: bytes) -> int:
        # in the thread that answers, and before the request is let go: `since` must never see neither of the two
        self.answered = time.time()
        return int(super().write_soon(data))

    @property
    def since(self) -> float:
        """When the present phase began; infinite while a request is being answered."""
        if self.lingers:
            return self.lingers
        if self.requests:
            return math.inf
        if self.request is not None:
            return float(self.request.began)
        return self.answered or self.creation_time

    @property
    def deadline(self) -> float:
        """When this connection ends unless it gets on; whole phases count, so that single bytes buy no time."""
        if self.lingers:
            return self.since + LINGER
        if self.total_outbufs_len:
            return self.since + ANSWER
        if self.request is not None:
            return self.since + (REQUEST if self.request.headers_finished else HEADERS)
        return self.since + (KEPT if self.answered else HEADERS)

    def drop(self) -> None:
        """End at once."""
        self.refused = False
        self.handle_close()

    def expire(self) -> None:
        """End in this round of the loop: what is shut down wakes it, also when the client takes nothing any more."""
        self.refused, self.will_close = False, True
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def readable(self) -> bool:
        return bool(self.lingers or super().readable())

    def handle_read(self) -> None:
        if not self.lingers:
            super().handle_read()
        else:
            self.recv(LARGEST_BODY)

    def handle_close(self) -> None:
        """After a refusal read on for a moment: to close on unread bytes resets the connection, and the answer is lost.

        RFC 9112 section 9.6.
        """
        if self.refused and self.connected and not self.lingers:
            self.lingers, self.will_close = time.time(), False
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                self.drop()
            return
        super().handle_close()


class _Listener(TcpWSGIServer):  # type: ignore[misc]
    """Accepts connections, and ends those that are late or in the way."""

    channel_class = _Channel

    def __init__(self, *waitress: Any, large: Mapping[str, int], **options: Any) -> None:
        super().__init__(*waitress, **options)
        self._large = {path: copy.copy(self.adj) for path in large}
        for path, largest in large.items():
            self._large[path].max_request_body_size = largest + 1

    def adjustments_for(self, path: str) -> Adjustments:
        """The limits of a path: larger ones only while few bodies use them."""
        if path not in self._large or self._large_bodies() >= MOST_LARGE_BODIES:
            return self.adj
        return self._large[path]

    def _large_bodies(self) -> int:
        requests = (one for channel in self.active_channels.values() for one in (channel.request, *channel.requests))
        return sum(one is not None and one.adj is not self.adj for one in requests)

    def maintenance(self, now: float) -> None:
        for channel in self.active_channels.values():
            if channel.deadline < now:
                channel.expire()

    def handle_accept(self) -> None:
        """Accept who waits; then, if there are too many, end those connections that have waited longest.

        Only then: the number of a file that is closed goes to the next one opened, and events of this round still name it.
        """
        for _ in range(_ACCEPTS):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before:
                break
        waiting = sorted(self.active_channels.values(), key=lambda channel: channel.since)
        for channel in waiting[: max(0, len(waiting) - MOST_CONNECTIONS)]:
            channel.drop()
