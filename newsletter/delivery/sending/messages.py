"""Make the messages of a window of recipients: the letter of each, with their own links, reference and ids."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from newsletter.delivery.sending.recipients import Recipient
from newsletter.lib import db, urls
from newsletter.lib.crypto import NO_CHECK, Vault, link_epoch_check
from newsletter.lib.mail.placeholders import resolve_second_copy
from newsletter.lib.mail.provider_interface import Letter, Parcels
from newsletter.lib.mail.references import references
from newsletter.models import EditionBody, Notice

#: Letters that a process keeps decrypted: an alert's batches come with the same few again and again.
KEPT: Final = 512


class _LetterKey(NamedTuple):
    """What a letter depends on. An edition's `key` is a hash of its wording: with the same key, it is the same letter."""

    edition_id: int
    key: bytes
    kind: str
    second_copy: bool


class LetterCache:
    """The letters that a process decrypted last, `size` at most."""

    def __init__(self, size: int = KEPT) -> None:
        self._size = size
        self._letters: dict[_LetterKey, Letter] = {}

    def get(self, key: _LetterKey) -> Letter | None:
        """The letter, if it is kept."""
        return self._letters.get(key)

    def add(self, key: _LetterKey, letter: Letter) -> None:
        """Keep a letter, and drop the oldest when there is no room."""
        if len(self._letters) >= self._size:
            self._letters.pop(next(iter(self._letters)), None)
        self._letters[key] = letter


class Letters:
    """The letters of one batch; with `second_copy` they say that the mail may have arrived before."""

    def __init__(self, vault: Vault, cache: LetterCache | None = None, *, second_copy: bool = False) -> None:
        self._vault = vault
        self._cache = cache or LetterCache()
        self._second_copy = second_copy
        self._letters: dict[int, Letter] = {}

    def all(self, edition_ids: Iterable[int]) -> Mapping[int, Letter]:
        """The letter of each edition, loaded together: of digests nearly every mail has one of its own.

        Raises:
            EditionBody.DoesNotExist: a body was pruned.
            KeysDoNotFit: a body does not open.
        """
        missing = [edition_id for edition_id in dict.fromkeys(edition_ids) if edition_id not in self._letters]
        if missing:
            sql = f"SELECT id, key, kind FROM edition WHERE {db.in_list('id', 'ids')} ORDER BY id"
            rows = db.rows(sql, {"ids": missing}, prepared=True)
            self._letters |= self._load(
                [_LetterKey(edition_id, bytes(key), kind, self._second_copy) for edition_id, key, kind in rows]
            )
        return self._letters

    def _load(self, keys: Sequence[_LetterKey]) -> dict[int, Letter]:
        letters = {key.edition_id: letter for key in keys if (letter := self._cache.get(key)) is not None}
        new = [key for key in keys if key.edition_id not in letters]
        bodies = EditionBody.objects.in_bulk([key.edition_id for key in new]) if new else {}
        for key in new:
            if (body := bodies.get(key.edition_id)) is None:
                raise EditionBody.DoesNotExist(f"edition {key.edition_id}")
            letters[key.edition_id] = self._decrypt(key, body)
            self._cache.add(key, letters[key.edition_id])
        return letters

    def _decrypt(self, key: _LetterKey, body: EditionBody) -> Letter:
        text = self._vault.decrypt(body.key_id, body.cipher, handle=key.key, column="body")
        parts = json.loads(text)
        return Letter(
            key.edition_id,
            key.kind,
            **{name: resolve_second_copy(part, second=key.second_copy) for name, part in parts.items()},
        )


def make_parcels(
    recipients: Sequence[Recipient], *, letters: Letters, vault: Vault, base_url: str, domain: str
) -> Parcels:
    """A parcel for each recipient. `domain` is the right side of the Message-IDs."""
    if not recipients:
        return Parcels.of(())
    deliveries, people, editions, occasions, epochs, addresses = zip(*recipients, strict=True)
    checks = {epoch: link_epoch_check(epoch) for epoch in set(epochs)}
    unsubscribe_tokens, ask_tokens = vault.tokens(
        [(person, checks[epoch]) for person, epoch in zip(people, epochs, strict=True)], "unsubscribe", "ask"
    )
    message_tokens, opaque = vault.tokens([(number, NO_CHECK) for number in deliveries], "message", "delivery")
    unsubscribe, ask, one_click = (urls.url(base_url, name, "") for name in ("unsubscribe", "ask", "one_click"))
    letter_of = letters.all(editions)
    notice_links = _notice_links(set(occasions), vault, base_url)
    return Parcels(
        delivery_ids=deliveries,
        addresses=[address.value for address in addresses],
        letters=[letter_of[edition_id] for edition_id in editions],
        personal={
            "reference": references(deliveries, vault),
            "unsubscribe": [unsubscribe + token for token in unsubscribe_tokens],
            "ask": [ask + token for token in ask_tokens],
            "link": [notice_links.get(key, "") for key in occasions],
        },
        message_ids=[f"{token}@{domain}" for token in message_tokens],
        opaque=opaque,
        unsubscribe=[
            None if key in notice_links else one_click + token
            for key, token in zip(occasions, unsubscribe_tokens, strict=True)
        ],
    )


def _notice_links(occasions: Iterable[str], vault: Vault, base_url: str) -> dict[str, str]:
    """The link to the page of each notice among `occasions`, by occasion key."""
    numbers = {int(key[7:]) for key in occasions if key.startswith("notice:")}
    notices = Notice.objects.filter(id__in=numbers).select_related("subscriber") if numbers else ()
    return {f"notice:{notice.id}": urls.url(base_url, *_page_of(notice, vault)) for notice in notices}


def _page_of(notice: Notice, vault: Vault) -> tuple[str, str]:
    """The name of a notice's page, and the token in its link."""
    if notice.kind in (Notice.Kind.RESUMED, Notice.Kind.MOVED):
        person = notice.subscriber
        page = "unsubscribe" if notice.kind == Notice.Kind.RESUMED else "ask"
        return page, vault.token(page, person.id, link_epoch_check(person.link_epoch))
    page = "preferences" if notice.kind == Notice.Kind.MANAGE else "confirm"
    return page, vault.token("notice", notice.id, bytes(notice.nonce))
