"""Keep back mail of a mailing or an edition that somebody holds, when a worker claims it.

A hold parks what is planned at that moment (`mailings/hold.py`). What is planned later, or comes back from a worker, is
parked here.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from newsletter.delivery.ledger.split_batch import split_off
from newsletter.models import Batch, BatchState, Delivery, Occasion

#: In words, for operators.
ON_HOLD: Final = "on hold"
#: An SQL condition on `batch`: some of it may be held. Without holds, which is nearly always, it costs two looks at an index.
MAY_BE_HELD: Final = (
    "(EXISTS (SELECT 1 FROM occasion o WHERE o.id=batch.occasion_id AND o.held_at IS NOT NULL) "
    "OR EXISTS (SELECT 1 FROM edition e WHERE e.held_at IS NOT NULL))"
)


def keep_back(batch_id: int, token: UUID, *, now: datetime) -> bool:
    """Park what is held of a batch that is claimed under `token`; returns whether anything is left to send."""
    with transaction.atomic():
        claimed = Batch.objects.select_for_update().filter(id=batch_id, token=token, state=BatchState.CLAIMED)
        batch = claimed.first()
        if batch is None:
            return False
        waiting = Delivery.objects.filter(batch_id=batch.id, state=None)
        held = waiting.filter(edition__held_at__isnull=False)
        if Occasion.objects.filter(id=batch.occasion_id, held_at__isnull=False).exists():
            held = waiting
        held_ids = list(held.values_list("id", flat=True))
        if held_ids and len(held_ids) < waiting.count():
            split_off(batch, held_ids, state=BatchState.PARKED, held_at=now, reason=ON_HOLD)
            return True
        if held_ids:
            claimed.update(state=BatchState.PARKED, held_at=now, reason=ON_HOLD, token=None, lease_until=None)
        return not held_ids
