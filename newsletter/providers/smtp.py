"""SMTP, one phase at a time: what was surely not taken is told from what nobody can know."""

import re
import smtplib
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import SplitResult

from newsletter import mail
from newsletter.clock import utcnow
from newsletter.handover import Accepted, Deferred, Outcome, Parcel, Refused, Unknown
from newsletter.providers.letters import Letters
from newsletter.providers.smtp_line import Line, said, why

#: Transactions before a connection is renewed: some servers count them, and drop one in the middle.
RENEW_AFTER: Final = 100
#: Seconds after which no further mail of a window is begun, so that its last answer still comes within the batch's lease.
BEGIN_WITHIN: Final = 200.0

#: A queue id stands alone; what goes on with + or @ is an address.
_QUEUE_ID = re.compile(r"\b(?:queued as |id=)([A-Za-z0-9.-]{4,64})(?=[\s);]|$)", re.IGNORECASE)
#: Replies that speak of us, not of the mail: no password, or the wrong one.
_WHO_ARE_YOU: Final = frozenset({530, 534, 535, 538})
_NOT_BEGUN: Final = "not begun: the connection was lost"


class Smtp:
    """A mail server, given one recipient per transaction.

    `url` is smtp://USER:PASSWORD@HOST:PORT (STARTTLS where offered) or smtps:// (TLS from the first byte). `timeout` is for
    each reply, `answer_within` for the one after the final dot, in seconds (RFC 5321, 4.5.3.2.6).
    """

    name: str = "smtp"
    number: int = 2
    window: int | None = 50
    one_letter: bool = False

    def __init__(
        self,
        url: SplitResult,
        sender: mail.Sender,
        *,
        clock: Callable[[], datetime] = utcnow,
        timeout: float = 30.0,
        answer_within: float = 600.0,
        ca_file: str | None = None,
    ) -> None:
        self._line = Line(url, hello=sender.domain, timeout=timeout, ca_file=ca_file)
        self._sender = sender
        self._envelope = mail.ascii_address(sender.address)
        self._clock = clock
        self._timeout = timeout
        self._answer_within = answer_within
        self._server: smtplib.SMTP | None = None
        self._transactions = 0
        self._phase = ""

    def hand_over(self, parcels: Sequence[Parcel]) -> dict[int, Outcome]:
        """Hand each parcel over in a transaction of its own; when the connection is lost, the rest is not begun."""
        outcomes: dict[int, Outcome] = {}
        letters = Letters(self._sender)
        until = time.monotonic() + BEGIN_WITHIN
        stopped: Deferred | None = None
        self._check()
        try:
            for parcel in parcels:
                stopped = stopped or self._ready(until)
                outcomes[parcel.delivery_id] = told = stopped or self._one(parcel, letters)
                if isinstance(told, Deferred) and told.pause:
                    stopped = told
                elif self._server is None:
                    stopped = stopped or Deferred(_NOT_BEGUN)
        finally:
            if len(outcomes) < len(parcels):  # something unexpected: the next command must not become part of this mail
                self._drop()
        return outcomes

    def close(self) -> None:
        """Say goodbye, if anybody is there."""
        server, self._server = self._server, None
        if server is not None:
            Line.leave(server)

    def _check(self) -> None:
        """A connection kept from the window before may be dead: then it is given up."""
        if self._server is not None:
            try:
                if self._server.noop()[0] != 250:
                    self._drop()
            except (OSError, smtplib.SMTPException):
                self._drop()

    def _ready(self, until: float) -> Deferred | None:
        if time.monotonic() > until:
            return Deferred("not begun: the server is slow")
        if self._transactions >= RENEW_AFTER:
            self.close()
        if self._server is None:
            opened = self._line.open()
            if isinstance(opened, Deferred):
                return opened
            self._server, self._transactions = opened, 0
        return None

    def _one(self, parcel: Parcel, letters: Letters) -> Outcome:
        server = self._server
        assert server is not None  # noqa: S101 - narrows the type: `_ready` saw to it
        try:
            to = mail.recipient(parcel.address)
            raw = letters.message(parcel, self._clock())
        except mail.NotMailable as error:
            return Refused(str(error))
        self._transactions += 1
        try:
            return self._begin(server, to) or self._data(server, raw)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            if self._phase == "answer":
                return Unknown(f"no answer to the whole mail: {why(error)}")
            return Deferred(f"{self._phase}: {why(error)}")

    def _begin(self, server: smtplib.SMTP, to: str) -> Outcome | None:
        """Everything before the mail itself: whatever goes wrong here is proof."""
        self._phase = "MAIL"
        code, text = server.docmd("MAIL", f"FROM:<{self._envelope}>")
        if code != 250:
            # the sender is the same in every mail: no for good needs a person
            return self._back_out(code, Deferred(f"MAIL: {said(code, text)}", pause=500 <= code < 600))
        self._phase = "RCPT"
        code, text = server.docmd("RCPT", f"TO:<{to}>")
        if code not in (250, 251, 252):
            return self._back_out(code, _no("RCPT", code, text))
        self._phase = "DATA"
        code, text = server.docmd("DATA")
        if code != 354:
            return self._back_out(code, _no("DATA", code, text))
        return None

    def _data(self, server: smtplib.SMTP, raw: bytes) -> Outcome:
        self._phase = "body"
        server.send(_stuffed(raw))
        server.send(b".\r\n")  # on its own: if this fails, the server cannot have seen the end of the mail
        self._phase = "answer"
        self._wait(server, self._answer_within)
        code, text = server.getreply()
        self._wait(server, self._timeout)
        if 200 <= code < 300:
            queued = _QUEUE_ID.search(text.decode("ascii", "replace"))
            return Accepted(queued[1] if queued else None)
        if 400 <= code < 600:
            if code == 421:
                self._drop()
            return _no("answer", code, text)
        self._drop()
        return Unknown(f"the answer to the whole mail cannot be read: {code}")

    @staticmethod
    def _wait(server: smtplib.SMTP, seconds: float) -> None:
        if server.sock is not None:
            server.sock.settimeout(seconds)

    def _back_out(self, code: int, told: Outcome) -> Outcome:
        """Leave a transaction that was refused; a connection that is closing, or out of step, is given up."""
        if code == 421 or not 400 <= code < 600:
            self._drop()
            return told
        try:
            if self._server is not None and self._server.rset()[0] != 250:
                self._drop()
        except (OSError, smtplib.SMTPException):
            self._drop()
        return told

    def _drop(self) -> None:
        """Close without a word: inside a mail, even QUIT would become part of it."""
        server, self._server = self._server, None
        if server is not None:
            server.close()


def _no(phase: str, code: int, text: bytes) -> Outcome:
    """What a refusal of this one mail means."""
    words = f"{phase}: {said(code, text)}"
    if code in _WHO_ARE_YOU:
        return Deferred(words, pause=True)
    return Refused(words) if 500 <= code < 600 else Deferred(words)


def _stuffed(raw: bytes) -> bytes:
    """RFC 5321, 4.5.2: a dot at the beginning of a line is doubled; the end is the end of a line."""
    ended = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", ended)
