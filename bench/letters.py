"""A letter of a size, and the parcels of many people with it, as the worker makes them."""

import os
from datetime import UTC, datetime

from newsletter import mail
from newsletter.handover import Address, Letter, Parcel

SENDER = mail.Sender("A digest", "digest@example.org", "A house", "editor@example.org", "https://news.example.org")
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


def parcels(count: int, of: Letter) -> list[Parcel]:
    """One for each of so many people, with real tokens."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
    import django

    django.setup()  # the ledger's rows are at hand, no database is
    from newsletter.delivery.barrier import Recipient
    from newsletter.delivery.parcels import Letters
    from newsletter.delivery.parcels import parcels as made
    from newsletter.vault import Vault

    class One(Letters):
        def get(self, edition_id: int) -> Letter:
            return of

    vault = Vault(b"bench" * 8, {1: bytes(range(32))}, bytes(32))
    found: list[Parcel] = []
    for start in range(1, count + 1, 1000):
        people = [
            Recipient(number, number, of.edition_id, "alert:1", 0, Address(f"reader{number}@example{number % 50}.org"))
            for number in range(start, min(start + 1000, count + 1))
        ]
        found += made(people, letters=One(vault), vault=vault, base_url=SENDER.base_url, domain=SENDER.domain)
    return found
