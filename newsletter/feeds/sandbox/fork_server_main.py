"""The fork server's process: imports the parser once, and forks a child for each feed.

`fork_server` starts it with one socket. Each message on that is one byte and the socket of one parse. The child reads a line of
JSON (the request) and the body from there, answers `STARTED` and one line of JSON, and ends; a child that is killed sends no
more. The process ends when its socket is closed at the other end.
"""

import contextlib
import encodings
import gc
import importlib
import json
import os
import pkgutil
import resource
import signal
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from newsletter.feeds.parsing.model import Parsed, ParseFailed, to_json

STARTED, MEMORY = b"+", b"-"
#: Seconds of processor time after which a parse steps behind the others.
QUICK = 0.5
Parse = Callable[..., Parsed]
#: Read before the first feed: a fork can open no file, so every module that is imported late must be there already.
_WARM = (
    b"<rss version='2.0'><channel><item><title>&amp;</title><pubDate>1 Jan 2026</pubDate></item></channel></rss>",
    b"<rss><channel><item><x:author>a (a@b.example)</x:author><title>&nbsp;<b>x</b><pubDate>?</pubDate></item>",
    b"<feed xmlns='http://www.w3.org/2005/Atom'><entry><content type='xhtml'><div>x</div></content>"
    b"<link href='https://b\xc3\xbccher.example/'/></entry></feed>",
    b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"content_html": "<ul><li>x"}]}',
    b"<html><title>\xe9</title>",
)


def main(descriptor: int) -> None:
    """Serve the socket `descriptor` until the other end is closed."""
    # imported here, in the fork server's process only: the worker never loads feedparser
    from newsletter.feeds.parsing.parse_feed import parse

    _warm_up(parse)
    sys.path.clear()  # a module that is missing is not looked for again: a fork cannot even list a directory
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the forks
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=descriptor) as control:
        while True:
            message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if not message:
                return
            for received in descriptors:
                with socket.socket(fileno=received) as connection:
                    _fork(control, connection, parse)


def _warm_up(parse: Parse) -> None:
    for module in pkgutil.iter_modules(encodings.__path__):
        with contextlib.suppress(ImportError, LookupError):  # not every encoding is on every platform
            importlib.import_module(f"encodings.{module.name}")
    for body in _WARM:
        parse(body, url="https://feed.example/", now=datetime.now(UTC))


def _fork(control: socket.socket, connection: socket.socket, parse: Parse) -> None:
    try:
        if os.fork():
            return
    except OSError:  # no more processes: the other end sees its socket closed before `STARTED`
        return
    code = 1
    try:
        gc.disable()  # it would touch, and so copy, every page of the parent's
        control.close()
        handle_request(connection, parse)
        code = 0
    finally:
        os._exit(code)


def handle_request(connection: socket.socket, parse: Parse) -> None:
    """In the child: read a request, limit this process for good, parse, answer."""
    connection.sendall(STARTED)
    with connection.makefile("rb") as stream:
        request = json.loads(stream.readline())
        body = stream.read()
    limit_resources(**request.pop("limits"))
    try:
        answer = json.dumps(_answer(parse, body, request)).encode()
    except MemoryError:
        answer = MEMORY
    connection.sendall(answer)
    connection.shutdown(socket.SHUT_WR)  # whoever waits need not wait until the kernel has cleared this process away


def _answer(parse: Parse, body: bytes, request: dict[str, Any]) -> dict[str, Any]:
    now, fingerprints = datetime.fromisoformat(request.pop("now")), bytes.fromhex(request.pop("fingerprints"))
    try:
        return to_json(parse(body, now=now, fingerprints=fingerprints, **request))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it concerns this feed alone
        return to_json(ParseFailed(f"reading it broke our parser ({type(error).__name__}): please report this"))


def limit_resources(*, wall: float, cpu: int, memory: int) -> None:
    """Have the kernel end this process after `wall` seconds or `cpu` seconds of processor time, and let it use at most `memory`
    bytes of address space and open neither files nor connections."""
    # whoever needs long makes room for the others: a feed that is made to hang must not slow them down
    signal.signal(signal.SIGVTALRM, lambda *_: os.nice(19))
    signal.setitimer(signal.ITIMER_VIRTUAL, QUICK)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
    signal.setitimer(signal.ITIMER_REAL, wall)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for what in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
        resource.setrlimit(what, (0, 0))
