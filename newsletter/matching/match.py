"""Items that met no topic yet in, matches out; and what a query would have matched."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import IntegrityError, transaction

from newsletter.matching import query as queries
from newsletter.matching.index import Hit, Index, Met, spans
from newsletter.matching.judging import READ, receipt
from newsletter.models import IndexState, Item, ItemVersion, Match, Topic, TopicRevision
from newsletter.vault import Vault

__all__ = ["Matched", "Would", "match_fresh", "spans", "would_match"]

log = structlog.get_logger()

#: An item can become owed this long after it was first seen.
YOUNG = timedelta(days=10)


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


@dataclass(frozen=True)
class Compiled:
    """The index of one moment, and what a match must say of each topic."""

    number: int
    index: Index
    #: Topic id → (revision id, whether its receipt may be stored).
    topics: dict[int, tuple[int, bool]]


_lock = threading.Lock()
_compiled: dict[int, Compiled] = {}


def match_fresh(*, now: datetime, vault: Vault, limit: int = 200) -> Matched:
    """Let up to `limit` items that wait meet every active topic. Repeatable; several workers may do it at once."""
    compiled = index_for(vault)
    waiting = list(Item.objects.filter(matched_at=None).order_by("id")[:limit])
    wordings = _wordings(waiting)
    matches = 0
    for item in waiting:
        made = _match(item, wordings[item.id, item.version], compiled, now)
        matches += made
    if waiting:
        log.info("matched", items=len(waiting), matches=matches)
    return Matched(len(waiting), matches)


def index_for(vault: Vault) -> Compiled:
    """The index of all active topics, rebuilt when the number in `index_state` changed."""
    number = IndexState.objects.values_list("number", flat=True).get(id=1)
    with _lock:
        known = _compiled.get(id(vault))
        if known is not None and known.number == number:
            return known
    made = _compile(number, vault)
    with _lock:
        _compiled.clear()
        _compiled[id(vault)] = made
    return made


def _compile(number: int, vault: Vault) -> Compiled:
    active = list(Topic.objects.filter(state=Topic.State.ACTIVE).exclude(revision_id=None))
    texts = dict(
        TopicRevision.objects.filter(id__in=[topic.revision_id for topic in active]).values_list("id", "query")
    )
    parsed: dict[int, queries.Query] = {}
    kept: dict[int, tuple[int, bool]] = {}
    for topic in active:
        assert topic.revision_id is not None  # noqa: S101 - narrows the type: excluded above
        text = texts.get(topic.revision_id) or _own_query(topic, vault)
        try:
            parsed[topic.id] = queries.parse(text)
        except queries.QueryError:  # one topic that cannot be read must not stop the others
            log.error("topic_not_read", topic_id=topic.id)
            continue
        kept[topic.id] = (topic.revision_id, topic.kind == Topic.Kind.CURATED)
    return Compiled(number, Index(parsed), kept)


def _own_query(topic: Topic, vault: Vault) -> str:
    return vault.open(topic.key_id, topic.query_cipher, handle=bytes(topic.query_index or b""), column="query")


def _wordings(items: Sequence[Item]) -> dict[tuple[int, int], ItemVersion]:
    versions = ItemVersion.objects.filter(item_id__in=[item.id for item in items])
    return {(row.item_id, row.n): row for row in versions}


def _match(item: Item, wording: ItemVersion, compiled: Compiled, now: datetime) -> int:
    """Write the matches of one item and its stamp in one transaction; 0 when another worker was faster."""
    met = compiled.index.meet(wording.title, wording.text[:READ])
    for _ in range(3):
        try:
            with transaction.atomic():
                mine = Item.objects.filter(id=item.id, version=item.version, matched_at=None)
                return _write(item, met, compiled, now) if mine.update(matched_at=now) else 0
        except IntegrityError:
            continue
    return 0


def _write(item: Item, met: Sequence[Met], compiled: Compiled, now: datetime) -> int:
    judged = {match.topic_id: match for match in Match.objects.filter(item_id=item.id)}
    held = _held([one.topic_id for one in met])
    owe_until = item.first_seen_at + YOUNG
    owed_at = now if item.announced and now <= owe_until else None
    fresh = []
    for one in met:
        revision_id, curated = compiled.topics[one.topic_id]
        kept = receipt(one.hits) if curated else None
        known = judged.get(one.topic_id)
        if known is not None:  # an edited item: the same pair, its words in the new version
            Match.objects.filter(id=known.id).update(
                item_version=item.version, revision_id=revision_id, receipt=kept, withdrawn_at=None
            )
            continue
        fresh.append(
            Match(
                item_id=item.id,
                topic_id=one.topic_id,
                item_version=item.version,
                revision_id=revision_id,
                receipt=kept,
                matched_at=now,
                owe_until=owe_until,
                owed_at=None if one.topic_id in held else owed_at,
                held_at=owed_at if one.topic_id in held else None,
            )
        )
    Match.objects.bulk_create(fresh)
    _withdraw(judged, {one.topic_id for one in met}, now)
    return len(fresh)


def _held(topic_ids: Sequence[int]) -> set[int]:
    """Those of the topics that are on hold: asked in the transaction, as the index may be of before."""
    return set(Topic.objects.filter(id__in=topic_ids, held_since__isnull=False).values_list("id", flat=True))


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
    index = Index({0: queries.parse(query)})
    found = []
    for row in _stored(now - timedelta(days=days), entry_id):
        met = index.meet(row.title, row.text[:READ])
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


def _stored(since: datetime, entry_id: int | None) -> Iterator[ItemVersion]:
    rows = ItemVersion.objects.select_related("item__entry").order_by("-item__first_seen_at", "-item_id", "-n")
    chosen = (
        rows.filter(item__entry_id=entry_id) if entry_id is not None else rows.filter(item__first_seen_at__gte=since)
    )
    for row in chosen.iterator(chunk_size=500):
        if row.n == row.item.version:
            yield row
