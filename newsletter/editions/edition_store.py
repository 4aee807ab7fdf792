"""Store editions and their encrypted bodies, each only once."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from newsletter.editions.content import Content
from newsletter.lib.crypto import Vault
from newsletter.models import Edition, EditionBody

#: An edition whose body is younger is not rendered again: its key is a hash of all that it contains.
BODY_REUSED: Final = timedelta(days=1)


@dataclass(frozen=True)
class EditionDraft:
    """One edition before it is stored. It has a body, a failure, or neither if a fresh body is stored already."""

    key: bytes
    look_id: int
    #: A notice has its kind in place of items, a message its number and topic.
    content: Content | str | Mapping[str, int | None]
    #: As `body_json` writes it.
    body: str | None = field(repr=False)
    #: Why it could not be rendered.
    failure: str | None = None
    #: Number of items that did not fit, and stay owed.
    left: int = 0


def edition_key(kind: str, when: str, look_id: int, revision: str, content: object) -> bytes:
    """SHA-256 of all that makes up an edition: the same for everybody who gets the same mail. `when` is the date it shows."""
    return hashlib.sha256(json.dumps([kind, when, look_id, revision, content]).encode()).digest()


def body_json(subject: str, text: str, html: str) -> str:
    """The body of an edition as it is encrypted."""
    return json.dumps({"subject": subject, "text": text, "html": html}, ensure_ascii=False)


def with_fresh_body(keys: Iterable[bytes], now: datetime) -> set[bytes]:
    """Keys of the editions whose stored body lasts long enough to be mailed."""
    fresh = EditionBody.objects.filter(edition__key__in=list(keys), made_at__gt=now - BODY_REUSED)
    return {bytes(key) for key in fresh.values_list("edition__key", flat=True)}


def store_editions(drafts: Sequence[EditionDraft], kind: str, vault: Vault, now: datetime) -> Mapping[bytes, int]:
    """Store the editions and bodies that are missing; returns key → edition id."""
    by_key = {draft.key: draft for draft in drafts}
    stored = Edition.objects.filter(key__in=list(by_key)).values_list("key", "id")
    known = {bytes(key): edition_id for key, edition_id in stored}
    created = Edition.objects.bulk_create(
        Edition(
            key=key,
            kind=kind,
            look_id=draft.look_id,
            content=draft.content,
            parked_reason=draft.failure,
            created_at=now,
        )
        for key, draft in by_key.items()
        if key not in known
    )
    ids = known | {bytes(edition.key): edition.id for edition in created}
    fresh = EditionBody.objects.filter(edition_id__in=ids.values(), made_at__gt=now - BODY_REUSED)
    with_body = set(fresh.values_list("edition_id", flat=True))
    EditionBody.objects.bulk_create(
        (
            _encrypted_body(ids[key], key, draft.body, vault, now)
            for key, draft in sorted(by_key.items())  # every composer writes in the same order: no deadlocks
            if draft.body is not None and ids[key] not in with_body
        ),
        update_conflicts=True,  # an older body is about to be deleted: this one has to last for these mails too
        unique_fields=["edition"],
        update_fields=["key_id", "cipher", "made_at"],
    )
    return ids


def _encrypted_body(edition_id: int, key: bytes, body: str, vault: Vault, now: datetime) -> EditionBody:
    key_id, cipher = vault.encrypt(body, handle=key, column="body")
    return EditionBody(edition_id=edition_id, key_id=key_id, cipher=cipher, made_at=now)
