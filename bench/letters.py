"""A letter of a size, and the parcels of many people with it, as the worker makes them."""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from newsletter.lib.mail import headers
from newsletter.lib.mail.provider_interface import Address, Letter, Parcel, Parcels

if TYPE_CHECKING:
    from newsletter.delivery.sending.recipients import Recipient

SENDER = headers.SenderIdentity(
    "A digest", "digest@example.org", "A house", "editor@example.org", "https://news.example.org"
)
DATE = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
_FOOT = "\n-- \n@@nl-unsubscribe@@\n@@nl-ask@@\nReference @@nl-reference@@\n"
_HTML_FOOT = (
    '<p><a href="@@nl-unsubscribe@@">Stop</a> <a href="@@nl-ask@@">Change</a> Reference @@nl-reference@@</p></html>\n'
)
_LINE = "Officials told reporters on Monday that the hearing would be moved again.\n"


def letter(size: int) -> Letter:
    """A letter whose mail, both parts encoded, has about so many bytes: a third of it is text, the rest HTML."""
    lines = (size - 1_400) // len(_LINE)
    text = _LINE * (lines // 3)
    html = f"<html>{f'<p>{_LINE[:-8]}</p>{chr(10)}' * (lines - lines // 3)}"
    return Letter(size, "alert", "Your update", text + _FOOT, html + _HTML_FOOT)


class Worker:
    """The worker's side of a batch, without a database: people as the barrier gives them, and their parcels."""

    def __init__(self, of: Letter) -> None:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
        import django

        django.setup()  # the ledger's rows are at hand, no database is
        from newsletter.delivery.sending.messages import Letters
        from newsletter.lib.crypto import Vault

        class One(Letters):
            def all(self, edition_ids: Iterable[int]) -> Mapping[int, Letter]:
                return dict.fromkeys(edition_ids, of)

        self._of = of
        self._vault = Vault(b"bench" * 8, {1: bytes(range(32))}, bytes(32))
        self._letters = One(self._vault)

    def recipients(self, first: int, count: int) -> "list[Recipient]":
        """So many people; `first` is the number of the first of them."""
        from newsletter.delivery.sending.recipients import Recipient

        return [
            Recipient(
                *(number, number, self._of.edition_id, "alert:1", 0),
                Address(f"reader{number}@example{number % 50}.org"),
            )
            for number in range(first, first + count)
        ]

    def parcels(self, people: "Sequence[Recipient]") -> Parcels:
        """One for each, with real tokens."""
        from newsletter.delivery.sending.messages import make_parcels

        return make_parcels(
            people, letters=self._letters, vault=self._vault, base_url=SENDER.base_url, domain=SENDER.domain
        )


def parcels(count: int, of: Letter) -> list[Parcel]:
    """One for each of so many people."""
    worker = Worker(of)
    return [
        one
        for first in range(1, count + 1, 1000)
        for one in worker.parcels(worker.recipients(first, min(1000, count + 1 - first)))
    ]
