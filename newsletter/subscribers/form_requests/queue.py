"""The queue of requests from public forms.

A form stores one sealed row, the same whatever the address, and a worker decides what follows. So neither the page, nor its
status, nor the time it takes reveals whether an address is subscribed.
"""

import os
import time
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from newsletter.lib import db
from newsletter.lib.crypto import Vault
from newsletter.models import SignUpRequest
from newsletter.subscribers.form_requests.values import FormRequest, to_json
from newsletter.subscribers.limits import network_limit

Kind = SignUpRequest.Kind

#: Requests of one kind that may be ready at once: more than the site-wide budget of a day. Beyond that, the newest of the
#: busiest networks are deleted.
MOST_READY: Final = 50_000
#: Requests of all kinds, also while no worker runs: about 150 MB.
MOST_STORED: Final = 4 * MOST_READY
#: Seconds for which a process relies on its last count of the table.
_RECOUNT_AFTER: Final = 5.0
#: Longer than any limit makes a request wait.
KEPT: Final = timedelta(days=8)


def put(request: FormRequest, *, client: network_limit.Client | None, now: datetime, vault: Vault) -> None:
    """Store a request for a worker, with the same statements for every address. Over a limit nothing is stored, silently."""
    handle = os.urandom(16)
    key_id, cipher = vault.encrypt(to_json(request), handle=handle, column="request")
    with transaction.atomic():
        turn = network_limit.count(client, request.kind, now=now, vault=vault)
        if turn is None or not _room.left():
            return
        SignUpRequest.objects.create(
            kind=request.kind, handle=handle, key_id=key_id, cipher=cipher, turn=turn, created_at=now
        )


def ready(kind: Kind) -> QuerySet[SignUpRequest]:
    """The requests of a kind that wait for nothing."""
    return SignUpRequest.objects.filter(kind=kind, waits_until=None)


def lock_next(kind: Kind) -> SignUpRequest | None:
    """Lock the next ready request that no other worker holds; None when there is none."""
    in_order = ready(kind).order_by("turn", "id")
    return in_order.select_for_update(skip_locked=db.is_postgres()).first()


def wake(now: datetime) -> int:
    """Make requests ready whose wait is over; returns rows."""
    return SignUpRequest.objects.filter(waits_until__lte=now).update(waits_until=None)


def trim() -> int:
    """Delete the excess of a flood: of each kind the newest requests of the busiest networks; returns rows."""
    deleted = 0
    for kind in Kind:
        excess = ready(kind).order_by("turn", "id").values_list("turn", "id")[MOST_READY : MOST_READY + 1].first()
        if excess is not None:
            turn, first = excess
            deleted += ready(kind).filter(Q(turn__gt=turn) | Q(turn=turn, id__gte=first)).delete()[0]
    return deleted


def waiting() -> dict[str, int]:
    """Count the stored requests of each kind."""
    return {kind.value: SignUpRequest.objects.filter(kind=kind).count() for kind in Kind}


def prune(now: datetime) -> int:
    """Delete requests that are older than any wait; returns rows."""
    return expired(now).delete()[0]


def expired(now: datetime) -> QuerySet[SignUpRequest]:
    """The rows that are kept no longer."""
    return SignUpRequest.objects.filter(created_at__lt=now - KEPT)


class _Room:
    """Whether the table may grow, counted every few seconds: a flood must not fill the disk while no worker runs."""

    def __init__(self) -> None:
        self._counted_at = float("-inf")
        self._left = True

    def left(self) -> bool:
        if time.monotonic() - self._counted_at > _RECOUNT_AFTER:
            self._left = SignUpRequest.objects.count() < MOST_STORED
            self._counted_at = time.monotonic()
        return self._left


_room = _Room()
