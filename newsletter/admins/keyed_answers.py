"""Carry out a request of the API once, however often it is sent with the same `Idempotency-Key`."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from newsletter.lib.refused import Refused
from newsletter.models import ApiToken, KeyedAnswer

#: How long an answer is kept.
KEPT: Final = timedelta(hours=24)
_OTHER: Final = Refused("this Idempotency-Key was used for another request: take a new one")
_BUSY: Final = Refused(
    "a request with this Idempotency-Key is carried out at this moment, or was interrupted: look whether it was done"
)


@dataclass(frozen=True)
class FirstRequest:
    """Nobody sent this key before: carry the request out, then `keep` its answer or `forget` the key."""

    id: int


@dataclass(frozen=True)
class RepeatedRequest:
    """It was carried out: this was the answer."""

    status: int
    body: str


def begin(token: ApiToken, key: str, request: bytes, *, now: datetime) -> FirstRequest | RepeatedRequest | Refused:
    """Take a key for a request. `request` stands for its method, path and body: a keyed hash, for they may hold an address."""
    key_hash, request_hash = hashlib.sha256(key.encode()).digest(), hashlib.sha256(request).digest()
    KeyedAnswer.objects.filter(token=token, key_hash=key_hash, at__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            made = KeyedAnswer.objects.create(token=token, key_hash=key_hash, request_hash=request_hash, at=now)
        return FirstRequest(made.id)
    except IntegrityError:
        known = KeyedAnswer.objects.filter(token=token, key_hash=key_hash).first()
    if known is None:
        return _BUSY
    if bytes(known.request_hash) != request_hash:
        return _OTHER
    return RepeatedRequest(known.status, known.body) if known.status else _BUSY


def keep(first: FirstRequest, status: int, body: str) -> None:
    """Remember the answer of a request that was carried out."""
    KeyedAnswer.objects.filter(id=first.id).update(status=status, body=body)


def forget(first: FirstRequest) -> None:
    """Let the key be used again: nothing was done."""
    KeyedAnswer.objects.filter(id=first.id).delete()
