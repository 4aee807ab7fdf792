"""What each mailing came to: planned is the sum of what was accepted, failed, cancelled, is unknown, parked or under way."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from newsletter.lib import db
from newsletter.models import BatchState, Delivery, Occasion

#: States in which something is still to come without anybody's word.
UNDER_WAY = (BatchState.PLANNED, BatchState.CLAIMED, BatchState.SENDING)
_UNDER_WAY = "', '".join(UNDER_WAY)

# Composed to the end, and no batch waits or is under way.
_COMPLETE = f"""
NOT EXISTS (SELECT 1 FROM gathering g WHERE g.occasion_id=occasion.id AND g.composed_at IS NULL)
AND NOT EXISTS (SELECT 1 FROM batch b WHERE b.state IN ('{_UNDER_WAY}') AND b.occasion_id=occasion.id)"""


@dataclass(frozen=True)
class Mailing:
    """An alert or a digest as a whole. `closed_at` is when it was first found complete; a retry may open it again."""

    key: str
    created_at: datetime
    closed_at: datetime | None
    by_state: Mapping[str, int]

    @property
    def planned(self) -> int:
        """All deliveries that were planned for it."""
        return sum(self.by_state.values())

    @property
    def under_way(self) -> int:
        """Those that are to come."""
        return sum(self.by_state.get(state, 0) for state in UNDER_WAY)


def close_complete(*, now: datetime) -> int:
    """Write down which alerts and digests are complete since the last look; returns how many."""
    return db.execute(
        f"UPDATE occasion SET closed_at=%(now)s WHERE closed_at IS NULL AND kind<>'notice' AND {_COMPLETE}",
        {"now": now},
    )


def mailings(limit: int) -> list[Mailing]:
    """The newest alerts and digests that were planned for anybody, with the deliveries of each by state."""
    kept = Exists(Delivery.objects.filter(occasion=OuterRef("id")))
    found = Occasion.objects.exclude(kind=Occasion.Kind.NOTICE).filter(kept).order_by("-id")[:limit]
    sums = _sums([one.id for one in found])
    return [Mailing(one.key, one.created_at, one.closed_at, sums[one.id]) for one in found]


def _sums(occasion_ids: list[int]) -> Mapping[int, dict[str, int]]:
    sums: dict[int, dict[str, int]] = defaultdict(dict)
    for occasion_id, state, count in db.rows(
        "SELECT d.occasion_id, coalesce(d.state,b.state), count(*) FROM delivery d JOIN batch b ON b.id=d.batch_id "
        f"WHERE {db.in_list('d.occasion_id', 'ids')} GROUP BY 1, 2 ORDER BY 2",
        {"ids": occasion_ids},
    ):
        sums[occasion_id][state] = count
    return sums
