"""Feeds, their health and what they brought, for people to look at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, F, OuterRef, Q, Subquery

from newsletter.models import Citation, Entry, Feed, Fetch, Item, ItemVersion


@dataclass(frozen=True)
class FetchRow:
    """One fetch; `error` is empty when it went well."""

    at: datetime
    status: int | None
    bytes: int
    new: int
    changed: int
    ms: int
    error: str


@dataclass(frozen=True)
class FeedRow:
    """A feed and how it does. `entries` counts what is stored."""

    id: int
    url: str
    title: str
    state: str
    announce: str
    cut: str
    next_fetch_at: datetime
    started_at: datetime | None
    failures: int
    entries: int
    last: FetchRow | None


@dataclass(frozen=True)
class SourceRow:
    """One source of an item."""

    publisher: str
    published_on: date | None
    url: str


@dataclass(frozen=True)
class ItemRow:
    """An item in its present version. `announced` False: it is never mailed."""

    id: int
    title: str
    version: int
    announced: bool
    matched: bool
    sources: tuple[SourceRow, ...]


@dataclass(frozen=True)
class EntryRow:
    """An entry and its items."""

    id: int
    title: str
    url: str
    published_at: datetime
    first_seen_at: datetime
    items: tuple[ItemRow, ...]


@dataclass(frozen=True)
class FeedShown:
    """A feed with its last fetches and newest entries."""

    feed: FeedRow
    fetches: tuple[FetchRow, ...]
    newest: tuple[EntryRow, ...]


def listing() -> tuple[FeedRow, ...]:
    """All feeds, by title."""
    return _rows(Feed.objects.order_by("title", "id"))


def show(feed_id: int, *, newest: int = 10) -> FeedShown | None:
    """A feed, its last ten fetches and `newest` entries; None if there is no such feed."""
    rows = _rows(Feed.objects.filter(id=feed_id))
    if not rows:
        return None
    fetches = Fetch.objects.filter(feed_id=feed_id).order_by("-id")[:10]
    return FeedShown(rows[0], tuple(map(_fetch, fetches)), _entries(feed_id, newest))


def _rows(feeds: Iterable[Feed]) -> tuple[FeedRow, ...]:
    found = list(feeds)
    counts = dict(Entry.objects.values_list("feed_id").annotate(n=Count("id")).order_by())
    newest = Fetch.objects.filter(feed_id=OuterRef("id")).order_by("-id").values("id")[:1]
    ids = Feed.objects.annotate(last_id=Subquery(newest)).values_list("last_id", flat=True)
    last = {row.feed_id: _fetch(row) for row in Fetch.objects.filter(id__in=[one for one in ids if one])}
    return tuple(
        FeedRow(
            id=feed.id,
            url=feed.url,
            title=feed.title,
            state=feed.state,
            announce=feed.announce,
            cut=feed.cut,
            next_fetch_at=feed.next_fetch_at,
            started_at=feed.started_at,
            failures=feed.failures,
            entries=counts.get(feed.id, 0),
            last=last.get(feed.id),
        )
        for feed in found
    )


def _fetch(row: Fetch) -> FetchRow:
    return FetchRow(row.at, row.status, row.bytes, row.new, row.changed, row.ms, row.error)


def _entries(feed_id: int, newest: int) -> tuple[EntryRow, ...]:
    entries = list(Entry.objects.filter(feed_id=feed_id).order_by("-first_seen_at", "-published_at", "-id")[:newest])
    items: dict[int, list[ItemRow]] = {entry.id: [] for entry in entries}
    present = ItemVersion.objects.filter(Q(item__entry_id__in=items) & Q(n=F("item__version")))
    sources = _sources(Item.objects.filter(entry_id__in=items).values_list("id", flat=True))
    for row in present.select_related("item").order_by("item__position", "item_id"):
        item = row.item
        items[item.entry_id].append(
            ItemRow(item.id, row.title, row.n, item.announced, item.matched_at is not None, sources.get(item.id, ()))
        )
    return tuple(
        EntryRow(entry.id, entry.title, entry.url, entry.published_at, entry.first_seen_at, tuple(items[entry.id]))
        for entry in entries
    )


def _sources(item_ids: Iterable[int]) -> dict[int, tuple[SourceRow, ...]]:
    out: dict[int, tuple[SourceRow, ...]] = {}
    for row in Citation.objects.filter(item_id__in=list(item_ids)).order_by("item_id", "n"):
        source = SourceRow(row.publisher, row.published_on, row.url)
        out[row.item_id] = (*out.get(row.item_id, ()), source)
    return out
