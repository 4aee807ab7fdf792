"""What each mailing came to: planned is the sum of what was accepted, failed, cancelled, is unknown, parked or under way."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter import db
from newsletter.models import Occasion

#: States in which something is still to come without anybody's word.
UNDER_WAY = ("planned", "claimed", "sending")
_UNDER_WAY = "', '".join(UNDER_WAY)

# Composed to the end, and no batch waits or is under way. Batches that wait for their pace bear the occasion's number negated.
_COMPLETE = f"""
NOT EXISTS (SELECT 1 FROM gathering g WHERE g.occasion_id=occasion.id AND g.composed_at IS NULL)
AND NOT EXISTS (SELECT 1 FROM batch b WHERE b.state IN ('{_UNDER_WAY}') AND b.occasion_id IN (occasion.id, -occasion.id))"""


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
    kept = "EXISTS (SELECT 1 FROM delivery d WHERE d.occasion_id=occasion.id)"
    found = db.rows(
        f"SELECT id, key FROM occasion WHERE kind<>'notice' AND {kept} ORDER BY id DESC LIMIT %(limit)s",
        {"limit": limit},
    )
    of = Occasion.objects.in_bulk([number for number, _ in found])
    sums = _sums(of)
    return [Mailing(key, of[number].created_at, of[number].closed_at, sums[number]) for number, key in found]


def _sums(occasion_ids: Iterable[int]) -> Mapping[int, dict[str, int]]:
    numbers = ",".join(map(str, occasion_ids)) or "NULL"
    sums: dict[int, dict[str, int]] = defaultdict(dict)
    for occasion_id, state, count in db.rows(
        "SELECT d.occasion_id, coalesce(d.state,b.state), count(*) FROM delivery d JOIN batch b ON b.id=d.batch_id "
        f"WHERE d.occasion_id IN ({numbers}) GROUP BY 1, 2 ORDER BY 2"
    ):
        sums[occasion_id][state] = count
    return sums
