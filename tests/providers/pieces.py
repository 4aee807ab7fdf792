"""Letters and parcels for the tests of the providers."""

import json
from collections.abc import Sequence
from typing import Any

from newsletter.lib.mail import headers
from newsletter.lib.mail.provider_interface import Address, Letter, Parcel
from newsletter.providers.sendgrid.request_body import request_template

SENDER = headers.SenderIdentity(
    "A digest", "digest@example.org", "A house", "editor@example.org", "https://news.example.org"
)
PERSONAL = {
    "unsubscribe": "https://news.example.org/unsubscribe/tokentokentokentokento",
    "ask": "https://news.example.org/ask/tokentokentokentokento",
    "reference": "7K3F-09QA-M2",
    "link": "",
}
TEXT = "Zwei Meldungen über 维吾尔\n.\n..dots \nFrom here\n\n-- \n@@nl-unsubscribe@@\n@@nl-ask@@\nRef @@nl-reference@@"
HTML = (
    '<html lang="de"><p>Zwei Meldungen über 维吾尔</p>\n.\n'
    '<p><a href="@@nl-unsubscribe@@">Stop</a> <a href="@@nl-ask@@">Wahl</a> @@nl-reference@@</p></html>'
)


def letter(
    *, kind: str = "alert", subject: str = "Your update", text: str = TEXT, html: str = HTML, edition: int = 1
) -> Letter:
    return Letter(edition_id=edition, kind=kind, subject=subject, text=text, html=html)


def parcel(number: int = 1, *, address: str = "", of: Letter | None = None) -> Parcel:
    made = of or letter()
    return Parcel(
        delivery_id=number,
        address=Address(address or f"reader{number}@example.org"),
        letter=made,
        personal=PERSONAL,
        message_id=f"message{number}@example.org",
        opaque=f"opaque-{number:04}",
        unsubscribe=None if made.kind == "notice" else f"https://news.example.org/one-click/token{number}",
    )


def filled(text: str) -> str:
    for name, value in PERSONAL.items():
        text = text.replace(f"@@nl-{name}@@", value)
    return text


def body(parcels: Sequence[Parcel], sender: headers.SenderIdentity = SENDER) -> Any:
    """The request to SendGrid for parcels of one letter, read."""
    return json.loads(b"".join(request_template(parcels[0].letter, sender, separate_tags=True).request(parcels)))
