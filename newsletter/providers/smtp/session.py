"""One open connection to a mail server: transactions one after the other, each phase proving what it proves.

Where the server offers PIPELINING (RFC 2920), a mail, its end and the next mail's MAIL, RCPT and DATA leave in one write, so
that each mail costs one round trip. The body of that next mail waits for its own 354: at any time at most one end of a mail
is without its answer, and only that one mail can ever be in doubt.
"""

import re
import smtplib
import time
from collections import deque
from typing import Final

from newsletter.lib.provider_interface import Accepted, Deferred, Outcome, Rejected, Unknown
from newsletter.providers.smtp.connect import enhanced_status, said, why
from newsletter.providers.smtp.stream import Cut, Wire
from newsletter.providers.smtp.window import Window, Wired

#: Seconds without a word after which a server is asked whether it is still there.
ASK_AFTER: Final = 10.0
_GOODBYE_WITHIN: Final = 2.0
#: A queue id stands alone; what goes on with + or @ is an address.
_QUEUE_ID = re.compile(rb"\b(?:queued as |id=)([A-Za-z0-9.-]{4,64})(?=[\s);]|$)", re.IGNORECASE)
#: Replies that speak of us, not of the mail: no password, or the wrong one.
_WHO_ARE_YOU: Final = frozenset({530, 534, 535, 538})
_RCPT_TAKEN: Final = frozenset({250, 251, 252})
_YES_MEANS_GO_ON: Final = frozenset({"RSET", "MAIL", "RCPT"})
_ENVELOPE: Final = ("MAIL", "RCPT", "DATA")
_END: Final = b".\r\n"
_RSET: Final = ("RSET", b"RSET\r\n")


class Talk:
    """A connection that was opened, encrypted and logged in. `timeout` and `answer_within` in seconds."""

    def __init__(self, server: smtplib.SMTP, envelope: str, *, timeout: float, answer_within: float) -> None:
        self._wire = Wire(server, timeout=timeout)
        self._pipelining = server.has_extn("pipelining")
        self._mail_from = f"MAIL FROM:<{envelope}>\r\n".encode()
        self._timeout = timeout
        self._answer_within = answer_within
        self._unwritten: deque[tuple[str, bytes]] = deque()
        self._expected: deque[str] = deque()
        self._ended: Wired | None = None  # its end was written, the answer is to come
        self._now: Wired | None = None  # its envelope is being given
        self._refusal: Outcome | None = None
        self._nobody = False  # its recipient was refused
        self._stale = False  # a refused transaction is to be forgotten first
        self.due = 0.0
        self.transactions = 0
        self.open = True

    def fileno(self) -> int:
        """For who waits until something comes."""
        return self._wire.fileno()

    @property
    def busy(self) -> bool:
        """Whether a reply is to come; by the monotonic time `due`."""
        return bool(self._expected)

    def begin(self, window: Window) -> None:
        """Take the next mail of the window, if there is one."""
        one = window.next()
        if one is None:
            return
        self._now = one
        self.transactions += 1
        try:
            self._command(*([_RSET] if self._stale else []), *zip(_ENVELOPE, self._envelope(one), strict=True))
        except Cut as cut:
            self.lost(window, str(cut))
        self._stale = False

    def listen(self, window: Window, *, last: bool) -> None:
        """Read what came and go on with it; `last`: the connection is to be renewed, so no further mail begins on it."""
        replies = self._wire.replies
        try:
            self._wire.read()
            while self._expected and replies:
                phase, (code, text) = self._expected.popleft(), replies.popleft()
                if code != 250 or phase not in _YES_MEANS_GO_ON:
                    self._heard(phase, code, text, window, last)
                elif self._unwritten:
                    self._next_command()
            self._due_anew()
            if self.open and not self._expected and self._wire.more:
                self.lost(window, "a reply to nothing")
        except Cut as cut:
            self.lost(window, str(cut))
        except OSError as error:
            self.lost(window, why(error))

    def lost(self, window: Window, words: str) -> None:
        """The connection is no more: whose end was written is in doubt, whose was not is surely not taken."""
        phase = next((name for name in self._expected if name != "answer"), "MAIL")
        self.close()
        ended, now, self._ended, self._now = self._ended, self._now, None, None
        if ended is not None:
            window.tell(ended, Unknown(f"no answer to the whole mail: {words}"))
        if now is not None:
            window.tell(now, self._refusal or Deferred(f"{phase}: {words}"))

    def alive(self) -> bool:
        """Whether a connection kept from an earlier window still answers; looked at before it is used again."""
        if not self.open or not self._wire.there():
            return False
        return self._wire.silent_for < ASK_AFTER or self._wire.asked(b"NOOP\r\n", self._timeout) == 250

    def leave(self) -> None:
        """QUIT; whether it is heard does not matter."""
        if self.open and not self.busy:
            self._wire.asked(b"QUIT\r\n", _GOODBYE_WITHIN)
        self.close()

    def close(self) -> None:
        """Without a word: inside a mail, even QUIT would become part of it."""
        self.open = False
        self._expected.clear()
        self._unwritten.clear()
        self._wire.close()

    def _envelope(self, one: Wired) -> tuple[bytes, bytes, bytes]:
        return self._mail_from, b"RCPT TO:<%s>\r\n" % one.to, b"DATA\r\n"

    def _command(self, *commands: tuple[str, bytes]) -> None:
        """Write commands: all at once where the server takes that, else one, and each next one after its reply."""
        if self._pipelining:
            self._expected.extend(phase for phase, _ in commands)
            self._wire.write(b"".join([line for _, line in commands]))
        else:
            self._unwritten.extend(commands)
            self._next_command()
        self._due_anew()

    def _next_command(self) -> None:
        if self._unwritten and not self._expected:
            phase, line = self._unwritten.popleft()
            self._expected.append(phase)
            self._wire.write(line)

    def _heard(self, phase: str, code: int, text: bytes, window: Window, last: bool) -> None:
        match phase:
            case "answer":
                self._answered(code, text, window)
            case "RSET" if code != 250:
                self._refuse(0, Deferred(f"RSET: {said(code, text)}"), window)
            case "MAIL" if code != 250:
                # the sender is the same in every mail: no for good needs a person
                pause = 500 <= code < 600
                self._refuse(code, Deferred(f"MAIL: {said(code, text)}", pause=pause), window)
            case "RCPT" if code not in _RCPT_TAKEN:
                self._nobody = True
                self._refuse(code, no("RCPT", code, text), window)
            case "DATA" if code == 354 and self._refusal is None:
                self._body(window, last)
            case "DATA" if code == 354 and self._nobody:
                self._expected.append("nothing")  # RFC 2920, 3.1: a mail for nobody is ended at once
                self._wire.write(_END)
            case "DATA" if code == 354:
                self.lost(window, "out of step")  # a mail without a sender that somebody would get
            case "DATA":
                self._refuse(code, no("DATA", code, text), window)
        if self.open:
            self._forget_refused(window)
            self._next_command()

    def _refuse(self, code: int, outcome: Outcome, window: Window) -> None:
        """The transaction came to nothing. What follows of it is answered by a no as well; the first one counts."""
        self._refusal = self._refusal or outcome
        self._unwritten.clear()
        if code == 421 or not 400 <= code < 600:
            self.lost(window, "out of step")  # the server is closing, or we do not understand each other

    def _forget_refused(self, window: Window) -> None:
        """Once all is answered that was written for a refused mail, the next one may come, after RSET."""
        if self._refusal is None or self._now is None or self._expected:
            return
        refused, outcome, self._now, self._refusal = self._now, self._refusal, None, None
        self._stale, self._nobody = True, False
        window.tell(refused, outcome)

    def _body(self, window: Window, last: bool) -> None:
        one, self._now = self._now, None
        if one is None:
            raise RuntimeError("a 354 without a mail")
        if (stopped := window.stopped) is not None or self._wire.more:
            self.close()
            window.tell(one, stopped or Deferred("DATA: a reply to nothing"))
            return
        following = None if last or not self._pipelining else window.next()
        self._ended, self._now = one, following
        self._expected.append("answer")
        group: tuple[bytes, ...] = ()
        if following is not None:
            self._expected.extend(_ENVELOPE)
            self.transactions += 1
            group = self._envelope(following)
        window.begun(one)
        try:
            self._wire.write(b"".join([*one.parts, _END, *group]))
        except Cut as cut:
            if cut.upto < sum(map(len, one.parts)) + len(_END):
                self._ended = None  # the server cannot have seen the end of the mail
                window.tell(one, Deferred(f"body: {cut}"))
            raise

    def _answered(self, code: int, text: bytes, window: Window) -> None:
        one, self._ended = self._ended, None
        if one is None:
            raise RuntimeError("an answer without a mail")
        if 200 <= code < 300:
            queued = _QUEUE_ID.search(text)
            window.tell(one, Accepted(queued[1].decode() if queued else None))
        elif 400 <= code < 600:
            window.tell(one, no("answer", code, text))
            if code == 421:
                self.lost(window, "the server is closing")
        else:
            window.tell(one, Unknown(f"the answer to the whole mail cannot be read: {code}"))
            self.lost(window, "out of step")

    def _due_anew(self) -> None:
        if self._expected:
            within = self._answer_within if self._expected[0] == "answer" else self._timeout
            self.due = time.monotonic() + within


def no(phase: str, code: int, text: bytes) -> Outcome:
    """What a refusal of this one mail means."""
    words = f"{phase}: {said(code, text)}"
    if code in _WHO_ARE_YOU:
        return Deferred(words, pause=True)
    if not 500 <= code < 600:
        return Deferred(words)
    return Rejected(words, recipient_status=enhanced_status(text) if phase == "RCPT" else None)
