"""Load stored items as the documents that queries are matched against."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db.models import F, QuerySet

from newsletter.matching.engine.document import Document
from newsletter.models import Citation, Item, ItemVersion

#: Characters of an item that are read; the rest is not matched.
MAX_CHARACTERS = 200_000
_AT_ONCE = 500


@dataclass(frozen=True)
class LoadedItem:
    """An item, its current version, and its document."""

    item: Item
    version: ItemVersion
    document: Document = field(repr=False)

    @property
    def at(self) -> datetime:
        """When it was published, or first seen if that is earlier."""
        return min(self.item.entry.published_at, self.item.first_seen_at)


def current_versions() -> QuerySet[ItemVersion]:
    """The current versions of all items, with their items, entries and feeds."""
    return ItemVersion.objects.filter(n=F("item__version")).select_related("item__entry__feed")


def load_items(versions: QuerySet[ItemVersion]) -> Iterator[LoadedItem]:
    """Load the items of these versions, which are a selection of `current_versions()`, in their order."""
    rows = versions.iterator(chunk_size=_AT_ONCE)
    while chunk := list(islice(rows, _AT_ONCE)):
        publishers = _publishers([row.item_id for row in chunk])
        for row in chunk:
            yield LoadedItem(row.item, row, document(row.item, row, publishers[row.item_id]))


def document(item: Item, version: ItemVersion, publishers: Sequence[str]) -> Document:
    """What queries see of an item in this version."""
    entry = item.entry
    return Document(
        title=version.title,
        text=version.text[:MAX_CHARACTERS],
        lang=item.lang,
        sources=tuple(publishers),
        authors=tuple(filter(None, (version.author or entry.author,))),
        categories=tuple(map(str, entry.categories)),
        feed=entry.feed.title,
        feed_id=entry.feed_id,
    )


def _publishers(item_ids: Collection[int]) -> dict[int, list[str]]:
    publishers: dict[int, list[str]] = defaultdict(list)
    for citation in Citation.objects.filter(item_id__in=item_ids).exclude(publisher="").order_by("item_id", "n"):
        publishers[citation.item_id].append(citation.publisher)
    return publishers
