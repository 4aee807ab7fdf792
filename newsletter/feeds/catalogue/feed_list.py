"""List feeds for a page: the broken first, filtered by health and words, with the items of each day as a small chart."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from django.db.models import Count
from django.db.models.functions import TruncDate

from newsletter.feeds.catalogue import feed_status
from newsletter.feeds.catalogue.feed_health import NEEDS_SOMEBODY, WORDS, gravity, health
from newsletter.feeds.catalogue.feed_status import FeedRow
from newsletter.models import Feed, Incident, Item

#: Days of the chart, with today.
DAYS = 30
#: A filter by health that stands for several: what needs somebody.
TROUBLE = "trouble"


@dataclass(frozen=True)
class ListedFeed:
    """A feed with the items that it published on each of the last `DAYS` days, the oldest first."""

    row: FeedRow
    items_per_day: tuple[tuple[date, int], ...]


@dataclass(frozen=True)
class FeedPage:
    """Some feeds of a list. `after` is what to ask with for the next ones; None: these are the last.

    `ids` are all that the filter lets through; `by_health` counts all feeds, whatever the filter.
    """

    feeds: tuple[ListedFeed, ...]
    after: int | None
    ids: tuple[int, ...]
    by_health: dict[str, int]


def list_feeds(
    *, now: datetime, wanted: str = "", words: str = "", after: int | None = None, size: int = 50, zone: tzinfo = UTC
) -> FeedPage:
    """Return a page of the feeds that `wanted` (a health, or `TROUBLE`) and `words` (of title or URL) let through.

    The gravest come first, those of one health by title. `after` is the last feed of the page before; days are those of `zone`.
    """
    feeds = list(Feed.objects.defer("marks", "body_hash", "etag", "last_modified"))
    words_of = {feed.id: health(feed, now) for feed in feeds}
    open_ids = set(Incident.objects.filter(closed_at=None).values_list("feed_id", flat=True))
    by_health = Counter(words_of.values())
    by_health[TROUBLE] = sum(_in_trouble(feed.id, words_of, open_ids) for feed in feeds)
    chosen = [
        feed
        for feed in feeds
        if _is_wanted(wanted, feed.id, words_of, open_ids) and _has_words(words, feed.title, feed.url)
    ]
    # an incident of a feed that is read well comes after those that are not
    chosen.sort(
        key=lambda feed: (
            not _in_trouble(feed.id, words_of, open_ids),
            gravity(words_of[feed.id]),
            feed.title.casefold(),
            feed.id,
        )
    )
    ids = tuple(feed.id for feed in chosen)
    first = ids.index(after) + 1 if after in ids else 0
    shown = feed_status.rows(chosen[first : first + size], now=now)
    charts = items_per_day([row.id for row in shown], now=now, zone=zone)
    return FeedPage(
        tuple(ListedFeed(row, charts[row.id]) for row in shown),
        shown[-1].id if shown and first + size < len(ids) else None,
        ids,
        {word: by_health[word] for word in (TROUBLE, *WORDS) if by_health[word]},
    )


def items_per_day(
    feed_ids: Collection[int], *, now: datetime, zone: tzinfo = UTC
) -> dict[int, tuple[tuple[date, int], ...]]:
    """Return how many items each feed published on each of the last `DAYS` days."""
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    since = datetime(days[0].year, days[0].month, days[0].day, tzinfo=zone)
    recent = Item.objects.filter(entry__feed_id__in=feed_ids, entry__published_at__gte=since)
    counted = recent.annotate(day=TruncDate("entry__published_at", tzinfo=zone)).values_list("entry__feed_id", "day")
    found = {(feed_id, day): n for feed_id, day, n in counted.annotate(n=Count("id")).order_by()}
    return {feed_id: tuple((day, found.get((feed_id, day), 0)) for day in days) for feed_id in feed_ids}


def _in_trouble(feed_id: int, words_of: dict[int, str], open_ids: Collection[int]) -> bool:
    return words_of[feed_id] in NEEDS_SOMEBODY or (feed_id in open_ids and words_of[feed_id] != "paused")


def _is_wanted(wanted: str, feed_id: int, words_of: dict[int, str], open_ids: Collection[int]) -> bool:
    if wanted == TROUBLE:
        return _in_trouble(feed_id, words_of, open_ids)
    return not wanted or words_of[feed_id] == wanted


def _has_words(words: str, title: str, url: str) -> bool:
    text = f"{title} {url}".casefold()
    return all(word in text for word in words.casefold().split())
