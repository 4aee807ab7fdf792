"""Plan the deliveries of editions in batches, and record which items each person is given: every item once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from newsletter.lib import db
from newsletter.models import Batch, BatchState, Lane

#: People per batch: doubt after a crash is at most one batch per worker, so it is small where doubt would be costly. Where
#: many are mailed it grows with them, up to what a provider takes at once: a thousandth of them at most is in doubt.
MOST, DOUBT = 1_000, 1_000
SIZES = {Lane.NOTICE: 50, Lane.ALERT: 100, Lane.DIGEST: 500}


@dataclass(frozen=True)
class PlannedProvider:
    """What planning must know of the provider: its number, and whether everybody of a batch must share one letter."""

    number: int
    one_letter: bool


@dataclass(frozen=True)
class Share:
    """One edition and the people it is owed to. `parked` is why its wording failed, None when it did not."""

    edition_id: int
    subscriber_ids: Sequence[int]
    parked: str | None = None


def plan(
    *,
    occasion_id: int,
    lane: Lane,
    shares: Sequence[Share],
    items_given: Sequence[tuple[int, int, Sequence[int]]],
    provider: PlannedProvider,
    now: datetime,
    audience: int = 0,
) -> tuple[int, ...]:
    """Write batches, deliveries and what they give, inside the caller's transaction; returns the batch ids.

    `items_given` holds (item id, item version, ids of the people who get it). Its primary key is "never twice", so nothing is
    ignored here. `audience` is about how many people the occasion goes to, of whom these may be a part.

    Raises:
        IntegrityError: somebody else gave one of the items, or planned one of the deliveries, first: roll back, compute again.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("plan() belongs into the transaction that decides what is owed")
    groups = list(_groups(shares, max(SIZES[lane], min(MOST, audience // DOUBT)), provider))
    batches = Batch.objects.bulk_create(
        Batch(
            provider=provider.number,
            lane=lane,
            occasion_id=0 if lane == Lane.NOTICE else occasion_id,
            state=BatchState.PLANNED if parked is None else BatchState.PARKED,
            reason=parked,
            not_before=now,
            size=sum(len(people) for _, people in runs),
        )
        for parked, runs in groups
    )
    db.insert_runs(
        "delivery",
        ("occasion_id", "subscriber_id", "edition_id", "batch_id"),
        (
            ((occasion_id,), people, (edition_id, batch.id))
            for batch, (_, runs) in zip(batches, groups, strict=True)
            for edition_id, people in runs
        ),
    )
    # in the order of the primary key: rows and index are appended
    db.insert_runs(
        "delivery_item",
        ("item_id", "subscriber_id", "version"),
        (((item_id,), sorted(people), (version,)) for item_id, version, people in sorted(items_given)),
    )
    db.analyze_if_grown("delivery", sum(batch.size for batch in batches))
    return tuple(batch.id for batch in batches)


#: People who get one edition, of a batch.
_Run = tuple[int, Sequence[int]]


def _groups(shares: Sequence[Share], size: int, provider: PlannedProvider) -> Iterator[tuple[str | None, list[_Run]]]:
    """(why parked, [(edition, people), …]) per batch: one edition each where the provider needs that, else filled up."""
    runs: list[_Run] = []
    room = size
    for share in sorted(shares, key=lambda share: share.parked or ""):
        alone = provider.one_letter or share.parked is not None
        if alone and runs:
            yield None, runs
            runs, room = [], size
        everybody, start = share.subscriber_ids, 0
        while start < len(everybody):
            people = everybody[start : start + room]
            runs.append((share.edition_id, people))
            start, room = start + len(people), room - len(people)
            if not room or (alone and start == len(everybody)):
                yield share.parked, runs
                runs, room = [], size
    if runs:
        yield None, runs
