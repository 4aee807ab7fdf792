"""Items that met no topic yet in, matches out; and what a query would have matched."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice

import structlog
from django.db import IntegrityError, transaction

from newsletter.matching import query as queries
from newsletter.matching.compiling import Compiled, index_for
from newsletter.matching.index import Hit, Index, Met, Readable, spans
from newsletter.matching.sought import compiled
from newsletter.models import Citation, Item, ItemVersion, Match
from newsletter.vault import Vault

__all__ = ["Matched", "Would", "match_fresh", "spans", "would_match"]

log = structlog.get_logger()

#: An item can become owed this long after it was first seen.
YOUNG = timedelta(days=10)
#: Characters of an item that are read.
READ = 200_000


@dataclass(frozen=True)
class Matched:
    """How many items met the topics, and how many matches that made."""

    items: int
    matches: int


@dataclass(frozen=True)
class Would:
    """An item that a query meets."""

    item_id: int
    entry_id: int
    title: str
    url: str
    first_seen_at: datetime
    hits: tuple[Hit, ...]
    #: The plain text that the hits' offsets speak of.
    text: str


def match_fresh(*, now: datetime, vault: Vault, limit: int = 200) -> Matched:
    """Let up to `limit` items that wait meet every active topic. Repeatable; several workers may do it at once."""
    present = index_for(vault)
    waiting = list(Item.objects.filter(matched_at=None).select_related("entry__feed").order_by("id")[:limit])
    seen = readables(waiting)
    matches = 0
    for item in waiting:
        made = _match(item, seen[item.id], present, now)
        matches += made
    if waiting:
        log.info("matched", items=len(waiting), matches=matches)
    return Matched(len(waiting), matches)


def readables(items: Sequence[Item]) -> dict[int, Readable]:
    """What queries see of each item in its present version, by item id. Their entries and feeds should be loaded."""
    ids = [item.id for item in items]
    versions = {(row.item_id, row.n): row for row in ItemVersion.objects.filter(item_id__in=ids)}
    publishers: dict[int, list[str]] = defaultdict(list)
    for citation in Citation.objects.filter(item_id__in=ids).exclude(publisher="").order_by("item_id", "n"):
        publishers[citation.item_id].append(citation.publisher)
    return {item.id: readable(item, versions[item.id, item.version], publishers[item.id]) for item in items}


def readable(item: Item, wording: ItemVersion, publishers: Sequence[str]) -> Readable:
    """What queries see of an item in this wording."""
    entry = item.entry
    return Readable(
        title=wording.title,
        text=wording.text[:READ],
        lang=item.lang,
        sources=tuple(publishers),
        authors=tuple(filter(None, (wording.author or entry.author,))),
        categories=tuple(str(one) for one in entry.categories),
        feed=entry.feed.title,
        feed_id=entry.feed_id,
    )


def _match(item: Item, seen: Readable, present: Compiled, now: datetime) -> int:
    """Write the matches of one item and its stamp in one transaction; 0 when another worker was faster."""
    met = present.index.meet(seen, told=present.curated)
    for _ in range(3):
        try:
            with transaction.atomic():
                mine = Item.objects.filter(id=item.id, version=item.version, matched_at=None)
                return _write(item, met, present, now) if mine.update(matched_at=now) else 0
        except IntegrityError:
            continue
    return 0


def _write(item: Item, met: Sequence[Met], present: Compiled, now: datetime) -> int:
    judged = {match.topic_id: match for match in Match.objects.filter(item_id=item.id)}
    owe_until = item.first_seen_at + YOUNG
    owed_at = now if item.announced and now <= owe_until else None
    fresh = []
    for one in met:
        revision_id = present.topics[one.topic_id]
        receipt = [asdict(hit) for hit in one.hits] if one.topic_id in present.curated else None
        known = judged.get(one.topic_id)
        if known is not None:  # an edited item: the same pair, its words in the new version
            Match.objects.filter(id=known.id).update(
                item_version=item.version, revision_id=revision_id, receipt=receipt, withdrawn_at=None
            )
            continue
        fresh.append(
            Match(
                item_id=item.id,
                topic_id=one.topic_id,
                item_version=item.version,
                revision_id=revision_id,
                receipt=receipt,
                matched_at=now,
                owe_until=owe_until,
                owed_at=owed_at,
            )
        )
    Match.objects.bulk_create(fresh)
    _withdraw(judged, {one.topic_id for one in met}, now)
    return len(fresh)


def _withdraw(judged: dict[int, Match], met: set[int], now: datetime) -> None:
    """An edit took the words out: what was not given yet is not owed any more. The row stays, as proof that it was judged."""
    gone = [match.id for topic_id, match in judged.items() if topic_id not in met]
    if gone:
        Match.objects.filter(id__in=gone, withdrawn_at=None).update(withdrawn_at=now)


def would_match(
    query: str, *, now: datetime, days: int = 30, limit: int = 100, entry_id: int | None = None
) -> list[Would]:
    """Stored items of the last `days` that meet `query`, newest first, `limit` at most; nothing is stored.

    Raises:
        QueryError: the query cannot be used.
    """
    index = Index({0: compiled(queries.parse(query))})
    found = []
    for row, seen in _stored(now - timedelta(days=days), entry_id):
        met = index.meet(seen)
        if met:
            found.append(
                Would(
                    row.item_id,
                    row.item.entry_id,
                    row.title,
                    row.item.entry.url,
                    row.item.first_seen_at,
                    met[0].hits,
                    row.text,
                )
            )
            if len(found) == limit:
                break
    return found


def _stored(since: datetime, entry_id: int | None) -> Iterator[tuple[ItemVersion, Readable]]:
    rows = ItemVersion.objects.select_related("item__entry__feed").order_by("-item__first_seen_at", "-item_id", "-n")
    chosen = (
        rows.filter(item__entry_id=entry_id) if entry_id is not None else rows.filter(item__first_seen_at__gte=since)
    )
    present = (row for row in chosen.iterator(chunk_size=500) if row.n == row.item.version)
    while some := list(islice(present, 500)):
        publishers: dict[int, list[str]] = defaultdict(list)
        for citation in Citation.objects.filter(item_id__in=[row.item_id for row in some]).order_by("item_id", "n"):
            publishers[citation.item_id].append(citation.publisher)
        for row in some:
            yield row, readable(row.item, row, publishers[row.item_id])
