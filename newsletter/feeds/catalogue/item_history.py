"""One stored item as its feed brought it: entry, sources, and its versions with what each changed."""

from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise

from newsletter.feeds.storage.word_diff import Change, word_diff
from newsletter.models import Citation, HandItem, Item, ItemVersion

#: Versions that are shown, the newest.
MOST_VERSIONS = 10


@dataclass(frozen=True)
class CitedRow:
    """A source of an item; any part may be missing."""

    publisher: str
    published_on: date | None
    url: str
    url_hash: bytes


@dataclass(frozen=True)
class VersionRow:
    """A version, and what it changed of the one before. `material`: it was matched again; else it was a slip of the pen."""

    n: int
    seen_at: datetime
    author: str
    material: bool
    title: tuple[Change, ...] = field(repr=False)
    text: tuple[Change, ...] = field(repr=False)


@dataclass(frozen=True)
class StoredItemDetails:
    """An item with its present version, sources, and versions, newest first. `hand`: it was published by hand."""

    item: Item
    version: ItemVersion
    sources: tuple[CitedRow, ...]
    versions: tuple[VersionRow, ...]
    hand: HandItem | None


def item_details(item_id: int) -> StoredItemDetails | None:
    """A stored item; None if there is none with this number."""
    item = Item.objects.select_related("entry__feed", "entry__handitem").filter(id=item_id).first()
    if item is None:
        return None
    newest = list(ItemVersion.objects.filter(item_id=item_id).order_by("-n")[: MOST_VERSIONS + 1])
    present = next((row for row in newest if row.n == item.version), None)
    if present is None:
        return None
    citations = Citation.objects.filter(item_id=item_id).order_by("n")
    return StoredItemDetails(
        item=item,
        version=present,
        sources=tuple(
            CitedRow(row.publisher, row.published_on, row.url, bytes(row.url_hash or b"")) for row in citations
        ),
        versions=_versions(newest),
        hand=getattr(item.entry, "handitem", None),
    )


def _versions(newest: list[ItemVersion]) -> tuple[VersionRow, ...]:
    rows = [_version(row, before) for row, before in pairwise(newest)]
    if newest and len(newest) <= MOST_VERSIONS:
        rows.append(_version(newest[-1], None))
    return tuple(rows)


def _version(row: ItemVersion, before: ItemVersion | None) -> VersionRow:
    title = word_diff(before.title, row.title) if before is not None else ()
    text = word_diff(before.text, row.text) if before is not None else ()
    return VersionRow(row.n, row.seen_at, row.author, row.material, title, text)
