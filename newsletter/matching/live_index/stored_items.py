"""Rows of items in, what queries see of them out."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db.models import F, QuerySet

from newsletter.matching.engine.document import Readable
from newsletter.models import Citation, Item, ItemVersion

#: Characters of an item that are read.
READ = 200_000
_AT_ONCE = 500


@dataclass(frozen=True)
class Stored:
    """An item in its present wording, and what queries see of it."""

    item: Item
    wording: ItemVersion
    seen: Readable = field(repr=False)

    @property
    def at(self) -> datetime:
        """When it was published, or first seen where that is earlier."""
        return min(self.item.entry.published_at, self.item.first_seen_at)


def wordings() -> QuerySet[ItemVersion]:
    """The present wordings of all items, with their items, entries and feeds."""
    return ItemVersion.objects.filter(n=F("item__version")).select_related("item__entry__feed")


def stored(chosen: QuerySet[ItemVersion]) -> Iterator[Stored]:
    """Each of these wordings (a choice of `wordings()`) with what queries see of it, in their order."""
    rows = chosen.iterator(chunk_size=_AT_ONCE)
    while some := list(islice(rows, _AT_ONCE)):
        publishers = _publishers([row.item_id for row in some])
        for row in some:
            yield Stored(row.item, row, readable(row.item, row, publishers[row.item_id]))


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


def _publishers(item_ids: Collection[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for citation in Citation.objects.filter(item_id__in=item_ids).exclude(publisher="").order_by("item_id", "n"):
        found[citation.item_id].append(citation.publisher)
    return found
