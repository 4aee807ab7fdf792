"""Let the planned mails of an occasion leave now, which were to wait for their time."""

from datetime import datetime

from newsletter.models import Batch, BatchState


def begin_at_once(occasion_id: int, *, now: datetime) -> int:
    """Make batches due that nobody tried yet; returns how many. Those that keep a pace go on doing so."""
    waiting = Batch.objects.filter(occasion_id=occasion_id, state=BatchState.PLANNED, attempts=0, paced=False)
    return waiting.filter(not_before__gt=now).update(not_before=now)
