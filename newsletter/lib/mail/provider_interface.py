"""The interface of mail providers: parcels go in, outcomes come back, and reports follow later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol, overload


@dataclass(slots=True, unsafe_hash=True)  # frozen, it would take twice as long to make, and there is one for each mail
class Address:
    """An e-mail address that no log, exception or repr shows by accident. Do not change it after it is made."""

    value: str = field(repr=False)

    @property
    def domain(self) -> str:
        """The part after the @ sign, in lower case. Never log it: a rare domain identifies a person."""
        return self.value.rpartition("@")[2].lower()

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True)
class Letter:
    """The content that everybody with one edition shares.

    `text` and `html` hold placeholders (`lib/mail/placeholders.py`), which a parcel's `personal` fills. `kind` is
    the kind of edition: alert, digest, notice.
    """

    edition_id: int
    kind: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)


@dataclass(slots=True)  # as an address
class Parcel:
    """One letter for exactly one recipient. Do not change it after it is made.

    `personal` maps each placeholder's name to its value (links, the reference). `message_id` is without angle brackets.
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
    """Parcels as columns of equal length, which are made, checked and written as a whole; an item is a `Parcel`."""

    delivery_ids: Sequence[int]
    addresses: Sequence[str] = field(repr=False)
    letters: Sequence[Letter] = field(repr=False)
    personal: Mapping[str, Sequence[str]] = field(repr=False)
    message_ids: Sequence[str] = field(repr=False)
    opaque: Sequence[str] = field(repr=False)
    unsubscribe: Sequence[str | None] = field(repr=False)

    @classmethod
    def of(cls, parcels: Sequence[Parcel]) -> "Parcels":
        """Convert parcels to columns; a placeholder for which one of them has no value is left out."""
        if isinstance(parcels, cls):
            return parcels
        names = [
            name
            for name in (parcels[0].personal if parcels else ())
            if all(name in parcel.personal for parcel in parcels)
        ]
        return cls(
            [parcel.delivery_id for parcel in parcels],
            [parcel.address.value for parcel in parcels],
            [parcel.letter for parcel in parcels],
            {name: [parcel.personal[name] for parcel in parcels] for name in names},
            [parcel.message_id for parcel in parcels],
            [parcel.opaque for parcel in parcels],
            [parcel.unsubscribe for parcel in parcels],
        )

    def __len__(self) -> int:
        return len(self.delivery_ids)

    @overload
    def __getitem__(self, index: int) -> Parcel: ...
    @overload
    def __getitem__(self, index: slice) -> list[Parcel]: ...
    def __getitem__(self, index: int | slice) -> Parcel | list[Parcel]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return Parcel(
            self.delivery_ids[index],
            Address(self.addresses[index]),
            self.letters[index],
            {name: values[index] for name, values in self.personal.items()},
            self.message_ids[index],
            self.opaque[index],
            self.unsubscribe[index],
        )


@dataclass(frozen=True)
class Accepted:
    """The provider took the mail. `ref` is its own id for it (queue id, X-Message-Id)."""

    ref: str | None = None


@dataclass(frozen=True)
class Deferred:
    """Proof that the mail was not taken; try again later. `pause` stops the whole provider (wrong key, account closed).

    `not_begun` is the code of what stopped us before the provider was asked (`models.NotBegun`): not held against it.
    """

    reason: str
    retry_after: float | None = None
    pause: bool = False
    not_begun: str | None = None


@dataclass(frozen=True)
class Rejected:
    """Proof that the mail was not taken, and never will be. With `split`, smaller requests may be taken.

    `recipient_status` is set where the server refused this recipient: the enhanced status code (RFC 3463), empty where it
    gave none. It is a bounce of which no report comes.
    """

    reason: str
    split: bool = False
    recipient_status: str | None = None


@dataclass(frozen=True)
class Unknown:
    """It is unknown whether the mail was taken. It is never sent again without proof."""

    reason: str


Outcome = Accepted | Deferred | Rejected | Unknown


class Provider(Protocol):
    """A mail provider; each has a package or a file in `providers/`."""

    #: Name in logs, metrics and `--json`; never changes.
    name: str
    #: Number stored in `batch.provider` and `attempt.provider`; never reused.
    number: int
    #: None: a whole batch is one request with one outcome. Else recipients per committed window, each with its own outcome.
    window: int | None
    #: True: every recipient of a batch must share one letter.
    one_letter: bool

    def hand_over(self, parcels: Sequence[Parcel]) -> dict[int, Outcome]:
        """Hand parcels over and return an outcome for each delivery id. Never raises because of the network.

        With `window` None all parcels get the same outcome.
        """
        ...

    def close(self) -> None:
        """Close connections."""
        ...


class ReportKind(StrEnum):
    """What may be reported about a mail after it was accepted."""

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
    #: The provider dropped it.
    DROPPED = "dropped"
    #: The reader called it spam.
    COMPLAINT = "complaint"
    #: The reader told the provider, not us, that they want no more.
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True)
class Report:
    """A report about one mail, believed only if we derived its token.

    `token` identifies the delivery, under `purpose` (provider argument or Message-ID). `mark` distinguishes two reports of one
    kind and time, and is the same if a report is repeated. `addresses` are those it names, if any. `detail` holds codes, never
    the other side's text.
    """

    token: str = field(repr=False)
    purpose: Literal["delivery", "message"]
    kind: ReportKind
    at: datetime
    mark: str = field(default="", repr=False)
    addresses: tuple[Address, ...] = ()
    detail: str = ""
