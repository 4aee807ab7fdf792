"""Writes the news of one poll: entries, items, versions, citations, stories."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DataError, IntegrityError, transaction

from newsletter.feeds.citations.canonical_url import url_hash
from newsletter.feeds.storage.diff import Change, News, Poll
from newsletter.models import Citation, Entry, Feed, Item, ItemVersion, Story


@dataclass(frozen=True)
class Kept:
    """How many items are new and changed, and how many entries the database refused."""

    new: int = 0
    changed: int = 0
    refused: int = 0


def keep(feed: Feed, poll: Poll, language: str, now: datetime) -> Kept:
    """Store a poll, in the caller's transaction. An entry that the database refuses does not stop the others."""
    Entry.objects.filter(id__in=poll.seen).update(last_seen_at=now)
    try:
        with transaction.atomic():
            return _store(feed, poll.news, language, now)
    except (DataError, IntegrityError):
        return _one_by_one(feed, poll.news, language, now)


def _one_by_one(feed: Feed, news: Iterable[News], language: str, now: datetime) -> Kept:
    new = changed = refused = 0
    for one in news:
        try:
            with transaction.atomic():
                kept = _store(feed, [one], language, now)
        except (DataError, IntegrityError):
            refused += 1
        else:
            new, changed = new + kept.new, changed + kept.changed
    return Kept(new, changed, refused)


def _store(feed: Feed, news: Sequence[News], language: str, now: datetime) -> Kept:
    stories = _stories(news)
    entry_ids = _entries(feed, news, now)
    fresh, edited = list[_Wording](), list[_Wording]()
    for one, entry_id in zip(news, entry_ids, strict=True):
        for change in one.changes:
            if change.item is None:
                item = _item(change, entry_id, stories, one.one.entry.lang or language, now)
                fresh.append(_Wording(item, 1, change, one.one.entry.author))
            elif change.is_edit:
                edited.append(_Wording(Item(id=change.item.id), change.item.version + 1, change, one.one.entry.author))
            _update(change, stories)
    Item.objects.bulk_create([wording.item for wording in fresh])
    Citation.objects.filter(item_id__in=[wording.item.id for wording in edited]).delete()
    wordings = fresh + edited
    ItemVersion.objects.bulk_create([_version(wording, now) for wording in wordings])
    Citation.objects.bulk_create([row for wording in wordings for row in _citations(wording)])
    return Kept(len(fresh), len(edited))


@dataclass(frozen=True)
class _Wording:
    """A version to be written; `item` has its id after it was stored."""

    item: Item
    n: int
    change: Change
    author: str


def _item(change: Change, entry_id: int, stories: dict[str, int], lang: str, now: datetime) -> Item:
    return Item(
        entry_id=entry_id,
        key=change.piece.key,
        position=change.position,
        story_id=stories.get(change.piece.original),
        lang=lang,
        first_seen_at=now,
        announced=change.announced,
    )


def _entries(feed: Feed, news: Sequence[News], now: datetime) -> list[int]:
    """The entry ids of `news`, in its order: new rows made, edited ones updated."""
    rows = []
    for one in news:
        said = one.one.entry
        words = {
            "guid": one.one.guid,
            "guid_kind": one.one.kind,
            "url": said.url,
            "title": said.title,
            "author": said.author,
            "categories": list(said.categories),
            "raw_hash": one.raw_hash,
            "link_hash": one.one.link_hash,
            "left_out": one.left_out,
            "cut_reason": one.reason,
        }
        if one.known is not None:
            Entry.objects.filter(id=one.known.id).update(**words)
            rows.append(Entry(id=one.known.id))
        else:
            at = said.published_at or now
            rows.append(Entry(feed=feed, published_at=at, first_seen_at=now, last_seen_at=now, **words))
    Entry.objects.bulk_create([row for row, one in zip(rows, news, strict=True) if one.known is None])
    return [row.id for row in rows]


def _stories(news: Sequence[News]) -> dict[str, int]:
    """Story ids by canonical URL; another worker may make the same ones at the same time, so in one order."""
    urls = {change.piece.original for one in news for change in one.changes} - {""}
    by_hash = {url_hash(url): url for url in urls}
    Story.objects.bulk_create([Story(url_hash=key, url=by_hash[key]) for key in sorted(by_hash)], ignore_conflicts=True)
    found = Story.objects.filter(url_hash__in=list(by_hash)).values_list("url_hash", "id")
    return {by_hash[bytes(key)]: story_id for key, story_id in found}


def _update(change: Change, stories: dict[str, int]) -> None:
    """A stored item: a new version is to be matched again; key, place and story follow the piece."""
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
            publisher=one.publisher,
            published_on=one.published_on,
            url=one.url,
            url_hash=url_hash(one.canonical) if one.canonical else None,
        )
        for n, one in enumerate(wording.change.piece.cited, 1)
    ]
