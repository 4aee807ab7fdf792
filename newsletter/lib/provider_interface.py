"""What delivery hands to a provider, what a provider may answer, and what is reported of a mail later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol, overload


@dataclass(slots=True, unsafe_hash=True)  # frozen, it would take twice as long to make, and there is one for each mail
class Address:
    """An e-mail address that no log, exception or repr shows by accident. Never changed."""

    value: str = field(repr=False)

    @property
    def domain(self) -> str:
        """What stands after the @ sign, in lower case: a rare one is a person, so it is no more for logs than the whole."""
        return self.value.rpartition("@")[2].lower()

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True)
class Letter:
    """The wording that everybody with one edition shares.

    `text` and `html` hold placeholders (`lib/placeholders.py`), which a parcel's `personal` fills. `kind` is
    the kind of edition: alert, digest, notice.
    """

    edition_id: int
    kind: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)


@dataclass(slots=True)  # as an address
class Parcel:
    """One letter for one person: exactly one recipient, always. Never changed.

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
class Parcels(Sequence[Parcel]):
    """Parcels as columns of one length, made, checked and written as a whole; each is a parcel when it is asked for."""

    delivery_ids: Sequence[int]
    addresses: Sequence[str] = field(repr=False)
    letters: Sequence[Letter] = field(repr=False)
    personal: Mapping[str, Sequence[str]] = field(repr=False)
    message_ids: Sequence[str] = field(repr=False)
    opaque: Sequence[str] = field(repr=False)
    unsubscribe: Sequence[str | None] = field(repr=False)

    @classmethod
    def of(cls, parcels: Sequence[Parcel]) -> "Parcels":
        """The same parcels as columns; without a place for which one of them has no words."""
        if isinstance(parcels, cls):
            return parcels
        names = [
            name for name in (parcels[0].personal if parcels else ()) if all(name in one.personal for one in parcels)
        ]
        return cls(
            [one.delivery_id for one in parcels],
            [one.address.value for one in parcels],
            [one.letter for one in parcels],
            {name: [one.personal[name] for one in parcels] for name in names},
            [one.message_id for one in parcels],
            [one.opaque for one in parcels],
            [one.unsubscribe for one in parcels],
        )

    def __len__(self) -> int:
        return len(self.delivery_ids)

    @overload
    def __getitem__(self, place: int) -> Parcel: ...
    @overload
    def __getitem__(self, place: slice) -> list[Parcel]: ...
    def __getitem__(self, place: int | slice) -> Parcel | list[Parcel]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        return Parcel(
            self.delivery_ids[place],
            Address(self.addresses[place]),
            self.letters[place],
            {name: words[place] for name, words in self.personal.items()},
            self.message_ids[place],
            self.opaque[place],
            self.unsubscribe[place],
        )


@dataclass(frozen=True)
class Accepted:
    """The provider took it. `ref` is its own word for it (queue id, X-Message-Id)."""

    ref: str | None = None


@dataclass(frozen=True)
class Deferred:
    """Proof that it was not taken; try again later. `pause` stops the whole provider (wrong key, account closed).

    `not_begun` is the code of what stopped us before the provider was asked (`models.NotBegun`): not held against it.
    """

    reason: str
    retry_after: float | None = None
    pause: bool = False
    not_begun: str | None = None


@dataclass(frozen=True)
class Rejected:
    """Proof that it was not taken, and never will be as it stands. `split` says: smaller requests may pass.

    `recipient_status` is set where the server refused this recipient: the enhanced status code (RFC 3463), empty where it
    gave none. It is a bounce of which no report comes.
    """

    reason: str
    split: bool = False
    recipient_status: str | None = None


@dataclass(frozen=True)
class Unknown:
    """Nobody can say whether it was taken: never sent again without proof."""

    reason: str


Outcome = Accepted | Deferred | Rejected | Unknown


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


class ReportKind(StrEnum):
    """What may be reported of a mail after it was accepted."""

    #: The provider began to work on it.
    PROCESSED = "processed"
    #: The receiving server took it.
    DELIVERED = "delivered"
    #: The receiving server put it off; the provider goes on trying.
    DELAYED = "delayed"
    #: The receiving server refused it for good: there is no such mailbox.
    BOUNCE = "bounce"
    #: Given up for a reason that may pass, or that says nothing of the mailbox (full, too large, policy).
    SOFT_BOUNCE = "soft bounce"
    #: The provider threw it away.
    DROPPED = "dropped"
    #: The reader called it spam.
    COMPLAINT = "complaint"
    #: The reader told the provider, not us, that they want no more.
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True)
class Report:
    """What somebody told of one mail; believed only if its token is one that we derived.

    `token` stands for the delivery under `purpose` (provider argument or Message-ID). `mark` tells two reports of one kind and
    moment apart, and is the same when one is told again. `addresses` are those it speaks of, none if it does not say.
    `detail` holds codes, never the other side's words.
    """

    token: str = field(repr=False)
    purpose: Literal["delivery", "message"]
    kind: ReportKind
    at: datetime
    mark: str = field(default="", repr=False)
    addresses: tuple[Address, ...] = ()
    detail: str = ""
