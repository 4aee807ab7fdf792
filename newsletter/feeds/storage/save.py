"""Save what one poll changed: entries, items, versions, citations, stories."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DataError, IntegrityError, transaction

from newsletter.feeds.citations.canonical_url import url_hash
from newsletter.feeds.storage.diff import ChangedEntry, ItemChange, PollDiff
from newsletter.models import Citation, Entry, Feed, Item, ItemVersion, Story


@dataclass(frozen=True)
class Saved:
    """How many items are new and changed, and how many entries the database refused."""

    new: int = 0
    changed: int = 0
    refused: int = 0


def save_poll(feed: Feed, poll: PollDiff, language: str, now: datetime) -> Saved:
    """Save a poll in the caller's transaction. An entry that the database refuses does not stop the others."""
    Entry.objects.filter(id__in=poll.seen_ids).update(last_seen_at=now)
    try:
        with transaction.atomic():
            return _save(feed, poll.changed, language, now)
    except (DataError, IntegrityError):
        return _save_one_by_one(feed, poll.changed, language, now)


def _save_one_by_one(feed: Feed, entries: Iterable[ChangedEntry], language: str, now: datetime) -> Saved:
    new = changed = refused = 0
    for entry in entries:
        try:
            with transaction.atomic():
                saved = _save(feed, [entry], language, now)
        except (DataError, IntegrityError):
            refused += 1
        else:
            new, changed = new + saved.new, changed + saved.changed
    return Saved(new, changed, refused)


def _save(feed: Feed, entries: Sequence[ChangedEntry], language: str, now: datetime) -> Saved:
    stories = _save_stories(entries)
    entry_ids = _save_entries(feed, entries, now)
    fresh, edited = list[_Wording](), list[_Wording]()
    for entry, entry_id in zip(entries, entry_ids, strict=True):
        parsed = entry.identified.entry
        for change in entry.changes:
            if change.item is None:
                item = _item(change, entry_id, stories, parsed.lang or language, now)
                fresh.append(_Wording(item, 1, change, parsed.author))
            elif change.is_edit:
                edited.append(_Wording(Item(id=change.item.id), change.item.version + 1, change, parsed.author))
            _update_item(change, stories)
    Item.objects.bulk_create([wording.item for wording in fresh])
    Citation.objects.filter(item_id__in=[wording.item.id for wording in edited]).delete()
    wordings = fresh + edited
    ItemVersion.objects.bulk_create([_version(wording, now) for wording in wordings])
    Citation.objects.bulk_create([row for wording in wordings for row in _citations(wording)])
    return Saved(len(fresh), len(edited))


@dataclass(frozen=True)
class _Wording:
    """A version to be written; `item` has its id once it is stored."""

    item: Item
    n: int
    change: ItemChange
    author: str


def _item(change: ItemChange, entry_id: int, stories: dict[str, int], lang: str, now: datetime) -> Item:
    return Item(
        entry_id=entry_id,
        key=change.piece.key,
        position=change.position,
        story_id=stories.get(change.piece.original),
        lang=lang,
        first_seen_at=now,
        announced=change.announced,
    )


def _save_entries(feed: Feed, entries: Sequence[ChangedEntry], now: datetime) -> list[int]:
    """Create the rows of new entries, update those of edited ones, and return the ids in the order of `entries`."""
    rows = []
    for entry in entries:
        identified, parsed = entry.identified, entry.identified.entry
        columns = {
            "guid": identified.guid,
            "guid_kind": identified.kind,
            "url": parsed.url,
            "title": parsed.title,
            "author": parsed.author,
            "categories": list(parsed.categories),
            "raw_hash": entry.raw_hash,
            "link_hash": identified.link_hash,
            "left_out": entry.left_out,
            "cut_reason": entry.reason,
        }
        if entry.stored is not None:
            Entry.objects.filter(id=entry.stored.id).update(**columns)
            rows.append(Entry(id=entry.stored.id))
        else:
            published_at = parsed.published_at or now
            rows.append(Entry(feed=feed, published_at=published_at, first_seen_at=now, last_seen_at=now, **columns))
    Entry.objects.bulk_create([row for row, entry in zip(rows, entries, strict=True) if entry.stored is None])
    return [row.id for row in rows]


def _save_stories(entries: Sequence[ChangedEntry]) -> dict[str, int]:
    """Create stories and return their ids by canonical URL. They are created in one order: another worker may create the same."""
    urls = {change.piece.original for entry in entries for change in entry.changes} - {""}
    by_hash = {url_hash(url): url for url in urls}
    Story.objects.bulk_create([Story(url_hash=key, url=by_hash[key]) for key in sorted(by_hash)], ignore_conflicts=True)
    ids = Story.objects.filter(url_hash__in=list(by_hash)).values_list("url_hash", "id")
    return {by_hash[bytes(key)]: story_id for key, story_id in ids}


def _update_item(change: ItemChange, stories: dict[str, int]) -> None:
    """Update a stored item: a new version is to be matched again; key, position and story follow the piece."""
    item, piece = change.item, change.piece
    if item is None:
        return
    if change.is_edit:
        Item.objects.filter(id=item.id).update(
            version=item.version + 1,
            matched_at=None,
            key=piece.key,
            position=change.position,
            story_id=stories.get(piece.original),
        )
    elif (item.key, item.position) != (piece.key, change.position):
        Item.objects.filter(id=item.id).update(key=piece.key, position=change.position)


def _version(wording: _Wording, now: datetime) -> ItemVersion:
    piece = wording.change.piece
    return ItemVersion(
        item_id=wording.item.id,
        n=wording.n,
        title=piece.title,
        text=piece.text,
        html=piece.html,
        author=wording.author,
        meaning_hash=wording.change.meaning_hash,
        material=wording.change.is_material,
        seen_at=now,
    )


def _citations(wording: _Wording) -> list[Citation]:
    return [
        Citation(
            item_id=wording.item.id,
            n=n,
            publisher=source.publisher,
            published_on=source.published_on,
            url=source.url,
            url_hash=url_hash(source.canonical) if source.canonical else None,
        )
        for n, source in enumerate(wording.change.piece.cited, 1)
    ]
