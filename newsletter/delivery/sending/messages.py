"""Recipients in, parcels out: each one's letter with their own links, reference and ids."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from newsletter.delivery.sending.recipients import Recipient
from newsletter.lib import db, urls
from newsletter.lib.crypto import NO_CHECK, Vault, link_epoch_check
from newsletter.lib.placeholders import resolve_second_copy
from newsletter.lib.provider_interface import Letter, Parcels
from newsletter.lib.references import references
from newsletter.models import EditionBody, Notice

#: Letters that a process keeps opened: an alert's batches come with the same few again and again.
KEPT: Final = 512


class _Said(NamedTuple):
    """What a letter hangs on."""

    edition_id: int
    key: bytes
    kind: str
    second: bool


_KEPT: Final[dict[tuple[Vault, _Said], Letter]] = {}


class Letters:
    """The letters of one batch. An edition's key is a hash of all it says, so what was opened before is the same again.

    `second`: its mails may be second copies, and say so.
    """

    def __init__(self, vault: Vault, *, second: bool = False) -> None:
        self._vault = vault
        self._second = second
        self._letters: dict[int, Letter] = {}

    def all(self, edition_ids: Iterable[int]) -> Mapping[int, Letter]:
        """The wording of each edition, asked for together: of digests nearly every mail has one of its own.

        Raises:
            EditionBody.DoesNotExist: a body was pruned.
            KeysDoNotFit: a body does not open.
        """
        missing = [number for number in dict.fromkeys(edition_ids) if number not in self._letters]
        if missing:
            sql = f"SELECT id, key, kind FROM edition WHERE {db.in_list('id', 'ids')} ORDER BY id"
            told = db.rows(sql, {"ids": missing}, prepared=True)
            self._letters |= self._opened([_Said(number, bytes(key), kind, self._second) for number, key, kind in told])
        return self._letters

    def _opened(self, said: Sequence[_Said]) -> dict[int, Letter]:
        found = {one.edition_id: _KEPT[self._vault, one] for one in said if (self._vault, one) in _KEPT}
        new = [one for one in said if one.edition_id not in found]
        bodies = EditionBody.objects.in_bulk([one.edition_id for one in new]) if new else {}
        for one in new:
            if (body := bodies.get(one.edition_id)) is None:
                raise EditionBody.DoesNotExist(f"edition {one.edition_id}")
            text = self._vault.decrypt(body.key_id, body.cipher, handle=one.key, column="body")
            parts = {part: resolve_second_copy(words, second=one.second) for part, words in json.loads(text).items()}
            found[one.edition_id] = Letter(one.edition_id, one.kind, **parts)
            _keep((self._vault, one), found[one.edition_id])
        return found


def _keep(key: tuple[Vault, _Said], letter: Letter) -> None:
    if len(_KEPT) >= KEPT:
        _KEPT.pop(next(iter(_KEPT)), None)
    _KEPT[key] = letter


def make_parcels(
    recipients: Sequence[Recipient], *, letters: Letters, vault: Vault, base_url: str, domain: str
) -> Parcels:
    """A parcel per recipient. `domain` is the right side of the Message-IDs."""
    if not recipients:
        return Parcels.of(())
    deliveries, people, editions, occasions, epochs, addresses = zip(*recipients, strict=True)
    checks = {epoch: link_epoch_check(epoch) for epoch in set(epochs)}
    leave, asking = vault.tokens(
        [(person, checks[epoch]) for person, epoch in zip(people, epochs, strict=True)], "unsubscribe", "ask"
    )
    messages, opaque = vault.tokens([(number, NO_CHECK) for number in deliveries], "message", "delivery")
    page, ask, one_click = (urls.url(base_url, name, "") for name in ("unsubscribe", "ask", "one_click"))
    wording = letters.all(editions)
    own_page = _notice_links(set(occasions), vault, base_url)
    return Parcels(
        delivery_ids=deliveries,
        addresses=[address.value for address in addresses],
        letters=[wording[number] for number in editions],
        personal={
            "reference": references(deliveries, vault),
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
    found = Notice.objects.filter(id__in=numbers).select_related("subscriber") if numbers else ()
    return {f"notice:{notice.id}": urls.url(base_url, *_page_of(notice, vault)) for notice in found}


def _page_of(notice: Notice, vault: Vault) -> tuple[str, str]:
    """The name of a notice's own page, and the token that opens it."""
    if notice.kind == Notice.Kind.RESUMED:
        person = notice.subscriber
        return "unsubscribe", vault.token("unsubscribe", person.id, link_epoch_check(person.link_epoch))
    page = "preferences" if notice.kind == Notice.Kind.MANAGE else "confirm"
    return page, vault.token("notice", notice.id, bytes(notice.nonce))
