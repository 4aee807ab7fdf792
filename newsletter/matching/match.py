"""Items that met no topic yet in, matches out; and what a query would have matched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction

from newsletter.lib.crypto import Vault
from newsletter.matching.engine.document import Hit
from newsletter.matching.engine.query_index import QueryIndex, QueryMatch
from newsletter.matching.live_index.cold_start import cold_start_index
from newsletter.matching.live_index.current import LiveIndex, current_index
from newsletter.matching.live_index.stored_items import LoadedItem, current_versions, load_items
from newsletter.matching.query import language
from newsletter.matching.query.compiled import NO_ALIASES, Aliases, compile_query
from newsletter.matching.topics.draft_matcher import receipt
from newsletter.matching.topics.hold import hold_matches
from newsletter.models import Item, Match

log = structlog.get_logger()

#: An item can become owed this long after it was first seen.
YOUNG = timedelta(days=10)


@dataclass(frozen=True)
class Matched:
    """How many items met the topics, and how many matches that made."""

    items: int
    matches: int


@dataclass(frozen=True)
class PreviewMatch:
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
    waiting = list(load_items(current_versions().filter(item__matched_at=None).order_by("item_id")[:limit]))
    present = cold_start_index([one.document for one in waiting], vault) or current_index(vault)
    matches = sum(_match(one, present, now) for one in waiting)
    if waiting:
        log.info("matched", items=len(waiting), matches=matches)
    return Matched(len(waiting), matches)


def _match(one: LoadedItem, present: LiveIndex, now: datetime) -> int:
    """Write the matches of one item and its stamp in one transaction; 0 when another worker was faster."""
    item, met = one.item, present.matching_queries(one.document)
    for _ in range(3):
        try:
            with transaction.atomic():
                mine = Item.objects.filter(id=item.id, version=item.version, matched_at=None)
                if not mine.update(matched_at=now):
                    return 0
                return _write(item, met, present, now) if one.wording.material else _refresh(item, met, present)
        except IntegrityError:
            continue
    return 0


def _write(item: Item, met: Sequence[QueryMatch], present: LiveIndex, now: datetime) -> int:
    judged = {match.topic_id: match for match in Match.objects.filter(item_id=item.id)}
    owe_until = item.first_seen_at + YOUNG
    owed_at = now if item.announced and now <= owe_until else None
    fresh = []
    for one in met:
        revision_id = present.topics[one.topic_id]
        kept = receipt(one.hits) if one.topic_id in present.curated else None
        known = judged.get(one.topic_id)
        if known is not None:  # an edited item: the same pair, its words in the new version
            words: dict[str, Any] = {"item_version": item.version, "revision_id": revision_id, "receipt": kept}
            if known.withdrawn_at is not None:
                words["withdrawn_at"] = None
                if owed_at and known.owed_at:  # its words came back: owed as if they were new, to whom it was not given
                    words |= {"owed_at": owed_at, "gathering_id": None}
            Match.objects.filter(id=known.id).update(**words)
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
                owed_at=owed_at,
            )
        )
    Match.objects.bulk_create(fresh)
    hold_matches([one.topic_id for one in met if one.topic_id in present.curated])
    _withdraw(judged, {one.topic_id for one in met}, now)
    return len(fresh)


def _refresh(item: Item, met: Sequence[QueryMatch], present: LiveIndex) -> int:
    """An edit that changed nothing that matters: matches that are there speak of the new wording; none comes, none goes."""
    for one in met:
        kept = receipt(one.hits) if one.topic_id in present.curated else None
        live = Match.objects.filter(item_id=item.id, topic_id=one.topic_id, withdrawn_at=None)
        live.update(item_version=item.version, revision_id=present.topics[one.topic_id], receipt=kept)
    return 0


def _withdraw(judged: dict[int, Match], met: set[int], now: datetime) -> None:
    """An edit took the words out: what was not given yet is not owed any more. The row stays, as proof that it was judged."""
    gone = [match.id for topic_id, match in judged.items() if topic_id not in met]
    if gone:
        Match.objects.filter(id__in=gone, withdrawn_at=None).update(withdrawn_at=now)


def preview_matches(
    texts: Sequence[str],
    *,
    now: datetime,
    days: int = 30,
    limit: int = 100,
    entry_id: int | None = None,
    aliases: Aliases = NO_ALIASES,
) -> list[list[PreviewMatch]]:
    """`preview_matches` of each query, in their order: every item is read and cut into words once for all of them.

    Raises:
        QueryError: one of the queries cannot be used.
    """
    index = QueryIndex({place: compile_query(language.parse(text), aliases) for place, text in enumerate(texts)})
    rows = current_versions().order_by("-item__first_seen_at", "-item_id")
    chosen = (
        {"item__first_seen_at__gte": now - timedelta(days=days)} if entry_id is None else {"item__entry_id": entry_id}
    )
    found: list[list[PreviewMatch]] = [[] for _ in texts]
    wanting = set(range(len(texts)))
    for one in load_items(rows.filter(**chosen)):
        if not wanting:
            break
        for met in index.matching_queries(one.document, with_hits_for=wanting):
            if met.topic_id in wanting:
                found[met.topic_id].append(_would(one, met.hits))
                if len(found[met.topic_id]) >= limit:
                    wanting.discard(met.topic_id)
    return found


def _would(one: LoadedItem, hits: tuple[Hit, ...]) -> PreviewMatch:
    return PreviewMatch(
        item_id=one.item.id,
        entry_id=one.item.entry_id,
        title=one.wording.title,
        url=one.item.entry.url,
        first_seen_at=one.item.first_seen_at,
        hits=hits,
        text=one.wording.text,
    )
