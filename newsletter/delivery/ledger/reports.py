"""Report what became of mail: deliveries by state, and the figures of each alert or digest."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from newsletter.lib import db
from newsletter.lib.crypto import Vault
from newsletter.lib.mail.references import references
from newsletter.models import Batch, BatchState, Delivery, Occasion


@dataclass(frozen=True)
class LedgerSummary:
    """Deliveries by state, and what waits."""

    by_state: dict[str, int]
    oldest_planned_at: datetime | None
    parked_batches: int


@dataclass(frozen=True)
class DeliveryRow:
    """One line of `deliveries list`: no address, no topic."""

    reference: str
    occasion: str
    state: str
    reason: str | None
    batch_id: int


def ledger_summary() -> LedgerSummary:
    """The figures of all deliveries that are kept."""
    by_state = db.rows(
        "SELECT coalesce(d.state,b.state), count(*) FROM delivery d JOIN batch b ON b.id=d.batch_id GROUP BY 1"
    )
    waiting = Batch.objects.filter(state=BatchState.PLANNED).order_by("not_before").first()
    return LedgerSummary(
        by_state=dict(sorted(by_state)),
        oldest_planned_at=waiting.not_before if waiting else None,
        parked_batches=Batch.objects.filter(state=BatchState.PARKED).count(),
    )


def accepted_since(since: datetime) -> int:
    """How many mails providers accepted after `since`."""
    ((accepted,),) = db.rows(
        "SELECT count(DISTINCT d.id) FROM attempt a JOIN batch b ON b.id=a.batch_id JOIN delivery d ON d.batch_id=b.id "
        "WHERE a.ended_at>%(since)s AND coalesce(d.state,b.state)='accepted'",
        {"since": since},
    )
    return int(accepted)


def listing(vault: Vault, state: str | None = None, limit: int = 50) -> list[DeliveryRow]:
    """The newest deliveries, of one state or of all."""
    rows = db.rows(
        "SELECT d.id, o.key, coalesce(d.state,b.state), coalesce(d.reason,b.reason), b.id FROM delivery d "
        "JOIN batch b ON b.id=d.batch_id JOIN occasion o ON o.id=d.occasion_id "
        "WHERE %(state)s='' OR coalesce(d.state,b.state)=%(state)s ORDER BY d.id DESC LIMIT %(limit)s",
        {"state": state or "", "limit": limit},
    )
    shown = references([row[0] for row in rows], vault)
    return [DeliveryRow(code, *row[1:]) for code, row in zip(shown, rows, strict=True)]


#: States from which mail goes on without anybody's decision.
UNDER_WAY = (BatchState.PLANNED, BatchState.CLAIMED, BatchState.SENDING)
_UNDER_WAY = "', '".join(UNDER_WAY)
# Not on hold, composed to the end, and no batch waits or is under way.
_COMPLETE = f"""
occasion.held_at IS NULL AND
NOT EXISTS (SELECT 1 FROM gathering g WHERE g.occasion_id=occasion.id AND g.composed_at IS NULL)
AND NOT EXISTS (SELECT 1 FROM message m WHERE m.occasion_id=occasion.id AND m.state='planning')
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
    """Record which alerts and digests have become complete; returns how many."""
    return db.execute(
        f"UPDATE occasion SET closed_at=%(now)s WHERE closed_at IS NULL AND kind<>'notice' AND {_COMPLETE}",
        {"now": now},
    )


def mailings(limit: int) -> list[Mailing]:
    """The newest alerts and digests that were planned for anybody, with the deliveries of each by state."""
    kept = Exists(Delivery.objects.filter(occasion=OuterRef("id")))
    occasions = Occasion.objects.exclude(kind=Occasion.Kind.NOTICE).filter(kept).order_by("-id")[:limit]
    sums = _sums([occasion.id for occasion in occasions])
    return [Mailing(occasion.key, occasion.created_at, occasion.closed_at, sums[occasion.id]) for occasion in occasions]


def _sums(occasion_ids: list[int]) -> Mapping[int, dict[str, int]]:
    sums: dict[int, dict[str, int]] = defaultdict(dict)
    for occasion_id, state, count in db.rows(
        "SELECT d.occasion_id, coalesce(d.state,b.state), count(*) FROM delivery d JOIN batch b ON b.id=d.batch_id "
        f"WHERE {db.in_list('d.occasion_id', 'ids')} GROUP BY 1, 2 ORDER BY 2",
        {"ids": occasion_ids},
    ):
        sums[occasion_id][state] = count
    return sums
