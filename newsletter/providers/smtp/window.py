"""The parcels of one window: who goes next, and what became of each."""

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.lib import mail_headers
from newsletter.lib.provider_interface import Deferred, Outcome, Parcel, Rejected
from newsletter.lib.window_record import Slot
from newsletter.providers.prepared_messages import PreparedLetters

_NOT_BEGUN = Deferred("not begun: the connection was lost")


@dataclass(slots=True)
class Wired:
    """A parcel as it goes to a server: `parts` together end in CRLF, and no line in them begins with a dot."""

    delivery_id: int
    domain: str = field(repr=False)
    to: bytes = field(repr=False)
    parts: list[bytes] = field(repr=False)


class Window:
    """`date` is that of its mails; `until` the monotonic time after which no mail's body leaves, so that its last answer still
    comes within the lease; `per_domain` how many transactions may be under way for one recipient domain, None: any number.
    `record` is where it is written down how far the window got.
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
        """Why nothing further may begin, if so."""
        if self._stopped is None and time.monotonic() > self._until:
            self._stopped = Deferred("not begun: the server is slow")
        return self._stopped

    @property
    def over(self) -> bool:
        """Nobody waits, or nobody may begin."""
        return not self._waiting or self.stopped is not None

    def stop(self, why: Deferred) -> None:
        """Let nothing further begin."""
        self._stopped = self._stopped or why

    def next(self) -> Wired | None:
        """The next mail, put together; None when there is none, or none whose domain has room."""
        while not self.over and (found := self._free()) is not None:
            parcel, domain = found
            try:
                parts = self._letters.parts(parcel, self._date)
            except mail_headers.NotMailable as error:
                self._outcomes[parcel.delivery_id] = Rejected(str(error))
                continue
            if not parts[-1].endswith(b"\r\n"):
                parts.append(b"\r\n")  # the dot that ends it stands on a line of its own
            self._domains[domain] += 1
            # an address that made a header is one that can stand in the envelope
            return Wired(parcel.delivery_id, domain, parcel.address.value.encode("ascii"), parts)
        return None

    def begun(self, one: Wired) -> None:
        """The body of a mail is about to leave."""
        if self._record is not None:
            self._record.begun(one.delivery_id)

    def tell(self, one: Wired, outcome: Outcome) -> None:
        """Write down what became of a mail."""
        if self._record is not None:
            self._record.answered(one.delivery_id, outcome)
        self._domains[one.domain] -= 1
        self._outcomes[one.delivery_id] = outcome
        if isinstance(outcome, Deferred) and outcome.pause:
            self.stop(outcome)

    def outcomes(self) -> Mapping[int, Outcome]:
        """What became of each parcel."""
        rest = self._stopped or _NOT_BEGUN
        return {parcel.delivery_id: self._outcomes.get(parcel.delivery_id, rest) for parcel in self._parcels}

    def _free(self) -> tuple[Parcel, str] | None:
        """Who is next, and their domain, where domains count."""
        if self._per_domain is None:
            return self._waiting.popleft(), ""
        for place, parcel in enumerate(self._waiting):
            if self._domains[domain := parcel.address.domain] < self._per_domain:
                del self._waiting[place]
                return parcel, domain
        return None
