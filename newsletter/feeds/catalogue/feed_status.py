"""Show feeds, their health, and what they brought."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, F, OuterRef, Q, Subquery

from newsletter.feeds.catalogue.feed_health import NEEDS_SOMEBODY, explained
from newsletter.models import Citation, Entry, Feed, Fetch, Incident, Item, ItemVersion

#: Fetches, and entries, that are shown of one feed.
NEWEST = 10


@dataclass(frozen=True)
class FetchRow:
    """One fetch; `error` is empty if it succeeded."""

    at: datetime
    status: int | None
    bytes: int
    new: int
    changed: int
    ms: int
    error: str


@dataclass(frozen=True)
class FeedRow:
    """A feed and its state.

    `health` is a word of `feed_health.WORDS`, `reason` says why and what to do, `since` when that began. `entries` counts the
    stored ones, `posts_every` is in seconds, `incidents` are those that are open, in words. `read_at` is the last good read.
    """

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
    health: str
    only: dict[str, list[str]]
    posts_every: int | None
    newest_at: datetime | None
    incidents: tuple[str, ...]
    reason: str = ""
    since: datetime | None = None
    read_at: datetime | None = None
    failing_since: datetime | None = None

    @property
    def needs_somebody(self) -> bool:
        """True if somebody should look at it."""
        return self.health in NEEDS_SOMEBODY or bool(self.incidents)


@dataclass(frozen=True)
class SourceRow:
    """One source of an item."""

    publisher: str
    published_on: date | None
    url: str


@dataclass(frozen=True)
class ItemRow:
    """An item in its present version, `length` characters long. `announced` False: it is never mailed."""

    id: int
    title: str
    version: int
    length: int
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
    #: The feed's filter rejects it.
    left_out: bool
    #: Why it was cut into these items.
    reason: str
    items: tuple[ItemRow, ...]


@dataclass(frozen=True)
class FeedDetails:
    """A feed with its last fetches and newest entries."""

    feed: FeedRow
    fetches: tuple[FetchRow, ...]
    newest: tuple[EntryRow, ...]


def listing(*, now: datetime) -> tuple[FeedRow, ...]:
    """Return all feeds, by title."""
    return rows(Feed.objects.order_by("title", "id"), now=now)


def row_of(feed_id: int, *, now: datetime) -> FeedRow | None:
    """Return a feed and its state; None if there is no such feed."""
    return next(iter(rows(Feed.objects.filter(id=feed_id), now=now)), None)


def show(feed_id: int, *, now: datetime) -> FeedDetails | None:
    """Return a feed with its last fetches and newest entries; None if there is no such feed."""
    row = row_of(feed_id, now=now)
    if row is None:
        return None
    newest = Entry.objects.filter(feed_id=feed_id).order_by("-published_at", "-id")
    return FeedDetails(row, fetches(feed_id, NEWEST), entry_rows(newest[:NEWEST]))


def fetches(feed_id: int, most: int) -> tuple[FetchRow, ...]:
    """Return the last fetches of a feed, newest first."""
    return tuple(map(_fetch, Fetch.objects.filter(feed_id=feed_id).order_by("-id")[:most]))


def show_entry(feed_id: int, entry_id: int) -> EntryRow | None:
    """Return an entry of a feed with its items; None if there is no such entry."""
    return next(iter(entry_rows(Entry.objects.filter(feed_id=feed_id, id=entry_id))), None)


def rows(feeds: Iterable[Feed], *, now: datetime) -> tuple[FeedRow, ...]:
    """Return the rows of these feeds, in their order, in three queries."""
    chosen = list(feeds)
    ids = [feed.id for feed in chosen]
    entries = dict(Entry.objects.filter(feed_id__in=ids).values_list("feed_id").annotate(n=Count("id")).order_by())
    last = _last_fetches(ids)
    open_now: dict[int, list[str]] = {}
    for incident in Incident.objects.filter(feed_id__in=ids, closed_at=None).order_by("opened_at", "id"):
        open_now.setdefault(incident.feed_id, []).append(incident.detail)
    return tuple(
        _row(feed, entries.get(feed.id, 0), last.get(feed.id), open_now.get(feed.id, ()), now) for feed in chosen
    )


def _last_fetches(feed_ids: Collection[int]) -> dict[int, FetchRow]:
    newest = Fetch.objects.filter(feed_id=OuterRef("id")).order_by("-id").values("id")[:1]
    ids = Feed.objects.filter(id__in=feed_ids).annotate(last_id=Subquery(newest)).values("last_id")
    return {row.feed_id: _fetch(row) for row in Fetch.objects.filter(id__in=ids)}


def _row(feed: Feed, entries: int, last: FetchRow | None, incidents: Iterable[str], now: datetime) -> FeedRow:
    state = explained(feed, now, error=last.error if last else "")
    return FeedRow(
        id=feed.id,
        url=feed.url,
        title=feed.title,
        state=feed.state,
        announce=feed.announce,
        cut=feed.cut,
        next_fetch_at=feed.next_fetch_at,
        started_at=feed.started_at,
        failures=feed.failures,
        entries=entries,
        last=last,
        health=state.word,
        only=feed.only,
        posts_every=feed.posts_every,
        newest_at=feed.newest_at,
        incidents=tuple(incidents),
        reason=state.reason,
        since=state.since,
        read_at=feed.read_at,
        failing_since=feed.failing_since,
    )


def _fetch(row: Fetch) -> FetchRow:
    return FetchRow(row.at, row.status, row.bytes, row.new, row.changed, row.ms, row.error)


def entry_rows(chosen: Iterable[Entry]) -> tuple[EntryRow, ...]:
    """Return the rows of these entries, in their order, with their items in the present version."""
    entries = list(chosen)
    items: dict[int, list[ItemRow]] = {entry.id: [] for entry in entries}
    present = ItemVersion.objects.filter(Q(item__entry_id__in=items) & Q(n=F("item__version")))
    sources = _sources(Item.objects.filter(entry_id__in=items).values_list("id", flat=True))
    for row in present.select_related("item").order_by("item__position", "item_id"):
        item = row.item
        items[item.entry_id].append(
            ItemRow(
                id=item.id,
                title=row.title,
                version=row.n,
                length=len(row.text),
                announced=item.announced,
                matched=item.matched_at is not None,
                sources=sources.get(item.id, ()),
            )
        )
    return tuple(
        EntryRow(
            id=entry.id,
            title=entry.title,
            url=entry.url,
            published_at=entry.published_at,
            first_seen_at=entry.first_seen_at,
            left_out=entry.left_out,
            reason=entry.cut_reason,
            items=tuple(items[entry.id]),
        )
        for entry in entries
    )


def _sources(item_ids: Iterable[int]) -> dict[int, tuple[SourceRow, ...]]:
    sources: dict[int, tuple[SourceRow, ...]] = {}
    for row in Citation.objects.filter(item_id__in=list(item_ids)).order_by("item_id", "n"):
        source = SourceRow(row.publisher, row.published_on, row.url)
        sources[row.item_id] = (*sources.get(row.item_id, ()), source)
    return sources
