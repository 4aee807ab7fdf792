"""Heartbeats of the processes that send: who is alive, who is late, and whose batches may be taken back.

A process is taken for dead when it was silent for `SILENT` and another one noticed that at least `NOTICED` ago. The second
condition is for a database that was away or frozen, or whose clock was set forward: then everybody seems silent at once, and
the living clear the notice with their next heartbeat. To take a living process for dead is safe, only dear: its token fits no
more, and the window under way is in doubt.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, QuerySet, Sum

from newsletter.lib import db
from newsletter.lib.progress import ShouldContinue, never_stop
from newsletter.lib.pruning import Rule, Table, days
from newsletter.models import Batch, BatchState, Worker

#: Seconds between two heartbeats of a process.
EVERY = 5.0
#: Two heartbeats are missing: worth a notice, and a line in `status`.
LATE = timedelta(seconds=10)
#: Silent for so long, a process is taken for dead.
SILENT = timedelta(seconds=20)
#: A living process clears a notice about it within this time.
NOTICED = timedelta(seconds=7)
#: Rows of dead processes are kept for so long.
KEPT = timedelta(days=1)

#: A condition of SQL on `batch`: who held it has ended, died, or held it for too long. Parameters: `ORPHANED_SINCE`.
ORPHANED = """(batch.lease_until<%(now)s OR (batch.worker_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM worker w WHERE w.id=batch.worker_id
  AND (w.seen_at>=%(silent)s OR w.missed_at IS NULL OR w.missed_at>%(noticed)s))))"""
#: The id of a process, where it has a heartbeat; else NULL, and only the lease of what it claims counts.
HOLDER = "(SELECT w.id FROM worker w WHERE w.id=%(worker)s AND w.seen_at>%(silent)s)"

_BEAT = """
INSERT INTO worker (id, host, pid, version, started_at, seen_at) VALUES (%(id)s, %(host)s, %(pid)s, %(version)s, {now}, {now})
ON CONFLICT (id) DO UPDATE SET seen_at={now}, missed_at=NULL"""


@dataclass(frozen=True)
class Process:
    """A process that sends, as it describes itself."""

    id: UUID
    host: str
    pid: int
    version: str


@dataclass(frozen=True)
class HeldUp:
    """Batches whose holder is late or dead. `host` and `seen_at` None: it has ended, or has no heartbeat."""

    batches: int
    mails: int
    #: When the oldest of them was due.
    due_at: datetime
    host: str | None
    pid: int | None
    seen_at: datetime | None
    #: When they are taken back, unless the holder shows that it lives.
    until: datetime
    #: Whether the holder is taken for dead, or about to be.
    dead: bool


def beat(process: Process) -> None:
    """Show that a process is alive, by the database's clock."""
    now = "clock_timestamp()" if db.is_postgres() else "%(now)s"
    about = {"id": process.id, "host": process.host, "pid": process.pid, "version": process.version}
    db.execute(_BEAT.format(now=now), about if db.is_postgres() else about | {"now": db.now()})


def retire(worker_id: UUID) -> None:
    """Delete the row of a process that ended: what it still holds is recovered at once."""
    Worker.objects.filter(id=worker_id).delete()


def mark_late(*, now: datetime) -> None:
    """Note which processes miss heartbeats; each of them clears that with its next one."""
    late = Worker.objects.filter(seen_at__lt=now - LATE, missed_at=None)
    if late.exists():  # mostly nobody is: SQLite need not be asked to write for that
        late.update(missed_at=now)


def orphan_times(now: datetime) -> dict[str, datetime]:
    """The parameters of `ORPHANED`; `silent` is also that of `HOLDER`."""
    return {"now": now, "silent": now - SILENT, "noticed": now - NOTICED}


def held_up(*, now: datetime) -> list[HeldUp]:
    """The batches that stand still because their holder is late or dead, by holder."""
    holders: dict[UUID | None, list[Batch]] = {}
    for batch in Batch.objects.filter(state__in=(BatchState.CLAIMED, BatchState.SENDING)).select_related("worker"):
        if _stands_still(batch, now):
            holders.setdefault(batch.worker_id, []).append(batch)
    stuck = [_of_holder(batches, now) for batches in holders.values()]
    return sorted(stuck, key=lambda holder: holder.due_at)


def held_by_worker() -> dict[UUID | None, tuple[int, int]]:
    """Worker → how many batches it holds, and how many mails. None: a process without a heartbeat."""
    held = Batch.objects.filter(state__in=(BatchState.CLAIMED, BatchState.SENDING)).order_by()
    rows = held.values_list("worker_id").annotate(Count("id"), Sum("size"))
    return {worker_id: (batches, int(mails or 0)) for worker_id, batches, mails in rows}


def list_workers() -> list[Worker]:
    """The processes that send, those that were seen last first; dead ones for a day."""
    return list(Worker.objects.order_by("-seen_at"))


def _silent(now: datetime) -> QuerySet[Worker]:
    return Worker.objects.filter(seen_at__lt=now - KEPT)


def prune(now: datetime, _should_continue: ShouldContinue = never_stop) -> dict[str, int]:
    """Delete the rows of processes that were silent for longer than `KEPT`; returns how many, by table."""
    return {"worker": _silent(now).delete()[0]}


RULES = (
    Rule(
        "sending processes",
        "host, process id and version, unencrypted; nothing about people",
        f"{days(KEPT)} after the last heartbeat",
        "to know which mails a lost machine held",
        (Table(Worker, _silent),),
        prune,
    ),
)


def _holder(batch: Batch) -> Worker | None:
    """Whose row may be gone already: the key is not checked by the database."""
    try:
        return batch.worker
    except Worker.DoesNotExist:
        return None


def _stands_still(batch: Batch, now: datetime) -> bool:
    if batch.lease_until is None or batch.lease_until < now:
        return True
    holder = _holder(batch)
    return batch.worker_id is not None and (holder is None or holder.seen_at < now - LATE)


def _of_holder(batches: list[Batch], now: datetime) -> HeldUp:
    holder = _holder(batches[0])
    return HeldUp(
        batches=len(batches),
        mails=sum(batch.size for batch in batches),
        due_at=min(batch.not_before for batch in batches),
        host=holder.host if holder else None,
        pid=holder.pid if holder else None,
        seen_at=holder.seen_at if holder else None,
        until=max(_until(batch, holder, now) for batch in batches),
        dead=holder is None or holder.seen_at < now - SILENT,
    )


def _until(batch: Batch, holder: Worker | None, now: datetime) -> datetime:
    lease = batch.lease_until or now
    if holder is None:
        return lease if batch.worker_id is None else min(lease, now)
    return min(lease, max(holder.seen_at + SILENT, (holder.missed_at or now) + NOTICED))
