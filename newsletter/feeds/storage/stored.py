"""Read what is stored of a feed: the entries that a poll brings again, and the items of an entry."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from newsletter.feeds.citations.source_line import CitedSource
from newsletter.feeds.html import sanitize_html
from newsletter.feeds.storage.entry_identity import (
    IdentifiedEntry,
    StoredEntry,
    find_renamed,
    find_retitled,
    find_stored,
)
from newsletter.feeds.storage.item_pairing import is_known, known_shape
from newsletter.models import Citation, Entry, Feed, ItemVersion

#: Stored entries with the link of a new one that are compared with it, when one of them may have been given another title.
RETITLED = 100


@dataclass(frozen=True)
class StoredItem:
    """The present version of a stored item. `waits`: something significant of it has not been matched yet."""

    id: int
    key: bytes
    version: int
    position: int
    title: str
    text: str
    html: str
    cited: tuple[CitedSource, ...]
    meaning_hash: bytes
    waits: bool


def stored_entries(feed: Feed, entries: Sequence[IdentifiedEntry]) -> dict[str, StoredEntry]:
    """Return the stored entries that `entries` are, by the guid under which each is in this poll."""
    by_guid = _by_guid(
        Entry.objects.filter(
            feed=feed, guid__in={guid for entry in entries for guid in (entry.guid, entry.earlier_guid)}
        )
    )
    stored = {entry.guid: row for entry in entries if (row := find_stored(entry, by_guid)) is not None}
    stored |= _retitled(feed, entries, stored)
    return stored | _renamed(feed, entries, stored)


def stored_items(entry_id: int) -> list[StoredItem]:
    """Return the items of an entry in their present version, oldest first, also those that are no longer in it."""
    cited: dict[int, list[CitedSource]] = defaultdict(list)
    for citation in Citation.objects.filter(item__entry_id=entry_id).order_by("item_id", "n"):
        cited[citation.item_id].append(CitedSource(citation.publisher, citation.published_on, citation.url))
    present = ItemVersion.objects.filter(Q(item__entry_id=entry_id) & Q(n=F("item__version"))).select_related("item")
    return [
        StoredItem(
            id=row.item_id,
            key=bytes(row.item.key),
            version=row.n,
            position=row.item.position,
            title=row.title,
            text=row.text,
            html=row.html,
            cited=tuple(cited[row.item_id]),
            meaning_hash=bytes(row.meaning_hash),
            waits=row.material and row.item.matched_at is None,
        )
        for row in present.order_by("item_id")
    ]


def _retitled(feed: Feed, entries: Sequence[IdentifiedEntry], stored: dict[str, StoredEntry]) -> dict[str, StoredEntry]:
    """Find entries with another title among those that only title and text tell apart."""
    unknown = [entry for entry in entries if entry.guid not in stored and entry.kind in ("guid+title", "hash")]
    if not unknown:
        return {}
    rows = Entry.objects.filter(feed=feed, url__in={entry.entry.url for entry in unknown})
    rows = rows.exclude(id__in={row.id for row in stored.values()})
    # one that was edited was in the last poll: those seen last come first
    candidates = _by_guid(rows.order_by("-last_seen_at", "-id")[:RETITLED]).values()
    return find_retitled(unknown, list(candidates), lambda row: "\n".join(item.text for item in stored_items(row.id)))


def _renamed(feed: Feed, entries: Sequence[IdentifiedEntry], stored: dict[str, StoredEntry]) -> dict[str, StoredEntry]:
    """Find entries with another guid, by their link or date."""
    unknown = [entry for entry in entries if entry.guid not in stored]
    if not unknown:
        return {}
    links = [entry.link_hash for entry in unknown if entry.link_hash is not None]
    dates = [entry.published_at for entry in unknown if entry.published_at is not None]
    rows = _by_guid(Entry.objects.filter(Q(link_hash__in=links) | Q(published_at__in=dates), feed=feed))
    present = {row.id for row in stored.values()}
    return find_renamed(unknown, [row for row in rows.values() if row.id not in present], _has_same_text)


def _has_same_text(entry: IdentifiedEntry, row: StoredEntry) -> bool:
    text = sanitize_html.to_text(entry.entry.html)
    return bool(text.strip()) and is_known(text, known_shape([item.text for item in stored_items(row.id)]))


def _by_guid(rows: QuerySet[Entry]) -> dict[str, StoredEntry]:
    columns = rows.values_list(
        "id", "guid", "guid_kind", "url", "title", "published_at", "left_out", "raw_hash", "link_hash"
    )
    return {
        guid: StoredEntry(
            id=entry_id,
            guid=guid,
            kind=kind,
            url=url,
            title=title,
            raw_hash=bytes(raw_hash),
            published_at=published_at,
            link_hash=bytes(link_hash) if link_hash is not None else None,
            left_out=left_out,
        )
        for entry_id, guid, kind, url, title, published_at, left_out, raw_hash, link_hash in columns
    }
