"""Recipients in, parcels out: each one's letter with their own links, reference and ids."""

import json
from collections.abc import Sequence
from functools import lru_cache

from newsletter import db, links
from newsletter.delivery.barrier import Recipient
from newsletter.handover import Letter, Parcel
from newsletter.models import EditionBody, Notice
from newsletter.vault import Vault, epoch_check

#: Letters that a process keeps opened: an alert's batches come with the same few again and again.
KEPT = 512


class Letters:
    """The letters of one batch. An edition's key is a hash of all it says, so what was opened before is the same again."""

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
            [(key, kind)] = db.rows("SELECT key, kind FROM edition WHERE id=%(id)s", {"id": edition_id}, often=True)
            self._letters[edition_id] = _opened(self._vault, edition_id, bytes(key), kind)
        return self._letters[edition_id]


@lru_cache(maxsize=KEPT)
def _opened(vault: Vault, edition_id: int, key: bytes, kind: str) -> Letter:
    body = EditionBody.objects.get(edition_id=edition_id)
    opened = vault.open(body.key_id, body.cipher, handle=key, column="body")
    return Letter(edition_id=edition_id, kind=kind, **json.loads(opened))


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
