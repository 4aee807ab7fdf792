"""Rows of items in, what queries see of them out."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db.models import F, QuerySet

from newsletter.matching.engine.document import Document
from newsletter.models import Citation, Item, ItemVersion

#: Characters of an item that are read.
MAX_CHARACTERS = 200_000
_AT_ONCE = 500


@dataclass(frozen=True)
class LoadedItem:
    """An item in its present wording, and what queries see of it."""

    item: Item
    version: ItemVersion
    document: Document = field(repr=False)

    @property
    def at(self) -> datetime:
        """When it was published, or first seen where that is earlier."""
        return min(self.item.entry.published_at, self.item.first_seen_at)


def current_versions() -> QuerySet[ItemVersion]:
    """The present wordings of all items, with their items, entries and feeds."""
    return ItemVersion.objects.filter(n=F("item__version")).select_related("item__entry__feed")


def load_items(chosen: QuerySet[ItemVersion]) -> Iterator[LoadedItem]:
    """Each of these wordings (a choice of `current_versions()`) with what queries see of it, in their order."""
    rows = chosen.iterator(chunk_size=_AT_ONCE)
    while some := list(islice(rows, _AT_ONCE)):
        publishers = _publishers([row.item_id for row in some])
        for row in some:
            yield LoadedItem(row.item, row, document(row.item, row, publishers[row.item_id]))


def document(item: Item, wording: ItemVersion, publishers: Sequence[str]) -> Document:
    """What queries see of an item in this wording."""
    entry = item.entry
    return Document(
        title=wording.title,
        text=wording.text[:MAX_CHARACTERS],
        lang=item.lang,
        sources=tuple(publishers),
        authors=tuple(filter(None, (wording.author or entry.author,))),
        categories=tuple(str(one) for one in entry.categories),
        feed=entry.feed.title,
        feed_id=entry.feed_id,
    )


def _publishers(item_ids: Collection[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for citation in Citation.objects.filter(item_id__in=item_ids).exclude(publisher="").order_by("item_id", "n"):
        found[citation.item_id].append(citation.publisher)
    return found
