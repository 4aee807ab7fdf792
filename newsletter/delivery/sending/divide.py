"""A claimed batch in; the part that may go now is claimed by itself, the rest planned for when it may. Nothing has left yet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction

from newsletter.delivery.ledger.split_batch import part
from newsletter.delivery.sending.barrier import CLAIM_LEASE, Claim
from newsletter.models import Batch, BatchState

#: Why a planned batch is not due yet, in words.
WAITS = "waits for its pace"


def divide(held: Claim, go: Collection[int], later: Mapping[float, Sequence[int]], *, now: datetime) -> Claim | None:
    """Keep `go` (delivery ids) under a claim, and plan the others again: `later` maps seconds to wait to delivery ids.

    Those who wait 0 seconds are due as before. None: the batch is not ours any more, or nobody of it goes.
    Runs in the caller's transaction. No hand-over was begun, so there is nothing to disprove.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a batch is divided in one transaction")
    mine = Batch.objects.filter(id=held.batch_id, token=held.token, state=BatchState.CLAIMED)
    if not mine.update(token=held.token):
        return None
    batch = Batch.objects.get(id=held.batch_id)
    waits = sorted(later)
    if not waits:
        return held
    for wait in waits[1:]:
        part(batch, later[wait], **_waiting(wait, now))
    claim = None
    if go:
        token = uuid4()
        lease, worker = now + CLAIM_LEASE, batch.worker_id
        going = part(batch, go, state=BatchState.CLAIMED, token=token, lease_until=lease, worker_id=worker)
        claim = replace(held, batch_id=going, token=token)
    mine.update(
        state=BatchState.PLANNED,
        token=None,
        lease_until=None,
        **(_waiting(waits[0], now) if waits[0] else {}),
    )
    return claim


def _waiting(wait: float, now: datetime) -> dict[str, Any]:
    return {
        "not_before": now + timedelta(seconds=wait),
        "reason": WAITS,
        "paced": True,
    }
