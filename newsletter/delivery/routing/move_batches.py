"""Move planned batches from one provider to another; started ones stay where they are.

Planned means that no byte left, or that nothing was accepted for sure: no move sends again what may have been accepted.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Count, Sum

from newsletter.audit import actor as actors
from newsletter.audit.actor import Actor
from newsletter.audit.record import record
from newsletter.delivery.gates.provider_gate import thing_of
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.ledger.split_batch import copy_waived_attempts, new_batch_like
from newsletter.lib import db
from newsletter.lib.mail.provider_ids import name_of
from newsletter.models import Batch, BatchState, Delivery

#: Batches moved in one transaction; fewer where each may have to be regrouped, mail by mail.
_CHUNK, _CHUNK_ONE_LETTER = 500, 20

_MOVE = """
UPDATE batch SET provider=%(to)s, not_before=CASE WHEN attempts>0 AND not_before>%(now)s THEN %(now)s ELSE not_before END
WHERE state='planned' AND provider=%(source)s AND id IN (
  SELECT id FROM batch WHERE state='planned' AND provider=%(source)s AND id>%(after)s AND id<>%(but)s
  ORDER BY id LIMIT {limit} {lock}) RETURNING id
"""


def move_from_unconfigured(
    target: PlannedProvider, *, now: datetime | None = None, configured: Collection[int] = ()
) -> int:
    """Move every planned batch of a provider that is not `configured` any more to `target`; returns how many."""
    known = {target.number, *configured}
    planned = Batch.objects.filter(state=BatchState.PLANNED).exclude(provider__in=known).order_by()
    unconfigured = sorted(planned.values_list("provider", flat=True).distinct())
    rule = actors.from_rule("provider not configured")
    return sum(move_batches(number, target, now=now or db.now(), actor=rule) for number in unconfigured)


def move_batches(source: int, target: PlannedProvider, *, now: datetime, actor: Actor | None, but: int = 0) -> int:
    """Move the planned batches of `source` to `target`, all `but` one; returns how many.

    They are regrouped where the new provider needs one letter for a batch. A batch that waited because the old provider deferred
    it is due at once. Without an `actor` the caller writes to the audit log.
    """
    moved, after = 0, 0
    limit = _CHUNK_ONE_LETTER if target.one_letter else _CHUNK
    while True:
        with transaction.atomic():
            rows = db.rows(
                _MOVE.format(limit=limit, lock=db.skip_locked()),
                {"to": target.number, "source": source, "now": now, "after": after, "but": but},
            )
            ids = [number for (number,) in rows]
            if ids and actor is not None and not moved:
                record_move(source, target.number, now=now, actor=actor)
            if target.one_letter:
                _one_letter_each(ids)
        if not ids:
            return moved
        moved, after = moved + len(ids), max(ids)


def record_move(source: int, target: int, *, now: datetime, actor: Actor) -> None:
    """Write to the audit log that planned mail of `source` moves to `target`."""
    before, after = {"provider": name_of(source)}, {"provider": name_of(target)}
    record(actor, "provider.move", thing_of(source), now=now, before=before, after=after)


def planned_mails(source: int) -> int:
    """How many mails are planned with this provider."""
    planned = Batch.objects.filter(state=BatchState.PLANNED, provider=source)
    return int(planned.aggregate(mails=Sum("size"))["mails"] or 0)


def first_planned(source: int) -> int | None:
    """The batch of this provider that is due first."""
    planned = Batch.objects.filter(state=BatchState.PLANNED, provider=source)
    return planned.order_by("not_before", "id").values_list("id", flat=True).first()


def _one_letter_each(ids: Collection[int]) -> None:
    """Regroup those of `ids` that hold several editions."""
    editions_of: dict[int, dict[int, int]] = {}
    counts = Delivery.objects.filter(batch_id__in=ids).values_list("batch_id", "edition_id").annotate(Count("id"))
    for batch_id, edition_id, people in counts.order_by("batch_id", "edition_id"):
        editions_of.setdefault(batch_id, {})[edition_id] = people
    mixed = {batch_id: editions for batch_id, editions in editions_of.items() if len(editions) > 1}
    for batch in Batch.objects.filter(id__in=mixed):
        _regroup(batch, mixed[batch.id])


def _regroup(old: Batch, editions: dict[int, int]) -> None:
    """A new batch for each edition but the first, which keeps the old one."""
    (_, first), *others = editions.items()
    new = Batch.objects.bulk_create(new_batch_like(old, people) for _, people in others)
    for batch in new:
        copy_waived_attempts(old.id, batch.id)
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE delivery SET batch_id=%s WHERE batch_id=%s AND edition_id=%s",
            [(batch.id, old.id, edition_id) for batch, (edition_id, _) in zip(new, others, strict=True)],
        )
    Batch.objects.filter(id=old.id).update(size=first)
