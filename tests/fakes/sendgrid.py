"""A SendGrid in this process, as strict as the real one, that fails where it is told to.

    with FakeSendGrid() as fake:
        ...                                # fake.url, fake.key, fake.mails, fake.accepted, fake.requests
        fake.script("429", times=1, reset=2)

Modes: "400", "401", "403", "404", "413", "429", "500", "503"…: that answer, nothing taken; "302": a redirect to /elsewhere;
"drop", "half" (half a status line), "cut" (a 400 with half its body): nothing taken; "accept-500", "accept-drop",
"accept-half", "accept-cut", "accept-200": taken, and then that; "slow:SECONDS": taken, and a late 202.
"""

import contextlib
import json
import re
import secrets
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.fakes.rules import Rule, Rules
from tests.fakes.sendgrid_rules import Complaint, complaints


@dataclass(frozen=True)
class Mail:
    """What one person would read: substitutions made."""

    recipient: str
    sender: str
    sender_name: str
    reply_to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    custom_args: dict[str, str]

    @property
    def message_id(self) -> str:
        return self.headers["Message-ID"].strip("<>")


@dataclass(frozen=True)
class Request:
    """A request that came in, whatever became of it."""

    path: str
    headers: dict[str, str]
    body: Any


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"  # connections are kept

    def setup(self) -> None:
        super().setup()
        self.server.fake.connections += 1
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.fake.open.append(self.connection)

    def finish(self) -> None:
        super().finish()
        self.server.fake.open.remove(self.connection)

    def do_POST(self) -> None:
        fake = self.server.fake
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = None
        with contextlib.suppress(ValueError):
            body = json.loads(raw)
        fake.requests.append(Request(self.path, dict(self.headers), body))
        if self.path != "/v3/mail/send":
            return self._answer(404, {"errors": [{"field": None, "message": "not found"}]})
        if self.headers["Authorization"] != f"Bearer {fake.key}":
            return self._errors(401, [("", "The provided authorization grant is invalid")])
        if self.headers["Content-Type"] != "application/json":
            return self._errors(415, [("", "Content-Type must be application/json")])
        return self._consider(body)

    def do_GET(self) -> None:
        self.do_POST()

    def _consider(self, body: Any) -> None:
        fake = self.server.fake
        mode = fake.rules.take("post")
        fake.met[mode] += len(body.get("personalizations", ())) if isinstance(body, dict) else 0
        if mode and not mode.startswith(("accept-", "slow:")):
            return self._fail(mode)
        wrong = complaints(body) or fake.unwelcome(body)
        if wrong:
            return self._errors(400, wrong)
        ref = secrets.token_urlsafe(16)
        fake.keep(ref, body)
        if mode.startswith("accept-"):
            return self._fail(mode.removeprefix("accept-"), ref)
        if mode:
            time.sleep(float(mode.partition(":")[2]))
        return self._answer(202, None, {"X-Message-Id": ref})

    def _errors(self, status: int, wrong: list[Complaint]) -> None:
        self.server.fake.complaints += wrong
        errors = [{"field": field or None, "message": message, "help": None} for field, message in wrong]
        self._answer(status, {"errors": errors})

    def _fail(self, mode: str, ref: str = "") -> None:
        if mode == "drop":
            return self._cut()
        if mode == "half":
            self.wfile.write(b"HTTP/1.1 2")
            return self._cut(reset=False)
        if mode == "cut":
            status = 202 if ref else 400
            self.wfile.write(f"HTTP/1.1 {status} X\r\nContent-Length: 500\r\n\r\n{{".encode())
            return self._cut(reset=False)
        if mode in ("301", "302", "303", "307", "308"):
            return self._answer(int(mode), None, {"Location": f"{self.server.fake.url}/elsewhere"})
        headers = {"X-Message-Id": ref} if ref else {}
        if mode == "429" and self.server.fake.reset is not None:
            headers["X-RateLimit-Reset"] = str(int(time.time() + self.server.fake.reset))
        errors = [{"field": "personalizations.0.to.0.email", "message": f"no: {self.server.fake.told()}"}]
        return self._answer(int(mode), {"errors": errors}, headers)

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        raw = b"" if body is None else json.dumps(body).encode()
        self.send_response_only(status)
        for name, value in {"Date": formatdate(usegmt=True), **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        if self.server.fake.closing:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(raw)

    def _cut(self, *, reset: bool = True) -> None:
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Quiet: it would print to the test's output."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: "FakeSendGrid"

    def handle_error(self, *_: Any) -> None:
        """Clients that hang up early are part of the tests."""


class FakeSendGrid:
    """`refused` holds addresses that a 400 is answered for; `log` is a file that each acceptance is added to first."""

    def __init__(self, *, log: Path | None = None, refused: frozenset[str] = frozenset()) -> None:
        self.key = f"SG.{secrets.token_urlsafe(16)}.{secrets.token_urlsafe(32)}"
        self.refused = refused
        self.mails: list[Mail] = []
        #: custom_args.d of each acceptance, in order: never changed, only added to.
        self.accepted: list[str] = []
        self.requests: list[Request] = []
        self.complaints: list[Complaint] = []
        self.rules = Rules()
        #: Mails that met each mode, an ordinary answer being "".
        self.met: Counter[str] = Counter()
        self.reset: float | None = None
        #: Connections so far, those that are open, and whether each answer is the last on its own.
        self.connections = 0
        self.open: list[socket.socket] = []
        self.closing = False
        self._log = log
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """As in NEWSLETTER_SENDGRID_URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def script(self, mode: str, *, skip: int = 0, times: int | None = None, reset: float | None = None) -> None:
        """Answer in `mode`; see the module's words. `reset`: seconds until a 429 is over."""
        self.reset = reset
        self.rules.add(Rule("post", mode, skip, times))

    def hang_up(self) -> None:
        """End all connections that wait for a request, without a word."""
        for connection in list(self.open):
            connection.shutdown(socket.SHUT_RDWR)

    def unwelcome(self, body: Any) -> list[Complaint]:
        """Complaints about the addresses in `refused`."""
        return [
            (f"personalizations.{number}.to.0.email", f"Does not contain a valid address: {one['to'][0]['email']}")
            for number, one in enumerate(body["personalizations"])
            if one["to"][0]["email"] in self.refused
        ]

    def told(self) -> str:
        """An address of the last request: real error messages quote them."""
        return str(self.requests[-1].body["personalizations"][0]["to"][0]["email"])

    def keep(self, ref: str, body: Any) -> None:
        """Take a request: the log is written before anybody is told."""
        with self._lock:
            ids = [one.get("custom_args", {}).get("d", "") for one in body["personalizations"]]
            if self._log is not None:
                with self._log.open("a") as file:
                    file.writelines(f"{one} {ref}\n" for one in ids)
            self.accepted += ids
            self.mails += [_mail(body, one) for one in body["personalizations"]]


def _mail(body: Any, one: Any) -> Mail:
    values = one.get("substitutions", {})

    def fill(text: str) -> str:
        return re.sub("|".join(map(re.escape, values)), lambda found: str(values[found[0]]), text) if values else text

    content = {part["type"]: part["value"] for part in body["content"]}
    return Mail(
        recipient=one["to"][0]["email"],
        sender=body["from"]["email"],
        sender_name=body["from"].get("name", ""),
        reply_to=body["reply_to"]["email"],
        subject=fill(body["subject"]),
        text=fill(content["text/plain"]),
        html=fill(content.get("text/html", "")),
        # the stricter reading: a personalization's headers replace the message's, they do not add to them
        headers=one.get("headers", body.get("headers", {})),
        custom_args=one.get("custom_args", {}),
    )
