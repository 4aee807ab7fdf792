"""The parcels of one window: which mail is next, and the outcome of each."""

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.lib.mail import headers
from newsletter.lib.mail.provider_interface import Deferred, Outcome, Parcel, Rejected
from newsletter.lib.mail.window_record import Slot
from newsletter.providers.prepared_messages import PreparedLetters

_NOT_BEGUN = Deferred("not begun: the connection was lost")


@dataclass(slots=True)
class EncodedMail:
    """A parcel as bytes for the server: `parts` together end in CRLF, and no line in them begins with a dot."""

    delivery_id: int
    domain: str = field(repr=False)
    to: bytes = field(repr=False)
    parts: list[bytes] = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of the mail, without the dot that ends it."""
        return sum(map(len, self.parts))


class Window:
    """The parcels of one call of `Smtp.hand_over`, taken one by one by its sessions.

    All mails bear `date`. After the monotonic time `until` no body is written, so that the last answer still comes within the
    lease. At most `per_domain` transactions are under way for one recipient domain; None means no limit. `record` stores how
    far the window got.
    """

    def __init__(
        self,
        parcels: Sequence[Parcel],
        letters: PreparedLetters,
        date: datetime,
        *,
        until: float,
        per_domain: int | None,
        record: Slot | None = None,
    ) -> None:
        self._parcels = parcels
        self._waiting = deque(parcels)
        self._letters = letters
        self._date = date
        self._until = until
        self._per_domain = per_domain
        self._record = record
        self._domains: Counter[str] = Counter()
        self._outcomes: dict[int, Outcome] = {}
        self._stopped: Deferred | None = None

    @property
    def stopped(self) -> Deferred | None:
        """Why nothing more may begin, or None."""
        if self._stopped is None and time.monotonic() > self._until:
            self._stopped = Deferred("not begun: the server is slow")
        return self._stopped

    @property
    def over(self) -> bool:
        """True if no parcel waits, or none may begin."""
        return not self._waiting or self.stopped is not None

    def stop(self, why: Deferred) -> None:
        """Let nothing more begin, for the reason given."""
        self._stopped = self._stopped or why

    def next(self) -> EncodedMail | None:
        """Encode and return the next mail; None if there is none, or none whose domain is below its limit."""
        while not self.over and (waiting := self._take_waiting()) is not None:
            parcel, domain = waiting
            try:
                parts = self._letters.parts(parcel, self._date)
            except headers.NotMailable as error:
                self._outcomes[parcel.delivery_id] = Rejected(str(error))
                continue
            if not parts[-1].endswith(b"\r\n"):
                parts.append(b"\r\n")  # the dot that ends the mail needs a line of its own
            self._domains[domain] += 1
            # an address that fits in a header fits in the envelope
            return EncodedMail(parcel.delivery_id, domain, parcel.address.value.encode("ascii"), parts)
        return None

    def begun(self, mail: EncodedMail) -> None:
        """Record that a mail's body is about to be written."""
        if self._record is not None:
            self._record.begun(mail.delivery_id)

    def finish(self, mail: EncodedMail, outcome: Outcome) -> None:
        """Record the outcome of a mail."""
        if self._record is not None:
            self._record.answered(mail.delivery_id, outcome)
        self._domains[mail.domain] -= 1
        self._outcomes[mail.delivery_id] = outcome
        if isinstance(outcome, Deferred) and outcome.pause:
            self.stop(outcome)

    def outcomes(self) -> Mapping[int, Outcome]:
        """Return the outcome of each parcel, by delivery id."""
        rest = self._stopped or _NOT_BEGUN
        return {parcel.delivery_id: self._outcomes.get(parcel.delivery_id, rest) for parcel in self._parcels}

    def _take_waiting(self) -> tuple[Parcel, str] | None:
        """Take the first parcel whose domain is below its limit, with that domain (empty where domains have no limit)."""
        if self._per_domain is None:
            return self._waiting.popleft(), ""
        for index, parcel in enumerate(self._waiting):
            if self._domains[domain := parcel.address.domain] < self._per_domain:
                del self._waiting[index]
                return parcel, domain
        return None
