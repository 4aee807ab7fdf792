"""Letters prepared once each, however many people get them."""

from datetime import datetime

from newsletter import mail
from newsletter.handover import Parcel


class Letters:
    """The letters of one window."""

    def __init__(self, sender: mail.Sender) -> None:
        self._sender = sender
        self._prepared: dict[int, mail.Prepared] = {}

    def message(self, parcel: Parcel, date: datetime) -> bytes:
        """The mail of one parcel, as it travels.

        Raises:
            NotMailable: it cannot be put together.
        """
        edition = parcel.letter.edition_id
        if edition not in self._prepared:
            self._prepared[edition] = mail.prepare(parcel.letter, self._sender)
        return self._prepared[edition].message(parcel, date)
