"""Store events of what we did with mails ourselves, beside those that providers report."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from newsletter.models import Event, OwnEvent, ResendRule


def store_own_events(
    kind: OwnEvent,
    delivery_ids: Iterable[int],
    *,
    batch_id: int,
    detail: str,
    now: datetime,
    rule: ResendRule | None = None,
    once: bool = False,
) -> None:
    """Store an event for each delivery. `batch_id` is the batch that it was in.

    `once`: the same thing happens to a delivery in a batch only once, so a second event violates the unique fingerprint.
    """
    Event.objects.bulk_create(
        Event(
            fingerprint=hashlib.sha256(f"{kind.value} {delivery_id} {batch_id if once else uuid4()}".encode()).digest(),
            delivery_id=delivery_id,
            batch_id=batch_id,
            kind=kind,
            at=now,
            received_at=now,
            detail=detail,
            rule=rule,
        )
        for delivery_id in delivery_ids
    )
