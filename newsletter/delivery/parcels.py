"""Recipients in, parcels out: each one's letter with their own links, reference and ids."""

import json
from collections.abc import Sequence
from functools import lru_cache

from newsletter import db, links
from newsletter.delivery.barrier import Recipient
from newsletter.handover import Letter, Parcel
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
