"""What a poll means for the tables: which entries are new or edited, and which items they are made of. Reads, never writes."""

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import F, Min, Q, QuerySet

from newsletter.feeds.citations.source_line import CitedSource
from newsletter.feeds.cutting.cut import Piece, cut_entry
from newsletter.feeds.html import sanitize_html
from newsletter.feeds.parsing.fingerprints import REVISION
from newsletter.feeds.parsing.model import ParsedEntry, ParsedFeed
from newsletter.feeds.storage import edit_significance
from newsletter.feeds.storage.entry_filter import lets_through
from newsletter.feeds.storage.entry_identity import (
    Identified,
    Known,
    adopted,
    identify,
    recognised,
    reworded,
    shared_words,
)
from newsletter.feeds.storage.item_pairing import is_known, known_shape, pair
from newsletter.models import Citation, Entry, Feed, ItemVersion

log = logging.getLogger(__name__)
#: Entries so much older than the first poll are history when so many of them come at once.
OLD, SEVERAL = timedelta(days=10), 3
#: Of the stored entries that share a link so many are looked at when one of them may have been edited.
REWORDED = 100
#: A text that changes with every poll ("5 minutes ago") is followed through so many versions, and then no more.
VERSIONS = 10_000


@dataclass(frozen=True)
class Stored:
    """The present version of a stored item. `waits`: something material of it has not met the topics yet."""

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


@dataclass(frozen=True)
class Change:
    """One piece of an entry, and the stored item that it is; `item` None: a new item. `announced`: it may be mailed."""

    piece: Piece
    position: int
    item: Stored | None
    announced: bool

    @cached_property
    def is_edit(self) -> bool:
        """True when a stored item is worded in another way now, however slightly: offsets speak of one wording."""
        item, piece = self.item, self.piece
        if item is not None and item.version >= VERSIONS:
            return False
        if item is None or (item.title, item.text, item.cited) != (piece.title, piece.text, piece.cited):
            return item is not None
        return not edit_significance.same_markup(item.html, piece.html)

    @cached_property
    def is_material(self) -> bool:
        """True when the item says something else than what last met the topics (see `changes.judge`)."""
        if self.item is None or self.item.waits:
            return True
        same = self.item.meaning_hash == self.meaning_hash
        return not same and isinstance(edit_significance.judge(self.item, self.piece), edit_significance.Material)

    @cached_property
    def meaning_hash(self) -> bytes:
        """Of the piece's wording."""
        return edit_significance.meaning_hash(self.piece.title, self.piece.text, self.piece.cited)


@dataclass(frozen=True)
class News:
    """A new entry (`known` None) or an edited one, with what becomes of its items.

    `left_out`: the feed is narrowed and does not let it through, so nothing becomes of them. `reason` is why it was cut as it
    was.
    """

    one: Identified
    known: Known | None
    raw_hash: bytes
    changes: tuple[Change, ...]
    left_out: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Poll:
    """All that is to be written. `seen` are ids of stored entries that are still in the feed; `bad` entries gave no items.

    `marks` are of all entries but the bad ones. `whole` False: an entry that came without its HTML is not stored as it is, so
    that nothing can be written before the feed was read whole.
    """

    news: tuple[News, ...]
    seen: tuple[int, ...]
    bad: int
    marks: tuple[str, ...] = ()
    whole: bool = True


def read(feed: Feed, parsed: ParsedFeed) -> Poll:
    """Compare what a feed says with what is stored."""
    shared = Entry.objects.filter(feed=feed, guid_kind__in=("guid+link", "guid+title", "hash")).values_list(
        "guid", "guid_kind", "url"
    )
    found = identify(parsed.entries, shared_words(shared))
    stored = _stored(feed, found)
    if not all(_is_as_stored(feed, one, stored.get(one.guid)) for one in found if one.entry.unchanged):
        return Poll((), (), 0, whole=False)
    first = not stored and not Entry.objects.filter(feed=feed).exists()
    announced = (
        _announced_first(feed, found)
        if first
        else frozenset(one.guid for one in found) - _history(feed, found, stored, truncated=parsed.left_out > 0)
    )
    news, seen, marks, bad = [], [], [], 0
    for one in found:
        known = stored.get(one.guid)
        if known is not None:
            seen.append(known.id)
        try:
            told = _news(feed, one, known, announced=one.guid in announced)
        except Exception as error:  # noqa: BLE001 - one bad entry must not stop the others; it is counted and shown
            log.warning("bad_entry feed=%s error=%s", feed.id, type(error).__name__)
            bad += 1
        else:
            news += [told] if told is not None else []
            marks += [one.entry.fingerprint] if one.entry.fingerprint else []
    return Poll(tuple(news), tuple(seen), bad, tuple(marks))


def _is_as_stored(feed: Feed, one: Identified, known: Known | None) -> bool:
    """True when nothing can become of an entry that says what it said: it is stored, under this guid, and let through or not."""
    return known is not None and known.guid == one.guid and known.left_out != lets_through(feed.only, one.entry)


def _news(feed: Feed, one: Identified, known: Known | None, *, announced: bool) -> News | None:
    """What is to be written about one entry; None when it says nothing else than the last time."""
    if one.entry.unchanged:
        return None
    raw_hash = _raw_hash(one.entry, feed.cut)
    left_out = not lets_through(feed.only, one.entry)
    same = known is not None and known.raw_hash == raw_hash
    if known is not None and same and known.guid == one.guid and known.left_out == left_out:
        return None
    if left_out:
        return News(one, known, raw_hash, (), left_out=True)
    # what passed while the feed was narrower is not news when it is widened; without a body_hash it was edited just now
    passed = known is not None and known.left_out and (same or feed.body_hash is None)
    announced = announced and not passed
    made = cut_entry(one.entry, feed.cut)
    return News(one, known, raw_hash, _changes(made.pieces, known, announced=announced), reason=made.reason)


def _stored(feed: Feed, found: Sequence[Identified]) -> dict[str, Known]:
    """Stored entries by the guid under which they are in this poll."""
    by_guid = _known(
        Entry.objects.filter(feed=feed, guid__in={word for one in found for word in (one.guid, one.earlier)})
    )
    stored = {one.guid: known for one in found if (known := recognised(one, by_guid)) is not None}
    stored |= _reworded(feed, found, stored)
    strangers = [one for one in found if one.guid not in stored]
    if strangers:
        links = [one.link_hash for one in strangers if one.link_hash is not None]
        dates = [one.entry.published_at for one in strangers if one.entry.published_at is not None]
        alike = Entry.objects.filter(Q(link_hash__in=links) | Q(published_at__in=dates), feed=feed)
        here = {known.id for known in stored.values()}
        absent = [known for known in _known(alike).values() if known.id not in here]
        stored |= adopted(strangers, absent, _has_same_text)
    return stored


def _reworded(feed: Feed, found: Sequence[Identified], stored: dict[str, Known]) -> dict[str, Known]:
    """Stored entries with another title, of those that only title and text tell apart, by their guid in this poll."""
    strangers = [one for one in found if one.guid not in stored and one.kind in ("guid+title", "hash")]
    if not strangers:
        return {}
    here = {known.id for known in stored.values()}
    alike = Entry.objects.filter(feed=feed, url__in={one.entry.url for one in strangers}).exclude(id__in=here)
    # one that was edited was in the last poll: those seen last come first
    absent = _known(alike.order_by("-last_seen_at", "-id")[:REWORDED]).values()
    return reworded(strangers, list(absent), lambda known: "\n".join(item.text for item in _items(known.id)))


def _has_same_text(one: Identified, known: Known) -> bool:
    text = sanitize_html.to_text(one.entry.html)
    return bool(text.strip()) and is_known(text, known_shape([item.text for item in _items(known.id)]))


def _known(rows: QuerySet[Entry]) -> dict[str, Known]:
    columns = rows.values_list(
        "id", "guid", "guid_kind", "url", "title", "published_at", "left_out", "raw_hash", "link_hash"
    )
    return {
        guid: Known(
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


def _history(feed: Feed, found: Sequence[Identified], stored: dict[str, Known], *, truncated: bool) -> frozenset[str]:
    """Guids of what is new to us, was old when we began to read the feed, and is older than all we know of it, where several
    come at once: it shows more now.

    A single one is a date gone wrong, or something put in later: news all the same. But of a `truncated` feed, with more entries
    than are read, the next older one is read when a newer one is taken back.
    """
    if feed.started_at is None:
        return frozenset()
    begun = feed.started_at if truncated else feed.started_at - OLD
    dates = {one.guid: one.entry.published_at for one in found if one.guid not in stored}
    old = {guid: published_at for guid, published_at in dates.items() if published_at and published_at < begun}
    if not old or (len(old) < SEVERAL and not truncated):
        return frozenset()
    oldest = Entry.objects.filter(feed=feed).aggregate(Min("published_at"))["published_at__min"]
    return frozenset(guid for guid, published_at in old.items() if published_at < oldest)


def _announced_first(feed: Feed, found: Sequence[Identified]) -> frozenset[str]:
    """Of the first poll that has entries: those that may be mailed, as the feed's `announce` says.

    After a first poll without any entry, those that were published since are news, whatever it says.
    """
    if feed.announce == Feed.Announce.ALL:
        return frozenset(one.guid for one in found)
    since = feed.started_at
    out = {one.guid for one in found if since and one.entry.published_at and one.entry.published_at >= since}
    if feed.announce == Feed.Announce.LATEST and found:
        out.add(_newest(found).guid)
    return frozenset(out)


def _newest(found: Sequence[Identified]) -> Identified:
    """By date; feeds list their newest entry first, so the first one counts where dates are missing or the same."""
    dated = [one for one in found if one.entry.published_at]
    return max(dated, key=lambda one: one.entry.published_at or datetime.min) if dated else found[0]  # noqa: DTZ901


def _raw_hash(entry: ParsedEntry, mode: str) -> bytes:
    """What an entry says and how it is cut; not its date: a re-dated entry is the same."""
    words = [REVISION, mode, entry.title, entry.html, entry.url, entry.author, list(entry.categories)]
    return hashlib.sha256(json.dumps(words).encode()).digest()


def _changes(pieces: Sequence[Piece], known: Known | None, *, announced: bool) -> tuple[Change, ...]:
    old = _items(known.id) if known is not None else []
    out = []
    partners = pair(old, pieces)
    lone = any(partner.old is None for partner in partners)
    had = known_shape([f"{item.title}\n{item.text}" for item in old] if lone else [])
    for partner in partners:
        piece = pieces[partner.new]
        if partner.old is not None:
            out.append(Change(piece, partner.new, old[partner.old], announced=True))
        else:
            # an entry that is only cut differently says nothing new: who was given its text must not get it again
            fresh = announced and not (old and is_known(piece.text, had))
            out.append(Change(piece, partner.new, None, announced=fresh))
    return tuple(out)


def _items(entry_id: int) -> list[Stored]:
    """The items of an entry in their present version, oldest first, also those that are no longer in it."""
    cited: dict[int, list[CitedSource]] = defaultdict(list)
    for one in Citation.objects.filter(item__entry_id=entry_id).order_by("item_id", "n"):
        cited[one.item_id].append(CitedSource(one.publisher, one.published_on, one.url))
    present = ItemVersion.objects.filter(Q(item__entry_id=entry_id) & Q(n=F("item__version"))).select_related("item")
    return [
        Stored(
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
