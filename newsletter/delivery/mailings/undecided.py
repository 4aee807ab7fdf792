"""Batches that wait for a decision: in doubt, or parked for another reason than a hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max

from newsletter.delivery.ledger.needs_decision import UNDECIDED_BATCH
from newsletter.delivery.mailings.sums import MailingSums, sums_of
from newsletter.lib import db
from newsletter.lib.crypto import Vault
from newsletter.lib.mail.references import references
from newsletter.models import Attempt, Batch, BatchState, Occasion

_ROWS = """
SELECT d.batch_id, min(d.id), count(*), min(d.occasion_id), min(d.reason), count(*)-count(eb.edition_id)
FROM ({waiting}) d LEFT JOIN edition_body eb ON eb.edition_id=d.edition_id
GROUP BY d.batch_id ORDER BY d.batch_id DESC LIMIT %(limit)s"""
_UNDECIDED = f"""
SELECT id, batch_id, occasion_id, edition_id, reason FROM delivery WHERE state='unknown'
UNION ALL
SELECT x.id, x.batch_id, x.occasion_id, x.edition_id, x.reason FROM batch JOIN delivery x ON x.batch_id=batch.id
WHERE {UNDECIDED_BATCH} AND x.state IS NULL"""


@dataclass(frozen=True)
class UndecidedBatch:
    """Mails that share their outcome and wait for a decision."""

    batch_id: int
    #: Of one of them: what retry and resolve are given, for the whole batch.
    reference: str
    mails: int
    occasion_id: int
    #: Empty for a notice.
    occasion: str
    #: When the mailing was begun.
    created_at: datetime
    one_topic: bool
    #: How many mails its mailing has in all.
    of_mails: int
    #: True: it is unknown whether they were taken; False: they are parked, and nothing has left.
    in_doubt: bool
    reason: str
    #: When they were last tried, or planned.
    since: datetime
    #: The words of this many of them are no longer stored: they cannot be sent.
    wordless: int


def undecided_batches(vault: Vault, *, limit: int = 50) -> tuple[UndecidedBatch, ...]:
    """The newest batches that wait for a decision."""
    rows = db.rows(_ROWS.format(waiting=_UNDECIDED), {"limit": limit})
    codes = references([row[1] for row in rows], vault)
    ids = [row[0] for row in rows]
    tried = Attempt.objects.filter(batch__in=ids).values_list("batch_id").annotate(Max("began_at"))
    context = _Context(
        Batch.objects.in_bulk(ids),
        dict(tried.order_by("batch_id")),
        Occasion.objects.in_bulk({row[3] for row in rows}),
        sums_of(sorted({row[3] for row in rows if row[3]})),
    )
    return tuple(_undecided(code, row, context) for code, row in zip(codes, rows, strict=True))


@dataclass(frozen=True)
class _Context:
    batches: Mapping[int, Batch]
    tried: Mapping[int, datetime]
    occasions: Mapping[int, Occasion]
    sums: Mapping[int, MailingSums]


def _undecided(code: str, row: tuple[Any, ...], context: _Context) -> UndecidedBatch:
    batch_id, _, mails, occasion_id, reason, wordless = row
    batch, occasion = context.batches[batch_id], context.occasions.get(occasion_id)
    of_mailing = occasion if occasion is not None and occasion.kind != Occasion.Kind.NOTICE else None
    return UndecidedBatch(
        batch_id=batch_id,
        reference=code,
        mails=mails,
        occasion_id=occasion_id,
        occasion=of_mailing.key if of_mailing else "",
        created_at=of_mailing.created_at if of_mailing else batch.not_before,
        one_topic=of_mailing is not None and of_mailing.only_topic_id != 0,
        of_mails=context.sums[occasion_id].planned if of_mailing else mails,
        in_doubt=batch.state != BatchState.PARKED,
        reason=reason or batch.reason or "",
        since=context.tried.get(batch_id, batch.not_before),
        wordless=wordless,
    )
