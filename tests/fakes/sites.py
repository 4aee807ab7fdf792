"""A thousand feed sites on this machine: each host of 127.0.0.0/8 is another site, some slow, broken or hostile."""

import socketserver
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

ITEM = (
    "<item><title>Brief {n} of {host}</title><guid isPermaLink='false'>{host}-{n}</guid>"
    "<link>https://digest.example/{host}/{n}</link><pubDate>Tue, 24 Nov 2026 0{n}:00:00 GMT</pubDate>"
    "<description>&lt;p&gt;The harbour of {host} was closed for {n} days.&lt;/p&gt;</description></item>"
)


def feed(host: str, entries: int = 3) -> str:
    """A feed of our own making."""
    items = "".join(ITEM.format(n=n, host=host) for n in range(entries, 0, -1))
    return (
        f"<rss version='2.0'><channel><title>{host}</title><link>https://digest.example/</link>{items}</channel></rss>"
    )


def hostile() -> str:
    """Minutes of work for a parser that knows no limits: feedparser compares each category with all before it."""
    categories = "".join(f"<category>{number}</category>" for number in range(20_000))
    return f"<rss version='2.0'><channel><item>{categories}</item></channel></rss>"


class Sites(socketserver.ThreadingTCPServer):
    """Answers for every host; `habit` says of a host whether it is good, slow, broken or hostile."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, habit: Callable[[str], str]) -> None:
        super().__init__(("0.0.0.0", 0), _Site)  # all of 127.0.0.0/8
        self.habit = habit
        self.port = int(self.server_address[1])
        self.requests = Counter[str]()
        #: Requests that a host has open at the moment, and the most there ever were.
        self.open, self.most_open = Counter[str](), Counter[str]()
        self.lock = threading.Lock()
        #: Slow hosts answer once it is set.
        self.release = threading.Event()

    def url(self, host: str) -> str:
        """The feed of a host."""
        return f"http://{host}:{self.port}/feed"

    def handle_error(self, *_args: object) -> None:
        """A client that went away is nobody's mistake."""


class _Site(BaseHTTPRequestHandler):
    server: Sites
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        host = self.headers["Host"].partition(":")[0]
        with self.server.lock:
            self.server.requests[host] += 1
            self.server.open[host] += 1
            self.server.most_open[host] = max(self.server.most_open[host], self.server.open[host])
        try:
            self._answer(host)
        finally:
            with self.server.lock:
                self.server.open[host] -= 1

    def _answer(self, host: str) -> None:
        habit = self.server.habit(host)
        if habit == "slow":
            ends = time.monotonic() + 120
            while not self.server.release.wait(5) and time.monotonic() < ends:
                self.wfile.write(b"HTTP/1.1 102 Processing\r\n\r\n")  # a reader that waits longer for a byte gives up
        time.sleep(0.005)
        body = (hostile() if habit == "hostile" else feed(host)).encode()
        self.send_response(500 if habit == "broken" else 200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@contextmanager
def sites(habit: Callable[[str], str]) -> Iterator[Sites]:
    """Sites that answer until the end of the block."""
    server = Sites(habit)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        server.server_close()
