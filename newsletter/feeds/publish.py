"""Publish an item by hand, correct it, and withdraw it before it is mailed.

It is stored like the entry of a feed, so that matching, gathering and delivery take it like any other. Its feed is built in and
never polled.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, record
from newsletter.feeds import hand_draft
from newsletter.feeds.cutting.cut import Piece
from newsletter.feeds.hand_draft import HandDraft
from newsletter.feeds.html.sanitize_text import strip_control_chars
from newsletter.feeds.parsing.model import ParsedEntry
from newsletter.feeds.storage.diff import ChangedEntry, ItemChange, PollDiff
from newsletter.feeds.storage.entry_identity import IdentifiedEntry, StoredEntry
from newsletter.feeds.storage.save import save_poll
from newsletter.feeds.storage.stored import StoredItem, stored_items
from newsletter.feeds.storage.word_diff import Change, word_diff
from newsletter.lib.refused import Refused
from newsletter.models import DeliveryItem, Entry, Feed, HandItem, Item, Match

#: In place of a URL: no feed of the web can have it.
FEED_URL = "by-hand:"
FEED_TITLE = "Published by hand"


@dataclass(frozen=True)
class PublishedItem:
    """An item that was published by hand. `changed` False: it was there already as it is."""

    item_id: int
    title: str
    version: int
    changed: bool = True


@dataclass(frozen=True)
class CorrectionPreview:
    """What a correction would change of `version`. `material`: topics are asked again, and may bring it to other people."""

    version: int
    changed: bool
    material: bool
    title: tuple[Change, ...] = field(repr=False)
    text: tuple[Change, ...] = field(repr=False)


def draft_problem(draft: HandDraft, *, now: datetime) -> Refused | None:
    """Why this cannot be published, in one line. Returns None if it can."""
    return next((Refused(reason) for reason in hand_draft.problems(draft, now=now).values()), None)


def publish(draft: HandDraft, *, token: UUID, actor: Actor, now: datetime) -> PublishedItem | Refused:
    """Publish an item. The same `token` publishes once, however often its form is sent."""
    refused = draft_problem(draft, now=now)
    if refused is not None:
        return refused
    guid = f"hand:{token}"
    entry = hand_draft.entry_of(draft, guid, now=now)
    with transaction.atomic():
        feed = Feed.objects.select_for_update().get(id=hand_feed(now=now).id)
        there = Item.objects.filter(entry__feed=feed, entry__guid=guid).first()
        if there is not None:
            return PublishedItem(there.id, entry.title, there.version, changed=False)
        change = ItemChange(hand_draft.piece_of(draft, entry), 0, None, announced=True)
        _save(feed, entry, None, change, now)
        item = Item.objects.get(entry__feed=feed, entry__guid=guid)
        HandItem.objects.create(entry_id=item.entry_id, **_typed(draft, entry))
        Feed.objects.filter(id=feed.id).update(newest_at=now)
        record(actor, "item.publish", Thing("item", item.id, entry.title), now=now, after=_shown(change.piece))
    return PublishedItem(item.id, entry.title, 1)


def correct(
    item_id: int, draft: HandDraft, *, based_on: int | None = None, actor: Actor, now: datetime
) -> PublishedItem | Refused:
    """Correct an item that was published by hand: a new version, by the rules of an edited entry.

    `based_on` is the version that was changed: with another one there meanwhile, nothing is saved.
    """
    refused = draft_problem(draft, now=now)
    if refused is not None:
        return refused
    with transaction.atomic():
        row = _hand_item(item_id)
        if isinstance(row, Refused):
            return row
        entry = hand_draft.entry_of(draft, row.entry.guid, now=now)
        [stored] = stored_items(row.entry_id)
        if based_on is not None and stored.version != based_on:
            return Refused("somebody else has corrected it meanwhile: compare with the version that is there now")
        change = ItemChange(hand_draft.piece_of(draft, entry), 0, stored, announced=True)
        HandItem.objects.filter(entry_id=row.entry_id).update(**_typed(draft, entry))
        _save(row.entry.feed, entry, _stored(row.entry), change, now)
        Item.objects.filter(id=item_id).update(lang=draft.language)
        if not change.is_edit:
            return PublishedItem(item_id, entry.title, stored.version, changed=False)
        thing = Thing("item", item_id, entry.title)
        record(actor, "item.correct", thing, now=now, before=_shown(stored), after=_shown(change.piece))
    return PublishedItem(item_id, entry.title, stored.version + 1)


def preview_correction(item_id: int, draft: HandDraft, *, now: datetime) -> CorrectionPreview | Refused:
    """What a correction without problems would change. Stores nothing."""
    with transaction.atomic():
        row = _hand_item(item_id)
    if isinstance(row, Refused):
        return row
    [stored] = stored_items(row.entry_id)
    piece = hand_draft.piece_of(draft, hand_draft.entry_of(draft, row.entry.guid, now=now))
    change = ItemChange(piece, 0, stored, announced=True)
    return CorrectionPreview(
        version=stored.version,
        changed=change.is_edit,
        material=change.is_edit and change.is_material,
        title=word_diff(stored.title, piece.title),
        text=word_diff(stored.text, piece.text),
    )


def withdraw(item_id: int, *, actor: Actor, now: datetime) -> PublishedItem | Refused:
    """Take back an item that was published by hand and is in nobody's mail yet: it stays stored, and is mailed to nobody."""
    with transaction.atomic():
        row = _hand_item(item_id)
        if isinstance(row, Refused):
            return row
        if DeliveryItem.objects.filter(item_id=item_id).exists():
            return Refused("it is in mails already, which nobody can take back: correct it instead")
        [stored] = stored_items(row.entry_id)
        HandItem.objects.filter(entry_id=row.entry_id).update(withdrawn_at=now)
        Item.objects.filter(id=item_id).update(announced=False)
        Match.objects.filter(item_id=item_id, withdrawn_at=None).update(withdrawn_at=now)
        record(actor, "item.withdraw", Thing("item", item_id, stored.title), now=now, before={"announced": True})
    return PublishedItem(item_id, stored.title, stored.version)


def typed(item_id: int) -> HandDraft | Refused:
    """What was typed for an item that was published by hand, to be corrected."""
    with transaction.atomic():
        row = _hand_item(item_id)
    if isinstance(row, Refused):
        return row
    lang = Item.objects.values_list("lang", flat=True).get(id=item_id)
    return HandDraft(row.entry.title, row.markdown, row.publisher, row.published_on, row.url, lang)


def item_exists(item_id: int) -> bool:
    """Whether there is an item with this number, of whatever feed."""
    return Item.objects.filter(id=item_id).exists()


def hand_feed(*, now: datetime) -> Feed:
    """The built-in feed of what is published by hand; its row is made with the first item."""
    columns = {"title": FEED_TITLE, "title_given": True, "state": Feed.State.BY_HAND, "cut": "never", "started_at": now}
    return Feed.objects.get_or_create(url=FEED_URL, defaults={**columns, "next_fetch_at": now, "created_at": now})[0]


def _hand_item(item_id: int) -> HandItem | Refused:
    row = (
        HandItem.objects.select_for_update(of=("self",))
        .select_related("entry__feed")
        .filter(entry__item__id=item_id)
        .first()
    )
    if row is None:
        if item_exists(item_id):
            return Refused("it comes from a feed: correct it there")
        return Refused("there is no such item: see 'newsletter items list'")
    return row if row.withdrawn_at is None else Refused("it was withdrawn: publish it as a new item")


def _save(feed: Feed, entry: ParsedEntry, stored: StoredEntry | None, change: ItemChange, now: datetime) -> None:
    changed = ChangedEntry(
        IdentifiedEntry(entry, entry.guid, "guid"),
        stored,
        hashlib.sha256(entry.html.encode()).digest(),
        (change,),
        reason="one article: published by hand",
    )
    save_poll(feed, PollDiff((changed,), (), 0), entry.lang, now)


def _stored(entry: Entry) -> StoredEntry:
    return StoredEntry(
        entry.id, entry.guid, entry.guid_kind, entry.url, entry.title, bytes(entry.raw_hash), entry.published_at
    )


def _typed(draft: HandDraft, entry: ParsedEntry) -> dict[str, object]:
    return {
        "markdown": strip_control_chars(draft.markdown),
        "publisher": draft.publisher.strip(),
        "published_on": draft.published_on,
        "url": entry.url,
    }


def _shown(worded: Piece | StoredItem) -> dict[str, str | int]:
    sources = ", ".join(filter(None, (source.publisher or source.url for source in worded.cited)))
    return {"title": worded.title, "sources": sources, "characters": len(worded.text)}
