"""Compare a poll with what is stored: which entries are new or edited, and which items they are made of. Writes nothing."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import structlog
from django.db.models import Min

from newsletter.feeds.cutting.cut import Piece, cut_entry
from newsletter.feeds.parsing.fingerprints import REVISION
from newsletter.feeds.parsing.model import ParsedEntry, ParsedFeed
from newsletter.feeds.storage import edit_significance
from newsletter.feeds.storage.announcement import FeedHistory, announcement
from newsletter.feeds.storage.entry_filter import passes_filter
from newsletter.feeds.storage.entry_identity import IdentifiedEntry, StoredEntry, identify, shared_identifiers
from newsletter.feeds.storage.item_pairing import is_known, known_shape, pair
from newsletter.feeds.storage.stored import StoredItem, stored_entries, stored_items
from newsletter.models import Entry, Feed

log = structlog.get_logger()
#: Versions that are stored of an item whose text changes with every poll ("5 minutes ago").
VERSIONS = 10_000


@dataclass(frozen=True)
class ItemChange:
    """One piece of an entry, and the stored item that it is, None for a new item. `announced`: it may be mailed."""

    piece: Piece
    position: int
    item: StoredItem | None
    announced: bool

    @cached_property
    def is_edit(self) -> bool:
        """True if a stored item is worded differently now, however slightly: offsets refer to one wording."""
        item, piece = self.item, self.piece
        if item is not None and item.version >= VERSIONS:
            return False
        if item is None or (item.title, item.text, item.cited) != (piece.title, piece.text, piece.cited):
            return item is not None
        return not edit_significance.same_markup(item.html, piece.html)

    @cached_property
    def is_material(self) -> bool:
        """True if the item has another meaning than what was matched last (see `edit_significance.classify_edit`)."""
        if self.item is None or self.item.waits:
            return True
        if self.item.meaning_hash == self.meaning_hash:
            return False
        return isinstance(edit_significance.classify_edit(self.item, self.piece), edit_significance.Significant)

    @cached_property
    def meaning_hash(self) -> bytes:
        """The hash of the piece's wording."""
        return edit_significance.meaning_hash(self.piece.title, self.piece.text, self.piece.cited)


@dataclass(frozen=True)
class ChangedEntry:
    """A new entry (`stored` None) or an edited one, with the changes of its items.

    `left_out`: the feed's filter rejects it, so it has no items. `reason` says why it was cut as it was.
    """

    identified: IdentifiedEntry
    stored: StoredEntry | None
    raw_hash: bytes
    changes: tuple[ItemChange, ...]
    left_out: bool = False
    reason: str = ""


@dataclass(frozen=True)
class PollDiff:
    """All that a poll is to write. `seen_ids` are of stored entries that are still in the feed; `bad` entries gave no items.

    `fingerprints` are of all entries but the bad ones. `whole` False: an entry that came without its HTML is not stored as it
    is, so nothing can be written before the feed was parsed whole.
    """

    changed: tuple[ChangedEntry, ...]
    seen_ids: tuple[int, ...]
    bad: int
    fingerprints: tuple[str, ...] = ()
    whole: bool = True


def compare(feed: Feed, parsed: ParsedFeed) -> PollDiff:
    """Compare a parsed feed with what is stored of it."""
    shared = Entry.objects.filter(feed=feed, guid_kind__in=("guid+link", "guid+title", "hash")).values_list(
        "guid", "guid_kind", "url"
    )
    entries = identify(parsed.entries, shared_identifiers(shared))
    stored = stored_entries(feed, entries)
    if not all(_is_as_stored(feed, entry, stored.get(entry.guid)) for entry in entries if entry.entry.unchanged):
        return PollDiff((), (), 0, whole=False)
    announced = _announced(feed, entries, stored, truncated=parsed.left_out > 0)
    changed, fingerprints, bad = list[ChangedEntry](), list[str](), 0
    for entry in entries:
        try:
            change = _compare_entry(feed, entry, stored.get(entry.guid), announced=entry.guid in announced)
        except Exception as error:  # noqa: BLE001 - one bad entry must not stop the others; it is counted and shown
            log.warning("bad_entry", feed_id=feed.id, error=type(error).__name__)
            bad += 1
        else:
            changed += [change] if change is not None else []
            fingerprints += [entry.entry.fingerprint] if entry.entry.fingerprint else []
    seen_ids = tuple(stored[entry.guid].id for entry in entries if entry.guid in stored)
    return PollDiff(tuple(changed), seen_ids, bad, tuple(fingerprints))


def _is_as_stored(feed: Feed, entry: IdentifiedEntry, stored: StoredEntry | None) -> bool:
    """True if an entry whose text is unchanged needs no writing: it is stored under this guid, and passes the filter or not."""
    if stored is None or stored.guid != entry.guid:
        return False
    return stored.left_out != passes_filter(feed.only, entry.entry)


def _announced(
    feed: Feed, entries: Sequence[IdentifiedEntry], stored: dict[str, StoredEntry], *, truncated: bool
) -> frozenset[str]:
    """Return the guids of entries that may be mailed (see `announcement`)."""
    of_feed = Entry.objects.filter(feed=feed)
    is_empty = not stored and not of_feed.exists()
    history = FeedHistory(feed.announce, feed.started_at, is_empty=is_empty, added_at=feed.created_at)

    def oldest_stored() -> datetime:
        oldest: datetime = of_feed.aggregate(Min("published_at"))["published_at__min"]
        return oldest

    return announcement(history, entries, stored, truncated=truncated, oldest_stored=oldest_stored)


def _compare_entry(
    feed: Feed, entry: IdentifiedEntry, stored: StoredEntry | None, *, announced: bool
) -> ChangedEntry | None:
    """Return what is to be written about one entry; None if it is as it was."""
    if entry.entry.unchanged:
        return None
    raw_hash = _raw_hash(entry.entry, feed.cut)
    left_out = not passes_filter(feed.only, entry.entry)
    same = stored is not None and stored.raw_hash == raw_hash
    if stored is not None and same and stored.guid == entry.guid and stored.left_out == left_out:
        return None
    if left_out:
        return ChangedEntry(entry, stored, raw_hash, (), left_out=True)
    # an entry that a narrower filter left out is no news when the filter is widened; without a body_hash it was edited just now
    filtered_before = stored is not None and stored.left_out and (same or feed.body_hash is None)
    cut = cut_entry(entry.entry, feed.cut)
    changes = _item_changes(cut.pieces, stored, announced=announced and not filtered_before)
    return ChangedEntry(entry, stored, raw_hash, changes, reason=cut.reason)


def _raw_hash(entry: ParsedEntry, mode: str) -> bytes:
    """Hash the content of an entry and how it is cut, without its date: a re-dated entry is the same."""
    content = [REVISION, mode, entry.title, entry.html, entry.url, entry.author, list(entry.categories)]
    return hashlib.sha256(json.dumps(content).encode()).digest()


def _item_changes(pieces: Sequence[Piece], stored: StoredEntry | None, *, announced: bool) -> tuple[ItemChange, ...]:
    """Pair the pieces of an entry with its stored items."""
    items = stored_items(stored.id) if stored is not None else []
    pairs = pair(items, pieces)
    has_new = any(partner.old is None for partner in pairs)
    before = known_shape([f"{item.title}\n{item.text}" for item in items] if has_new else [])
    changes = list[ItemChange]()
    for partner in pairs:
        piece = pieces[partner.new]
        if partner.old is not None:
            changes.append(ItemChange(piece, partner.new, items[partner.old], announced=True))
        else:
            # an entry that is only cut differently has no news: whoever was mailed its text must not get it again
            is_news = announced and not (items and is_known(piece.text, before))
            changes.append(ItemChange(piece, partner.new, None, announced=is_news))
    return tuple(changes)
