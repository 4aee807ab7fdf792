"""Letters prepared once each, however many people get them."""

from datetime import datetime
from typing import Final

from newsletter.lib.message import Prepared, Sender, prepare
from newsletter.lib.provider_interface import Letter, Parcel

#: Letters kept, each as large as a mail: an alert's windows come with the same few hundred again and again, and one takes a
#: thousand times as long to prepare as to join.
KEPT: Final = 512


class Letters:
    """The letters of late."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._prepared: dict[int, tuple[Letter, Prepared]] = {}

    def message(self, parcel: Parcel, date: datetime) -> bytes:
        """The mail of one parcel, as it travels.

        Raises:
            NotMailable: it cannot be put together.
        """
        return b"".join(self.parts(parcel, date))

    def parts(self, parcel: Parcel, date: datetime) -> list[bytes]:
        """As `message`, not joined yet: who sends it joins it with what goes before and after.

        Raises:
            NotMailable: it cannot be put together.
        """
        return self._of(parcel.letter).parts(parcel, date)

    def _of(self, letter: Letter) -> Prepared:
        known, prepared = self._prepared.get(letter.edition_id, (None, None))
        if prepared is None or (known is not letter and known != letter):
            prepared = prepare(letter, self._sender)
            if len(self._prepared) >= KEPT:
                del self._prepared[next(iter(self._prepared))]
        self._prepared[letter.edition_id] = letter, prepared
        return prepared
