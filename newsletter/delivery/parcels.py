"""Recipients in, parcels out: each one's letter with their own links, reference and ids."""

import json
from collections.abc import Sequence

from newsletter import links
from newsletter.delivery.barrier import Recipient
from newsletter.handover import Letter, Parcel
from newsletter.models import Edition, EditionBody, Notice
from newsletter.vault import Vault, epoch_check


class Letters:
    """The letters of one batch, each opened once."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._letters: dict[int, Letter] = {}

    def get(self, edition_id: int) -> Letter:
        """The wording of an edition.

        Raises:
            EditionBody.DoesNotExist: its body was pruned.
            KeysDoNotFit: its body does not open.
        """
        if edition_id not in self._letters:
            edition = Edition.objects.get(id=edition_id)
            body = EditionBody.objects.get(edition_id=edition_id)
            opened = self._vault.open(body.key_id, body.cipher, handle=bytes(edition.key), column="body")
            self._letters[edition_id] = Letter(edition_id=edition_id, kind=edition.kind, **json.loads(opened))
        return self._letters[edition_id]


def parcels(
    recipients: Sequence[Recipient], *, letters: Letters, vault: Vault, base_url: str, domain: str
) -> list[Parcel]:
    """A parcel per recipient. `domain` is the right side of the Message-IDs."""
    notices = _notices(recipients)
    return [_parcel(one, letters.get(one.edition_id), notices, vault, base_url, domain) for one in recipients]


def _parcel(
    one: Recipient, letter: Letter, notices: dict[str, Notice], vault: Vault, base_url: str, domain: str
) -> Parcel:
    check = epoch_check(one.link_epoch)
    leave = vault.token("unsubscribe", one.subscriber_id, check)
    personal = {
        "reference": links.reference(one.delivery_id),
        "unsubscribe": links.url(base_url, "unsubscribe", leave),
        "ask": links.url(base_url, "ask", vault.token("ask", one.subscriber_id, check)),
        "link": "",
    }
    notice = notices.get(one.occasion_key)
    if notice is not None:
        page = "preferences" if notice.kind == Notice.Kind.MANAGE else "confirm"
        personal["link"] = links.url(base_url, page, vault.token("notice", notice.id, bytes(notice.nonce)))
    opaque = vault.token("delivery", one.delivery_id)
    return Parcel(
        delivery_id=one.delivery_id,
        address=one.address,
        letter=letter,
        personal=personal,
        message_id=f"{vault.token('message', one.delivery_id)}@{domain}",
        opaque=opaque,
        unsubscribe=None if notice is not None else links.url(base_url, "one_click", leave),
    )


def _notices(recipients: Sequence[Recipient]) -> dict[str, Notice]:
    numbers = [int(one.occasion_key.partition(":")[2]) for one in recipients if one.occasion_key.startswith("notice:")]
    return {f"notice:{notice.id}": notice for notice in Notice.objects.filter(id__in=numbers)} if numbers else {}
