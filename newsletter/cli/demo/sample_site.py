"""A web server on this machine with the sample feeds."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from newsletter.cli.demo import sample_feeds
from newsletter.lib import db


class SampleSite:
    """The sample feeds at (host, port). The newest `held_back` posts of `briefs` are published one by one."""

    def __init__(self, address: tuple[str, int], *, held_back: int = 0) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        self.address = address
        self._posts = sample_feeds.posts()
        self._held_back = held_back
        self._began = db.now()
        self._server = ThreadingHTTPServer(address, _handler(self._answer))

    def start(self) -> None:
        """Serve in a thread."""
        threading.Thread(target=self._server.serve_forever, name="site", daemon=True).start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()

    def url(self, name: str) -> str:
        """The URL of a feed."""
        return f"http://{self.address[0]}:{self.address[1]}{sample_feeds.PATHS[name][0]}"

    def publish(self) -> bool:
        """Publish one more post. False if all are published."""
        self._held_back -= 1
        return self._held_back >= 0

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        names = {path: name for name, (path, _) in sample_feeds.PATHS.items()}
        name = names.get(request.path)
        if name is None:
            request.send_error(404)
            return
        held_back = max(self._held_back, 0) if name == "briefs" else 0
        body = sample_feeds.write(name, self._posts[name][held_back:], self._began).encode()
        request.send_response(200)
        request.send_header("Content-Type", f"{sample_feeds.PATHS[name][1]}; charset=utf-8")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


def _handler(answer: Callable[[BaseHTTPRequestHandler], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_args: Any) -> None:
            pass

    return Handler
