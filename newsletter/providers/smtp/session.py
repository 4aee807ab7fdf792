"""One open connection to a mail server: mail transactions one after the other (RFC 5321).

Where the server offers PIPELINING (RFC 2920), a mail, its end and the next mail's MAIL, RCPT and DATA leave in one write, so
that each mail costs one round trip. The body of that next mail waits for its own 354. So at any time at most one end of a mail
is unanswered, and only that one mail can ever be in doubt.
"""

import re
import smtplib
import time
from collections import deque
from typing import Final

from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Unknown
from newsletter.providers.smtp.connect import why
from newsletter.providers.smtp.stream import Stream, WriteFailed
from newsletter.providers.smtp.transaction import (
    CLOSING,
    END,
    NEXT,
    STEPS,
    Phase,
    Transaction,
    refusal_for,
    reply_class,
)
from newsletter.providers.smtp.window import EncodedMail, Window

#: Seconds without a reply after which a kept server is asked whether it is still there.
ASK_AFTER: Final = 10.0
_QUIT_WITHIN: Final = 2.0
#: A queue id stands alone; what goes on with + or @ is an address.
_QUEUE_ID = re.compile(rb"\b(?:queued as |id=)([A-Za-z0-9.-]{4,64})(?=[\s);]|$)", re.IGNORECASE)


class Session:
    """A connection that is open, encrypted and logged in.

    `timeout` is for each reply and `answer_within` for the one to a whole mail, in seconds. It should be renewed after
    `renew_after` transactions.
    """

    def __init__(
        self, server: smtplib.SMTP, envelope_from: str, *, timeout: float, answer_within: float, renew_after: int
    ) -> None:
        self._stream = Stream(server, timeout=timeout)
        self._pipelining = server.has_extn("pipelining")
        self._mail_from = f"MAIL FROM:<{envelope_from}>\r\n".encode()
        self._timeout = timeout
        self._answer_within = answer_within
        self._renew_after = renew_after
        self._begun = 0
        self._transactions: list[Transaction] = []
        #: Whose the replies to come are, in order.
        self._awaited: deque[Transaction] = deque()
        #: Without PIPELINING: commands that wait for the reply to the one before.
        self._unwritten: deque[tuple[Transaction, bytes]] = deque()
        self._reset_first = False
        #: Monotonic time by which the next reply must come.
        self.due = 0.0
        self.open = True

    def fileno(self) -> int:
        """The socket's file descriptor, to wait for replies."""
        return self._stream.fileno()

    @property
    def busy(self) -> bool:
        """True while replies are to come."""
        return bool(self._awaited)

    @property
    def needs_renewal(self) -> bool:
        """True if no further mail should begin on this connection."""
        return self._begun >= self._renew_after

    def begin(self, window: Window) -> None:
        """Take the next mail of the window, if there is one, and write its envelope."""
        mail = window.next()
        if mail is None:
            return
        reset = [b"RSET\r\n"] if self._reset_first else []
        transaction = self._new_transaction(mail, "RSET" if reset else "MAIL")
        commands = [*reset, *self._envelope(mail)]
        self._reset_first = False
        try:
            if self._pipelining:
                self._awaited.extend([transaction] * len(commands))
                self._stream.write(b"".join(commands))
            else:
                self._unwritten.extend((transaction, command) for command in commands)
                self._write_next()
            self._set_due()
        except WriteFailed as failure:
            self.lost(window, str(failure))

    def listen(self, window: Window) -> None:
        """Read the replies that came, and act on each."""
        replies = self._stream.replies
        try:
            self._stream.read()
            while self._awaited and replies:
                transaction, (code, text) = self._awaited.popleft(), replies.popleft()
                self._act(transaction, code, text, window)
            self._set_due()
            if self.open and not self._awaited and self._stream.has_more:
                self.lost(window, "a reply to nothing")
        except WriteFailed as failure:
            self.lost(window, str(failure))
        except OSError as error:
            self.lost(window, why(error))

    def lost(self, window: Window, words: str) -> None:
        """Close the connection, for the reason `words`, and record what that proves of each mail on it."""
        self.close()
        transactions, self._transactions = self._transactions, []
        for transaction in transactions:
            window.finish(transaction.mail, transaction.after_loss(words))

    def is_alive(self) -> bool:
        """True if a connection kept from an earlier window still answers."""
        if not self.open or not self._stream.is_quiet():
            return False
        return self._stream.silent_for < ASK_AFTER or self._stream.request(b"NOOP\r\n", self._timeout) == 250

    def quit(self) -> None:
        """Send QUIT, if no transaction is under way, and close; the reply does not matter."""
        if self.open and not self.busy:
            self._stream.request(b"QUIT\r\n", _QUIT_WITHIN)
        self.close()

    def close(self) -> None:
        """Close without QUIT: within a mail it would become part of the mail."""
        self.open = False
        self._awaited.clear()
        self._unwritten.clear()
        self._stream.close()

    def _new_transaction(self, mail: EncodedMail, phase: Phase) -> Transaction:
        transaction = Transaction(mail, phase)
        self._transactions.append(transaction)
        self._begun += 1
        return transaction

    def _envelope(self, mail: EncodedMail) -> tuple[bytes, bytes, bytes]:
        return self._mail_from, b"RCPT TO:<%s>\r\n" % mail.to, b"DATA\r\n"

    def _write_next(self) -> None:
        if self._unwritten and not self._awaited:
            transaction, command = self._unwritten.popleft()
            self._awaited.append(transaction)
            self._stream.write(command)

    def _act(self, transaction: Transaction, code: int, text: bytes, window: Window) -> None:
        """Take the step that follows from a reply to `transaction`."""
        phase = transaction.phase
        transaction.phase = NEXT.get(phase, phase)
        match STEPS[phase][reply_class(phase, code)]:
            case "go on":
                transaction.has_recipient = transaction.has_recipient or phase == "RCPT"
            case "send body":
                self._send_body(transaction, window)
            case "accept":
                queue_id = _QUEUE_ID.search(text)
                self._finish(transaction, Accepted(queue_id[1].decode() if queue_id else None), window)
            case "refuse":
                transaction.refusal = transaction.refusal or refusal_for(phase, code, text)
                self._unwritten.clear()
            case "give up":
                transaction.refusal = transaction.refusal or refusal_for(phase, code, text)
                self.lost(window, "the server is closing" if code == CLOSING else "out of step")
            case "doubt":
                self._finish(transaction, Unknown(f"the answer to the whole mail cannot be read: {code}"), window)
                self.lost(window, "out of step")
        if self.open:
            self._finish_if_refused(transaction, window)
            self._write_next()

    def _send_body(self, transaction: Transaction, window: Window) -> None:
        """Write the mail, its end, and with PIPELINING the envelope of the next mail."""
        if transaction.refusal is not None:
            self._end_empty(transaction, window)
            return
        stopped = window.stopped
        if stopped is not None or self._stream.has_more:
            transaction.refusal = stopped or Deferred("DATA: a reply to nothing")
            self.lost(window, "out of step")
            return
        following = window.next() if self._pipelining and not self.needs_renewal else None
        mail = transaction.mail
        transaction.phase, transaction.bytes_written = "body", mail.size + len(END)
        self._awaited.append(transaction)
        envelope: tuple[bytes, ...] = ()
        if following is not None:
            envelope = self._envelope(following)
            self._awaited.extend([self._new_transaction(following, "MAIL")] * len(envelope))
        window.begun(mail)
        try:
            self._stream.write(b"".join([*mail.parts, END, *envelope]))
        except WriteFailed as failure:
            transaction.bytes_written = min(transaction.bytes_written, failure.upto)
            raise
        transaction.phase = "answer"

    def _end_empty(self, transaction: Transaction, window: Window) -> None:
        """End the mail of a refused transaction for which the server waits nevertheless (RFC 2920, 3.1)."""
        if transaction.has_recipient:
            self.lost(window, "out of step")  # somebody would get an empty mail without a sender
            return
        transaction.phase = "empty"
        self._awaited.append(transaction)
        self._stream.write(END)

    def _finish_if_refused(self, transaction: Transaction, window: Window) -> None:
        """End a refused transaction once all is answered that was written for it; the next one begins with RSET."""
        if transaction.refusal is not None and transaction not in self._awaited:
            self._reset_first = self._reset_first or transaction.phase != "answer"
            self._finish(transaction, transaction.refusal, window)

    def _finish(self, transaction: Transaction, outcome: Outcome, window: Window) -> None:
        self._transactions.remove(transaction)
        window.finish(transaction.mail, outcome)

    def _set_due(self) -> None:
        if self._awaited:
            within = self._answer_within if self._awaited[0].phase == "answer" else self._timeout
            self.due = time.monotonic() + within
