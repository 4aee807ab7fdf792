"""A real SMTP server in this process that keeps what it accepts, and fails where it is told to.

    with SmtpCatcher() as smtp:
        ...                                       # smtp.url, smtp.messages, smtp.accepted
        smtp.script("rcpt", "550 5.1.1", times=1)

Points: connect, ehlo, starttls, auth, mail, rcpt, data, body, dot, rset, noop, quit.
Actions: a reply ("451 4.3.0"), "drop", "slow:SECONDS" (then go on as usual); at body "drop" comes in the middle of the mail;
at dot also "accept-drop", "accept-slow:SECONDS", "accept-half" (taken, then: nothing, silence, half a line), "garbage",
and "250 WORDS" for a yes in other words.
"""

import base64
import contextlib
import secrets
import socket
import socketserver
import struct
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fakes import certificate
from tests.fakes.caught import Mail
from tests.fakes.rules import Rule, Rules

#: What may be followed by more before it is answered.
_IN_A_GROUP = frozenset({"MAIL", "RCPT", "RSET"})


class Dropped(Exception):
    """The connection is to end here."""


class _Conversation(socketserver.BaseRequestHandler):
    """One connection, a command at a time."""

    server: "_Server"

    def setup(self) -> None:
        """Small lines in a row would else wait for each other's acknowledgement, 40 ms each."""
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self) -> None:
        catcher = self.server.catcher
        catcher.connections += 1
        catcher.open.append(self.request)
        self.request.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )  # several replies need not wait for each other
        here = self.request
        self.encrypted, self.user, self.sender = catcher.implicit, None, ""
        self.recipients: list[str] = []
        with contextlib.suppress(Dropped, OSError):
            if catcher.implicit:
                self._wrap()
            self.file = self.request.makefile("rb")
            if not self._scripted("connect"):
                self._say("220 catcher ready")
            while line := self.file.readline(2000):
                self._command(line.decode("ascii", "replace").strip())
        with contextlib.suppress(OSError):
            if hasattr(self, "file"):
                self.file.close()  # the socket closes with its last file
            self.request.close()
        catcher.open.remove(here)

    def _wrap(self) -> None:
        self.request = certificate.server_context(self.server.catcher.ca_file).wrap_socket(
            self.request, server_side=True
        )

    def _say(self, text: str) -> None:
        self.request.sendall(text.encode() + b"\r\n")

    def _scripted(self, point: str) -> bool:
        """Do what the script says at this point; True when that was the answer."""
        action = self.server.catcher.rules.take(point)
        if action == "drop":
            self._cut()
        if action.startswith("slow:"):
            self._slow(action)
            return False
        if action:
            # as rude as real servers: the address is in the text
            self._say(f"{action} <{self.recipients[-1] if self.recipients else self.sender}> says no")
            if action.startswith("421"):
                raise Dropped
        return bool(action)

    def _quote(self, address: str) -> str:
        return f"<{address}>" if self.server.catcher.brackets else address

    @staticmethod
    def _slow(action: str) -> None:
        time.sleep(float(action.rpartition(":")[2]))

    def _cut(self) -> None:
        with contextlib.suppress(OSError):
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Dropped

    def _command(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        self.server.catcher.commands.append(verb)
        if verb not in _IN_A_GROUP or not self.server.catcher.pipelining:
            self._nothing_early(verb)
        point = {"HELO": "ehlo"}.get(verb, verb.lower())
        known = getattr(self, f"_do_{point}", None)
        if known is None:
            self._say("500 5.5.2 what?")
        elif verb == "RCPT":
            self.recipients.append(rest.removeprefix("TO:").strip("<> "))
            if not self.sender:
                self.recipients.pop()
                self._say("503 5.5.1 MAIL first")
            elif self._scripted(point):
                self.recipients.pop()
            else:
                self.server.catcher.begins(self.recipients[-1])
                self._say("250 2.1.5 ok")
        elif not self._scripted(point):
            known(rest)

    def _nothing_early(self, what: str) -> None:
        """Nobody speaks before we have answered, but for what PIPELINING allows (RFC 2920, 3.1)."""
        if self.encrypted:
            return  # what lies within TLS cannot be seen from here
        self.request.setblocking(False)
        early = self.file.peek(1)
        self.request.setblocking(True)
        if early:
            self.server.catcher.early.append(what)
            self._cut()

    def _do_ehlo(self, _rest: str) -> None:
        catcher = self.server.catcher
        offers = ["catcher"]
        if catcher.starttls and not self.encrypted:
            offers.append("STARTTLS")
        if catcher.credentials and (self.encrypted or not catcher.starttls):
            offers.append("AUTH PLAIN LOGIN")
        if catcher.pipelining:
            offers.append("PIPELINING")
        offers.append("ENHANCEDSTATUSCODES")
        for offer in offers[:-1]:
            self._say(f"250-{offer}")
        self._say(f"250 {offers[-1]}")

    def _do_starttls(self, _rest: str) -> None:
        self._say("220 2.0.0 go ahead")
        self.file.close()
        self._wrap()
        self.encrypted = True
        self.file = self.request.makefile("rb")

    def _do_auth(self, rest: str) -> None:
        method, _, first = rest.partition(" ")
        if method.upper() != "PLAIN":
            return self._say("504 5.5.4 not that")
        _, user, password = base64.b64decode(first).decode().split("\0")
        if (user, password) != self.server.catcher.credentials:
            return self._say("535 5.7.8 wrong")
        self.user = user
        return self._say("235 2.7.0 welcome")

    def _do_mail(self, rest: str) -> None:
        if self.sender:
            return self._say("503 5.5.1 nested MAIL")
        if self.server.catcher.credentials and self.user is None:
            return self._say("530 5.7.0 log in first")
        self.sender = rest.removeprefix("FROM:").partition(" ")[0].strip("<>")
        return self._say("250 2.1.0 ok")

    def _do_rcpt(self, _rest: str) -> None:
        raise NotImplementedError("answered in _command: the script may use the address")

    def _do_data(self, _rest: str) -> None:
        if not self.recipients and not self.server.catcher.eager:
            return self._say("503 5.5.1 nobody to send to")
        self._say("354 go on")
        if self.server.catcher.rules.take("body"):
            self.file.readline(2000)
            self._cut()
        lines: list[bytes] = []
        while (line := self.file.readline(1_000_000)) != b".\r\n":
            if not line:
                raise Dropped
            lines.append(line[1:] if line.startswith(b".") else line)
        self._dot(b"".join(lines))
        return None

    def _dot(self, raw: bytes) -> None:
        if not self.server.catcher.pipelining:
            self._nothing_early("the end of a mail")
        if not self.recipients:
            self.server.catcher.for_nobody.append(raw)
            self._say("554 5.5.1 nobody to send to")
            return self._forget()
        mail = Mail(self.sender, tuple(self.recipients), raw, self.encrypted, self.user)
        action = self.server.catcher.rules.take("dot")
        if not action or action.startswith(("accept", "2")):
            self.server.catcher.keep(mail)
        if action in ("drop", "accept-drop"):
            self._cut()
        if "slow:" in action:
            self._slow(action)
        self._end()
        if action == "accept-half":
            self.request.sendall(b"25")
            raise Dropped
        said = "hello" if action == "garbage" else action
        ordinary = not action or "slow:" in action
        self._say(
            f"250 2.0.0 Ok: queued as {secrets.token_hex(5).upper()}"
            if ordinary
            else f"{said} {self._quote(mail.recipients[0])}"
        )
        if action.startswith("421"):
            raise Dropped
        return self._forget()

    def _end(self) -> None:
        """The transaction is over; counted before anybody is told."""
        for recipient in self.recipients:
            self.server.catcher.ends(recipient)

    def _forget(self) -> None:
        self.sender, self.recipients = "", []

    def _do_rset(self, _rest: str) -> None:
        self._end()
        self._forget()
        self._say("250 2.0.0 ok")

    def _do_noop(self, _rest: str) -> None:
        self._say("250 2.0.0 ok")

    def _do_quit(self, _rest: str) -> None:
        self._say("221 2.0.0 bye")
        raise Dropped


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    catcher: "SmtpCatcher"


class SmtpCatcher:
    """`credentials` (user, password) must be given by who logs in; `log` is a file that each accepted mail is added to.

    Scripted replies quote the address, `brackets` says how. `pipelining` is offered or not, and then speaking too early ends the
    connection; an `eager` server says 354 even when it refused the recipient.
    """

    def __init__(
        self,
        *,
        starttls: bool = False,
        implicit: bool = False,
        credentials: tuple[str, str] | None = None,
        log: Path | None = None,
        brackets: bool = True,
        pipelining: bool = True,
        eager: bool = False,
    ) -> None:
        self.brackets, self.pipelining, self.eager = brackets, pipelining, eager
        #: After which commands somebody spoke too early, and what was sent although nobody was to get it.
        self.early: list[str] = []
        self.for_nobody: list[bytes] = []
        self.starttls, self.implicit, self.credentials = starttls, implicit, credentials
        self.messages: list[Mail] = []
        #: (Message-ID, number of recipients) of each acceptance, in order: never changed, only added to.
        self.accepted: list[tuple[str, int]] = []
        self.commands: list[str] = []
        self.connections = 0
        self.open: list[socket.socket] = []
        #: Recipient domain → transactions under way, and the most at any time.
        self._at_once: Counter[str] = Counter()
        self.most_at_once: Counter[str] = Counter()
        self.rules = Rules()
        self._log = log
        self._lock = threading.Lock()
        self._directory = tempfile.TemporaryDirectory()
        self._server = _Server(("127.0.0.1", 0), _Conversation, bind_and_activate=True)
        self._server.catcher = self

    def __enter__(self) -> Self:
        self.ca_file = certificate.make(Path(self._directory.name))
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._directory.cleanup()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """As in NEWSLETTER_MAIL_URL."""
        login = f"{self.credentials[0]}:{self.credentials[1]}@" if self.credentials else ""
        return f"{'smtps' if self.implicit else 'smtp'}://{login}127.0.0.1:{self.port}"

    def script(self, point: str, action: str, *, skip: int = 0, times: int | None = None) -> None:
        """Do `action` at `point`; see the module's words."""
        self.rules.add(Rule(point, action, skip, times))

    def hang_up(self) -> None:
        """End all connections without a word."""
        for connection in list(self.open):
            connection.shutdown(socket.SHUT_RDWR)

    def begins(self, recipient: str) -> None:
        """A transaction for this person is under way."""
        domain = recipient.rpartition("@")[2]
        with self._lock:
            self._at_once[domain] += 1
            self.most_at_once[domain] = max(self.most_at_once[domain], self._at_once[domain])

    def ends(self, recipient: str) -> None:
        """And now it is not."""
        with self._lock:
            self._at_once[recipient.rpartition("@")[2]] -= 1

    def keep(self, mail: Mail) -> None:
        """Take a mail: the log is written before anybody is told."""
        with self._lock:
            if self._log is not None:
                with self._log.open("a") as file:
                    file.write(f"{mail.message_id} {len(mail.recipients)}\n")
            self.accepted.append((mail.message_id, len(mail.recipients)))
            self.messages.append(mail)
