"""Prepared letters, kept: each is encoded once, however many people get it."""

from datetime import datetime
from typing import Final

from newsletter.lib.mail.headers import SenderIdentity
from newsletter.lib.mail.message import Prepared, prepare
from newsletter.lib.mail.provider_interface import Letter, Parcel

#: How many letters are kept, each as large as a mail. An alert's windows bring the same few hundred again and again, and
#: preparing one takes a thousand times as long as joining one.
KEPT: Final = 512


class PreparedLetters:
    """The most recently prepared letters of one sender."""

    def __init__(self, sender: SenderIdentity) -> None:
        self._sender = sender
        self._prepared: dict[int, tuple[Letter, Prepared]] = {}

    def message(self, parcel: Parcel, date: datetime) -> bytes:
        """Return the mail of one parcel as it travels.

        Raises:
            NotMailable: something is missing, or not fit for a header.
        """
        return b"".join(self.parts(parcel, date))

    def parts(self, parcel: Parcel, date: datetime) -> list[bytes]:
        """As `message`, in parts: the sender joins them with what goes before and after.

        Raises:
            NotMailable: as `message`.
        """
        return self._prepare(parcel.letter).parts(parcel, date)

    def _prepare(self, letter: Letter) -> Prepared:
        known, prepared = self._prepared.get(letter.edition_id, (None, None))
        if prepared is None or (known is not letter and known != letter):
            prepared = prepare(letter, self._sender)
            if len(self._prepared) >= KEPT:
                del self._prepared[next(iter(self._prepared))]
        self._prepared[letter.edition_id] = letter, prepared
        return prepared
