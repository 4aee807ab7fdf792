"""One mail transaction (RFC 5321): its phases, what to do on each reply, and what a refusal or a lost connection proves."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Final, Literal

from newsletter.lib.mail.provider_interface import Deferred, Outcome, Rejected, Unknown
from newsletter.providers.smtp.connect import enhanced_status, reply_code
from newsletter.providers.smtp.window import EncodedMail

#: The end of a mail's data.
END: Final = b".\r\n"
#: The server closes the connection.
CLOSING: Final = 421
#: Replies that refuse us, not the mail: no password, or the wrong one.
_NOT_AUTHENTICATED: Final = frozenset({530, 534, 535, 538})

#: What a transaction waits for: the reply to a command, to the body, or to the end of an empty mail.
Phase = Literal["RSET", "MAIL", "RCPT", "DATA", "body", "answer", "empty"]
ReplyClass = Literal["expected", "refused", "closing", "nonsense"]
Step = Literal["go on", "send body", "accept", "refuse", "give up", "doubt"]

_EXPECTED: Final[dict[Phase, Container[int]]] = {
    "RSET": {250},
    "MAIL": {250},
    "RCPT": {250, 251, 252},
    "DATA": {354},
    "answer": range(200, 300),
    "empty": range(1000),
}
#: What to do on a reply. Giving up ends the connection; the first refusal of a mail is its outcome.
STEPS: Final[dict[Phase, dict[ReplyClass, Step]]] = {
    "RSET": {"expected": "go on", "refused": "give up", "closing": "give up", "nonsense": "give up"},
    "MAIL": {"expected": "go on", "refused": "refuse", "closing": "give up", "nonsense": "give up"},
    "RCPT": {"expected": "go on", "refused": "refuse", "closing": "give up", "nonsense": "give up"},
    "DATA": {"expected": "send body", "refused": "refuse", "closing": "give up", "nonsense": "give up"},
    "answer": {"expected": "accept", "refused": "refuse", "closing": "give up", "nonsense": "doubt"},
    "empty": {"expected": "go on"},
}
NEXT: Final[dict[Phase, Phase]] = {"RSET": "MAIL", "MAIL": "RCPT", "RCPT": "DATA"}


def reply_class(phase: Phase, code: int) -> ReplyClass:
    """Classify a reply by its code. Nonsense is a code that has no meaning in this phase, or no code (0)."""
    if code in _EXPECTED[phase]:
        return "expected"
    if code == CLOSING:
        return "closing"
    return "refused" if 400 <= code < 600 else "nonsense"


def refusal_for(phase: Phase, code: int, text: bytes) -> Outcome:
    """Return the outcome of a mail that the server refused in `phase`."""
    words = f"{phase}: {reply_code(code, text)}"
    permanent = 500 <= code < 600
    if phase == "RSET":
        return Deferred(words)
    if phase == "MAIL":
        return Deferred(
            words, pause=permanent
        )  # the sender is the same in every mail: a permanent refusal needs a person
    if code in _NOT_AUTHENTICATED:
        return Deferred(words, pause=True)
    if not permanent:
        return Deferred(words)
    return Rejected(words, recipient_status=enhanced_status(text) if phase == "RCPT" else None)


def proof_of(phase: Phase, bytes_written: int, size: int) -> bool:
    """True if a connection that is lost in `phase` proves that the server did not take the mail.

    A server takes a mail when it has read the end of its data (RFC 5321, 4.1.1.4). Before the body is written there is nothing
    to take. From then on, proof is only that the end has not left: fewer than `size` bytes of body and end can have been
    written. All else is doubt.
    """
    return phase not in ("body", "answer") or bytes_written < size


@dataclass(slots=True, eq=False)
class Transaction:
    """One mail on its way. `phase` is that of the next reply; `refusal` is its outcome once it was refused."""

    mail: EncodedMail
    phase: Phase
    refusal: Outcome | None = None
    #: Whether the server took the recipient.
    has_recipient: bool = False
    #: Bytes of the body and its end that may have left.
    bytes_written: int = 0

    def after_loss(self, words: str) -> Outcome:
        """The outcome if the connection is lost now, for the reason `words`."""
        if self.refusal is not None:
            return self.refusal
        if proof_of(self.phase, self.bytes_written, self.mail.size + len(END)):
            return Deferred(f"{self.phase}: {words}")
        return Unknown(f"no answer to the whole mail: {words}")
