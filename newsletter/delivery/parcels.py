"""Recipients in, parcels out: each one's letter with their own links, reference and ids."""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache

from newsletter import db, links
from newsletter.delivery.barrier import Recipient
from newsletter.handover import Letter, Parcels
from newsletter.models import EditionBody, Notice
from newsletter.second_copy import settled
from newsletter.vault import NO_CHECK, Vault, epoch_check

#: Letters that a process keeps opened: an alert's batches come with the same few again and again.
KEPT = 512


class Letters:
    """The letters of one batch. An edition's key is a hash of all it says, so what was opened before is the same again.

    `second`: its mails may be second copies, and say so.
    """

    def __init__(self, vault: Vault, *, second: bool = False) -> None:
        self._vault = vault
        self._second = second
        self._letters: dict[int, Letter] = {}

    def get(self, edition_id: int) -> Letter:
        """The wording of an edition.

        Raises:
            EditionBody.DoesNotExist: its body was pruned.
            KeysDoNotFit: its body does not open.
        """
        if edition_id not in self._letters:
            [(key, kind)] = db.rows("SELECT key, kind FROM edition WHERE id=%(id)s", {"id": edition_id}, often=True)
            self._letters[edition_id] = _opened(self._vault, edition_id, bytes(key), kind, self._second)
        return self._letters[edition_id]


@lru_cache(maxsize=KEPT)
def _opened(vault: Vault, edition_id: int, key: bytes, kind: str, second: bool) -> Letter:
    body = EditionBody.objects.get(edition_id=edition_id)
    opened = vault.open(body.key_id, body.cipher, handle=key, column="body")
    words = {part: settled(text, second=second) for part, text in json.loads(opened).items()}
    return Letter(edition_id=edition_id, kind=kind, **words)


def parcels(recipients: Sequence[Recipient], *, letters: Letters, vault: Vault, base_url: str, domain: str) -> Parcels:
    """A parcel per recipient. `domain` is the right side of the Message-IDs."""
    if not recipients:
        return Parcels.of(())
    deliveries, people, editions, occasions, epochs, addresses = zip(*recipients, strict=True)
    checks = {epoch: epoch_check(epoch) for epoch in set(epochs)}
    leave, asking = vault.tokens(
        [(person, checks[epoch]) for person, epoch in zip(people, epochs, strict=True)], "unsubscribe", "ask"
    )
    messages, opaque = vault.tokens([(number, NO_CHECK) for number in deliveries], "message", "delivery")
    page, ask, one_click = (links.url(base_url, name, "") for name in ("unsubscribe", "ask", "one_click"))
    wording = {number: letters.get(number) for number in dict.fromkeys(editions)}
    own_page = _notice_links(set(occasions), vault, base_url)
    return Parcels(
        delivery_ids=deliveries,
        addresses=[address.value for address in addresses],
        letters=[wording[number] for number in editions],
        personal={
            "reference": links.references(deliveries),
            "unsubscribe": [page + token for token in leave],
            "ask": [ask + token for token in asking],
            "link": [own_page.get(key, "") for key in occasions],
        },
        message_ids=[f"{token}@{domain}" for token in messages],
        opaque=opaque,
        unsubscribe=[
            None if key in own_page else one_click + token for key, token in zip(occasions, leave, strict=True)
        ],
    )


def _notice_links(occasions: Iterable[str], vault: Vault, base_url: str) -> dict[str, str]:
    """The own page of each notice among them, by its occasion's key."""
    numbers = {int(key[7:]) for key in occasions if key.startswith("notice:")}
    return {
        f"notice:{notice.id}": links.url(
            base_url,
            "preferences" if notice.kind == Notice.Kind.MANAGE else "confirm",
            vault.token("notice", notice.id, bytes(notice.nonce)),
        )
        for notice in (Notice.objects.filter(id__in=numbers) if numbers else ())
    }
