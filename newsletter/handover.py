"""What delivery hands to a provider, and what a provider may answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Address:
    """An e-mail address that no log, exception or repr shows by accident."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True)
class Letter:
    """The wording that everybody with one edition shares.

    `text` and `html` hold places, written `@@nl-NAME@@` (see `mail.PLACES`), which a parcel's `personal` fills. `kind` is
    the kind of edition: alert, digest, notice.
    """

    edition_id: int
    kind: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)


@dataclass(frozen=True)
class Parcel:
    """One letter for one person: exactly one recipient, always.

    `personal` maps each place's name to its words (links, the reference). `message_id` is without angle brackets.
    `opaque` is the one value that may travel as provider metadata. `unsubscribe` is the RFC 8058 URL, None for a notice.
    """

    delivery_id: int
    address: Address
    letter: Letter
    personal: Mapping[str, str] = field(repr=False)
    message_id: str
    opaque: str
    unsubscribe: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Accepted:
    """The provider took it. `ref` is its own word for it (queue id, X-Message-Id)."""

    ref: str | None = None


@dataclass(frozen=True)
class Deferred:
    """Proof that it was not taken; try again later. `pause` stops the whole provider (wrong key, account closed)."""

    reason: str
    retry_after: float | None = None
    pause: bool = False


@dataclass(frozen=True)
class Refused:
    """Proof that it was not taken, and never will be as it stands. `split` says: smaller requests may pass."""

    reason: str
    split: bool = False


@dataclass(frozen=True)
class Unknown:
    """Nobody can say whether it was taken: never sent again without proof."""

    reason: str


Outcome = Accepted | Deferred | Refused | Unknown


class Provider(Protocol):
    """A carrier. One file in `providers/` each."""

    #: Name in logs, metrics and `--json`; never changes.
    name: str
    #: Number stored in `batch.provider` and `attempt.provider`; never reused.
    number: int
    #: None: a whole batch is one request with one outcome. Else recipients per committed window, each with its own outcome.
    window: int | None
    #: True: every recipient of a batch must share one letter.
    one_letter: bool

    def hand_over(self, parcels: Sequence[Parcel]) -> dict[int, Outcome]:
        """Hand `parcels` over and return an outcome per delivery id, for every parcel. Never raises for what the network does.

        With `window` None all parcels get the same outcome.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
