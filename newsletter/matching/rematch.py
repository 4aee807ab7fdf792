"""Match stored items against a new revision: matches that it adds are never owed, and those that it lost are withdrawn.

The revision's row records the progress: by item id in short transactions, then once more the items that a worker with an older
index may have matched meanwhile. So it can be interrupted, repeated and done by several workers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from newsletter.matching.engine.document import Hit
from newsletter.matching.live_index.stored_items import current_versions, load_items
from newsletter.matching.match import YOUNG
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics import hold
from newsletter.matching.topics.draft_matcher import DraftMatcher, receipt
from newsletter.matching.topics.revisions import draft_of
from newsletter.models import ItemVersion, Match, Topic, TopicRevision

log = structlog.get_logger()

#: How old the items are that a revision is matched against.
LOOK_BACK = timedelta(days=90)
#: After this time no worker uses an older index any more: no task runs longer.
SETTLED = timedelta(minutes=10)
#: A change that is undone, word for word, within this time restores what it withdrew.
UNDO = timedelta(days=1)
#: Items in one transaction.
CHUNK = 100

_State = TopicRevision.Rematch


@dataclass(frozen=True)
class Rematched:
    """What one chunk changed in the matches of stored items."""

    added: int = 0
    withdrawn: int = 0
    restored: int = 0


def rematch(*, clock: Callable[[], datetime], chunks: int = 50) -> bool:
    """Match up to `chunks` chunks of stored items against waiting revisions; True if more are left. Repeatable."""
    hold.repair_holds(now=clock())
    for _ in range(chunks):
        revision = _next(clock())
        if revision is None:
            return False
        _chunk(revision, clock())
    return _next(clock()) is not None


def _next(now: datetime) -> TopicRevision | None:
    ripe = Q(rematch=_State.TODO) | Q(rematch=_State.AGAIN, made_at__lte=now - SETTLED)
    waiting = TopicRevision.objects.filter(ripe, topic__state=Topic.State.ACTIVE)
    return waiting.select_related("topic").order_by("id").first()


def _chunk(revision: TopicRevision, now: datetime) -> None:
    """Match the next items in one transaction. Of several workers one does it: recording the progress is a compare-and-set."""
    items = list(load_items(_waiting(revision)[:CHUNK]))
    rows = [loaded.version for loaded in items]
    try:
        matcher = DraftMatcher({0: draft_of(revision)})
    except QueryError:  # `doctor` reports it; other topics go on
        log.error("topic_not_read", topic_id=revision.topic_id)
        items, rows, matcher = [], [], DraftMatcher({})
    hits = {loaded.item.id: matcher.match(loaded.document).get(0) for loaded in items}
    here = TopicRevision.objects.filter(id=revision.id, rematch=revision.rematch, rematch_upto=revision.rematch_upto)
    try:
        with transaction.atomic():
            if not here.update(**_step(revision, rows)):
                return
            done = _write(revision, rows, hits, now)
    except IntegrityError:  # an item was matched at this moment: the chunk is repeated
        return
    if done != Rematched():
        log.debug("rematched", topic_id=revision.topic_id, new=done.added, changed=done.withdrawn + done.restored)


def _waiting(revision: TopicRevision) -> QuerySet[ItemVersion]:
    """The stored items that come next. Those that are not matched yet will be, with the new index."""
    rows = current_versions().filter(item_id__gt=revision.rematch_upto, item__matched_at__isnull=False)
    rows = rows.filter(item__first_seen_at__gte=revision.made_at - LOOK_BACK)
    if revision.rematch == _State.AGAIN:
        around = (revision.made_at - SETTLED, revision.made_at + SETTLED)
        rows = rows.filter(item__matched_at__range=around)
    return rows.order_by("item_id")


def _step(revision: TopicRevision, rows: Sequence[ItemVersion]) -> dict[str, Any]:
    if rows:
        return {"rematch_upto": rows[-1].item_id}
    following = _State.AGAIN if revision.rematch == _State.TODO else _State.DONE
    return {"rematch": following, "rematch_upto": 0}


def _write(
    revision: TopicRevision, rows: Sequence[ItemVersion], hits: Mapping[int, tuple[Hit, ...] | None], now: datetime
) -> Rematched:
    known = {match.item_id: match for match in Match.objects.filter(topic_id=revision.topic_id, item_id__in=list(hits))}
    new = [
        _match(revision, row, row_hits, now)
        for row in rows
        if (row_hits := hits[row.item_id]) and row.item_id not in known
    ]
    Match.objects.bulk_create(new)
    restored, same = 0, _same(revision)
    for row in rows:
        row_hits, match = hits[row.item_id], known.get(row.item_id)
        if row_hits and match is not None:
            restored += match.withdrawn_at is not None
            owes = match.revision_id in same and match.withdrawn_at is not None and match.withdrawn_at >= now - UNDO
            _match_again(revision, row, row_hits, match, owes=owes)
    hold.hold_matches([revision.topic_id])
    gone = [match.id for item_id, match in known.items() if not hits[item_id]]
    withdrawn = Match.objects.filter(id__in=gone, withdrawn_at=None).update(withdrawn_at=now)
    return Rematched(len(new), withdrawn, restored)


def _match(revision: TopicRevision, row: ItemVersion, hits: Sequence[Hit], now: datetime) -> Match:
    """A match that the revision adds. It is owed only if the item is newer: then a worker matched it with an older index."""
    owe_until = row.item.first_seen_at + YOUNG
    due = row.item.first_seen_at > revision.made_at and row.item.announced and now <= owe_until
    return Match(
        item_id=row.item_id,
        topic_id=revision.topic_id,
        item_version=row.n,
        revision_id=revision.id,
        receipt=receipt(hits),
        matched_at=now,
        owe_until=owe_until,
        owed_at=now if due else None,
    )


def _match_again(revision: TopicRevision, row: ItemVersion, hits: Sequence[Hit], match: Match, *, owes: bool) -> None:
    """Update a match that was there. If it was withdrawn since, it is owed as before (`owes`), or never."""
    values: dict[str, Any] = {"item_version": row.n, "revision_id": revision.id, "receipt": receipt(hits)}
    if match.withdrawn_at is not None:
        values |= {"withdrawn_at": None} if owes else {"withdrawn_at": None, "owed_at": None, "held_at": None}
    Match.objects.filter(id=match.id).update(**values)


def _same(revision: TopicRevision) -> set[int]:
    """The revisions of the topic that are equal to this one: to return to one of them is to undo a change."""
    rows = TopicRevision.objects.filter(topic_id=revision.topic_id, query=revision.query)
    return {row.id for row in rows if (row.packs, row.without) == (revision.packs, revision.without)}
