"""Hand one mail to a provider outside the ledger: a test to an address that is used for this alone, never stored or logged."""

import secrets
from typing import Final

from newsletter.lib import urls
from newsletter.lib.mail.provider_interface import Accepted, Address, Letter, Parcel, Provider, Unknown
from newsletter.lib.refused import Refused

#: In place of a person's token: the pages say that such a link does not work.
_NOBODY: Final = "test"
_REFERENCE: Final = "TEST-0000-00"


def hand_over_single(
    letter: Letter, address: Address, *, provider: Provider, base_url: str, domain: str
) -> Refused | None:
    """Hand a letter over to one address, as the bytes that subscribers get. Returns None if the provider took it.

    `domain` is the right side of the Message-ID.
    """
    unsubscribe, ask, one_click = (urls.url(base_url, page, _NOBODY) for page in ("unsubscribe", "ask", "one_click"))
    parcel = Parcel(
        delivery_id=0,
        address=address,
        letter=letter,
        personal={"reference": _REFERENCE, "unsubscribe": unsubscribe, "ask": ask, "link": ""},
        message_id=f"{secrets.token_urlsafe(16)}@{domain}",
        opaque=secrets.token_urlsafe(16),
        unsubscribe=one_click,
    )
    outcome = provider.hand_over([parcel])[0]
    match outcome:
        case Accepted():
            return None
        case Unknown():
            return Refused("it is unknown whether the provider took the test: look whether it arrives")
        case _:
            # what a server answers may repeat the address
            reason = outcome.reason.replace(address.value, "the address")
            return Refused(f"the provider did not take the test: {reason}")
