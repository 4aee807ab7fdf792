"""Recipients in, parcels out: each one's letter with their own links, reference and ids."""

import json
from collections.abc import Sequence

from newsletter import links
from newsletter.delivery.barrier import Recipient
from newsletter.handover import Letter, Parcel
from newsletter.models import Edition, EditionBody, Notice
from newsletter.vault import NO_CHECK, Vault, epoch_check


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
    people = [(one.subscriber_id, epoch_check(one.link_epoch)) for one in recipients]
    mails = [(one.delivery_id, NO_CHECK) for one in recipients]
    tokens = zip(
        vault.tokens("unsubscribe", people),
        vault.tokens("ask", people),
        vault.tokens("message", mails),
        vault.tokens("delivery", mails),
        strict=True,
    )
    notice_links = _notice_links(recipients, vault, base_url)
    page, ask, one_click = (links.url(base_url, name, "") for name in ("unsubscribe", "ask", "one_click"))
    return [
        Parcel(
            delivery_id=one.delivery_id,
            address=one.address,
            letter=letters.get(one.edition_id),
            personal={
                "reference": links.reference(one.delivery_id),
                "unsubscribe": page + leave,
                "ask": ask + asking,
                "link": notice_links.get(one.occasion_key, ""),
            },
            message_id=f"{message}@{domain}",
            opaque=opaque,
            unsubscribe=None if one.occasion_key in notice_links else one_click + leave,
        )
        for one, (leave, asking, message, opaque) in zip(recipients, tokens, strict=True)
    ]


def _notice_links(recipients: Sequence[Recipient], vault: Vault, base_url: str) -> dict[str, str]:
    """The own page of each notice among them, by its occasion's key."""
    numbers = {int(one.occasion_key[7:]) for one in recipients if one.occasion_key.startswith("notice:")}
    return {
        f"notice:{notice.id}": links.url(
            base_url,
            "preferences" if notice.kind == Notice.Kind.MANAGE else "confirm",
            vault.token("notice", notice.id, bytes(notice.nonce)),
        )
        for notice in (Notice.objects.filter(id__in=numbers) if numbers else ())
    }
