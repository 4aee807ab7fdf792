"""Stored items against drafts of topics: what previews, re-matches and explanations share."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from newsletter.matching import query as queries
from newsletter.matching.index import Hit, Index
from newsletter.matching.revisions import Draft
from newsletter.models import ItemVersion

#: Characters of an item that are read.
READ = 200_000


@dataclass(frozen=True)
class Stored:
    """An item in its present wording. `at` is when it was published, or first seen where that is earlier."""

    item_id: int
    version: int
    title: str = field(repr=False)
    text: str = field(repr=False)
    at: datetime
    first_seen_at: datetime


class Judge:
    """Drafts compiled once, for many items."""

    def __init__(self, drafts: Mapping[int, Draft]) -> None:
        self._index = Index({key: queries.parse(draft.query) for key, draft in drafts.items()})

    def meet(self, item: Stored) -> dict[int, tuple[Hit, ...]]:
        """The drafts that an item meets, by their key, and where their words stand."""
        return {met.topic_id: met.hits for met in self._index.meet(item.title, item.text)}


def stored(since: datetime) -> Iterator[Stored]:
    """Every item first seen since then, in its present wording; the newest first."""
    rows = present().filter(item__first_seen_at__gte=since).order_by("-item_id")
    return map(as_stored, rows.iterator(chunk_size=500))


def present() -> QuerySet[ItemVersion]:
    """Present wordings, with their items and entries."""
    return ItemVersion.objects.filter(n=F("item__version")).select_related("item__entry")


def as_stored(row: ItemVersion) -> Stored:
    """A row as it is judged."""
    entry = row.item.entry
    return Stored(
        item_id=row.item_id,
        version=row.n,
        title=row.title,
        text=row.text[:READ],
        at=min(entry.published_at, row.item.first_seen_at),
        first_seen_at=row.item.first_seen_at,
    )


def words_of(item: Stored, hits: Iterable[Hit]) -> tuple[str, ...]:
    """The words as they stand in the item, each once."""
    shown = {"title": item.title, "text": item.text}
    return tuple(dict.fromkeys(shown[hit.field][hit.start : hit.end] for hit in hits))


def receipt(hits: Iterable[Hit]) -> list[dict[str, Any]]:
    """What a match of a curated topic keeps of its reasons."""
    return [{"field": hit.field, "start": hit.start, "end": hit.end, "term": hit.term} for hit in hits]
