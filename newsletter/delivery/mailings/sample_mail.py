"""An edition as the exact bytes of a mail, with neutral samples in the places for each person's own values."""

from dataclasses import dataclass, field
from datetime import datetime

from newsletter.delivery.mailings.edition_items import has_keywords
from newsletter.delivery.sending.messages import Letters
from newsletter.lib import urls
from newsletter.lib.crypto import KeysDoNotFit, Vault
from newsletter.lib.mail.headers import NotMailable, SenderIdentity
from newsletter.lib.mail.message import prepare
from newsletter.lib.mail.provider_interface import Address, Letter, Parcel
from newsletter.lib.refused import Refused
from newsletter.models import Edition, EditionBody

#: Mail programs hide what is beyond it ("message clipped").
CLIPPED_AT = 102 * 1024
_SAMPLE = "sample"
_REFERENCE = "0000-0000-00"


@dataclass(frozen=True)
class SampleMail:
    """A mail as it would leave, to nobody."""

    raw: bytes = field(repr=False)
    #: Bytes of the HTML, of which mail programs show `CLIPPED_AT`; of the text where there is no HTML.
    size: int


def edition_sample(edition_id: int, *, sender: SenderIdentity, vault: Vault, now: datetime) -> SampleMail | Refused:
    """The mail of an edition. Refused where it would show somebody's keyword, or is no longer stored."""
    edition = Edition.objects.filter(id=edition_id).first()
    if edition is None:
        return Refused("there is no such edition: records are kept for 14 days")
    if has_keywords(edition):
        return Refused("it contains keywords of subscribers, which are shown to nobody")
    try:
        letter = Letters(vault).all([edition_id])[edition_id]
    except EditionBody.DoesNotExist:
        return Refused(edition.parked_reason or "its words are no longer stored: they are kept for 7 days")
    except KeysDoNotFit:
        return Refused("its words cannot be decrypted with the keys at hand")
    return sample_mail(letter, sender=sender, now=now)


def sample_mail(letter: Letter, *, sender: SenderIdentity, now: datetime) -> SampleMail | Refused:
    """The mail of a letter."""
    page = {name: urls.url(sender.base_url, name, _SAMPLE) for name in ("unsubscribe", "ask", "one_click", "confirm")}
    parcel = Parcel(
        delivery_id=0,
        address=Address("somebody@example.org"),
        letter=letter,
        personal={
            "reference": _REFERENCE,
            "unsubscribe": page["unsubscribe"],
            "ask": page["ask"],
            "link": page["confirm"],
        },
        message_id=f"{_SAMPLE}@{sender.domain}",
        opaque=_SAMPLE,
        unsubscribe=page["one_click"],
    )
    try:
        raw = prepare(letter, sender).message(parcel, now)
    except NotMailable as error:
        return Refused(f"no mail can be made of it: {error}")
    return SampleMail(raw, len((letter.html or letter.text).encode()))
