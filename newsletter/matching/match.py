"""Match new and edited items against all topics; and preview which stored items a query would match."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction

from newsletter.matching.engine.document import Hit
from newsletter.matching.engine.query_index import QueryIndex, QueryMatch
from newsletter.matching.live_index.cold_start import cold_start_index
from newsletter.matching.live_index.current import CurrentIndex, LiveIndex
from newsletter.matching.live_index.stored_items import LoadedItem, current_versions, load_items
from newsletter.matching.query import language
from newsletter.matching.query.compiled import NO_ALIASES, Aliases, compile_query
from newsletter.matching.topics.draft_matcher import receipt
from newsletter.matching.topics.hold import hold_matches
from newsletter.models import Item, Match

log = structlog.get_logger()

#: An item can become owed this long after it was first seen.
YOUNG = timedelta(days=10)
#: Items in one call.
_AT_ONCE = 200


@dataclass(frozen=True)
class Matched:
    """How many items were matched, and how many new matches that made."""

    items: int
    matches: int


@dataclass(frozen=True)
class PreviewMatch:
    """An item that a query would match."""

    item_id: int
    entry_id: int
    title: str
    url: str
    first_seen_at: datetime
    hits: tuple[Hit, ...]
    #: The plain text that the offsets of hits refer to.
    text: str


def match_fresh(*, now: datetime, index: CurrentIndex) -> Matched:
    """Match up to `_AT_ONCE` items that wait against every active topic. Repeatable; several workers may do it at once."""
    waiting = list(load_items(current_versions().filter(item__matched_at=None).order_by("item_id")[:_AT_ONCE]))
    live = cold_start_index([loaded.document for loaded in waiting], index) or index.get()
    matches = sum(_match(loaded, live, now) for loaded in waiting)
    if waiting:
        log.info("matched", items=len(waiting), matches=matches)
    return Matched(len(waiting), matches)


def _match(loaded: LoadedItem, live: LiveIndex, now: datetime) -> int:
    """Write the matches of one item and mark it as matched in one transaction; 0 if another worker was faster."""
    item, matches = loaded.item, live.matching_queries(loaded.document)
    for _ in range(3):
        try:
            with transaction.atomic():
                unmatched = Item.objects.filter(id=item.id, version=item.version, matched_at=None)
                if not unmatched.update(matched_at=now):
                    return 0
                if loaded.version.material:
                    return _write(item, matches, live, now)
                _refresh(item, matches, live)
                return 0
        except IntegrityError:
            continue
    return 0


def _write(item: Item, matches: Sequence[QueryMatch], live: LiveIndex, now: datetime) -> int:
    """Write the matches of an item that is new, or was edited in what matters; how many are new."""
    stored = {match.topic_id: match for match in Match.objects.filter(item_id=item.id)}
    owe_until = item.first_seen_at + YOUNG
    owed_at = now if item.announced and now <= owe_until else None
    new = []
    for matched in matches:
        values = _values(item, matched, live)
        known = stored.get(matched.topic_id)
        if known is None:
            times: dict[str, Any] = {"matched_at": now, "owe_until": owe_until, "owed_at": owed_at}
            new.append(Match(item_id=item.id, topic_id=matched.topic_id, **values, **times))
            continue
        if known.withdrawn_at is not None:
            values["withdrawn_at"] = None
            if owed_at and known.owed_at:  # its words came back: owed as if it were new, to those who were not given it
                values |= {"owed_at": owed_at, "gathering_id": None}
        Match.objects.filter(id=known.id).update(**values)
    Match.objects.bulk_create(new)
    matched_topics = {matched.topic_id for matched in matches}
    hold_matches(matched_topics & live.curated)
    _withdraw(stored, matched_topics, now)
    return len(new)


def _values(item: Item, matched: QueryMatch, live: LiveIndex) -> dict[str, Any]:
    """What a match records of the item's version, the topic's revision and, for a curated topic, the hits."""
    kept = receipt(matched.hits) if matched.topic_id in live.curated else None
    return {"item_version": item.version, "revision_id": live.topics[matched.topic_id], "receipt": kept}


def _refresh(item: Item, matches: Sequence[QueryMatch], live: LiveIndex) -> None:
    """After an edit that changed nothing that matters: update the matches that are there to the new version."""
    for matched in matches:
        stored = Match.objects.filter(item_id=item.id, topic_id=matched.topic_id, withdrawn_at=None)
        stored.update(**_values(item, matched, live))


def _withdraw(stored: dict[int, Match], matched_topics: set[int], now: datetime) -> None:
    """Withdraw matches whose words an edit removed: they are owed no more. The rows stay, as proof of what was matched."""
    gone = [match.id for topic_id, match in stored.items() if topic_id not in matched_topics]
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
    """For each query the stored items of the last `days`, or of an entry, that it matches, newest first, `limit` at most.

    Every item is read and tokenized once for all queries. Nothing is stored. Keywords take no aliases.

    Raises:
        QueryError: one of the queries cannot be used.
    """
    index = QueryIndex({number: compile_query(language.parse(text), aliases) for number, text in enumerate(texts)})
    versions = current_versions().order_by("-item__first_seen_at", "-item_id")
    if entry_id is None:
        versions = versions.filter(item__first_seen_at__gte=now - timedelta(days=days))
    else:
        versions = versions.filter(item__entry_id=entry_id)
    matches: list[list[PreviewMatch]] = [[] for _ in texts]
    unfinished = set(range(len(texts)))
    for loaded in load_items(versions):
        if not unfinished:
            break
        for matched in index.matching_queries(loaded.document, with_hits_for=unfinished):
            number = matched.topic_id
            if number in unfinished:
                matches[number].append(_preview_match(loaded, matched.hits))
                if len(matches[number]) >= limit:
                    unfinished.discard(number)
    return matches


def _preview_match(loaded: LoadedItem, hits: tuple[Hit, ...]) -> PreviewMatch:
    return PreviewMatch(
        item_id=loaded.item.id,
        entry_id=loaded.item.entry_id,
        title=loaded.version.title,
        url=loaded.item.entry.url,
        first_seen_at=loaded.item.first_seen_at,
        hits=hits,
        text=loaded.version.text,
    )
