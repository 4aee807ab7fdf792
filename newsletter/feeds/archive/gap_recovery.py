"""Notice entries that came and went between two polls, and fetch them from the feed's older pages."""

from collections import Counter
from dataclasses import replace
from datetime import datetime

from django.db.models import Q

from newsletter.feeds.archive import older_pages
from newsletter.feeds.fetching.fetch_and_parse import FetchRequest, Parse, Updated
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.feeds.parsing.model import ParsedFeed
from newsletter.lib.deadline import deadline
from newsletter.models import Entry, Feed

#: The newest known entries that are searched for, and the older pages that are read until one of them is found, at most.
LOOKED_FOR, MOST_PAGES = 50, 20
#: So many known entries in a feed cannot all be pinned ones.
PINNED = 2
#: Seconds for all pages together, and between two of them.
SECONDS, PAUSE = 90.0, 0.5


def find_gap(feed: Feed, parsed: ParsedFeed) -> frozenset[str] | None:
    """Return guids and links of the newest known entries if the newest of all is no longer in the feed while new ones are.

    Returns None if there is no gap. A feed that shows its newest known entry is whole down to there, and so is one that shows
    several others: its newest was taken back (a single one may be pinned to the top). A feed without new entries has no gap,
    and one whose entries have no link gives nothing to search for.
    """
    if feed.started_at is None or not parsed.entries:
        return None
    stored = Entry.objects.filter(feed=feed)
    newest = list(stored.order_by("-published_at", "-id").values_list("guid", "url")[:LOOKED_FOR])
    guids, links = {entry.guid for entry in parsed.entries}, {entry.url for entry in parsed.entries if entry.url}
    if not newest or not newest[0][1] or (guids | links) & set(newest[0]):
        return None
    if stored.filter(Q(guid__in=guids) | Q(url__in=links)).count() >= min(PINNED, len(parsed.entries)):
        return None
    # a link that several entries share identifies none of them
    shared = Counter(link for _, link in newest)
    return frozenset(guid for guid, _ in newest) | frozenset(
        link for link, count in shared.items() if link and count == 1
    )


def fetch_missing(
    request: FetchRequest, result: Updated, known: frozenset[str], *, fetcher: Fetcher, parse: Parse, now: datetime
) -> Updated:
    """Add the entries of older pages to `result`, down to a `known` one; set its `gap` if none of these is found."""
    reader = older_pages.PageReader(fetcher, parse, now, PAUSE)
    with deadline(SECONDS):
        recovered = older_pages.read_until_known(request.url, result.parsed, known, reader, most_pages=MOST_PAGES)
    parsed = replace(result.parsed, entries=result.parsed.entries + recovered.entries)
    if recovered.reached_known:
        return replace(result, parsed=parsed)
    why = f" ({recovered.error})" if recovered.error else ""
    advice = f"'newsletter feeds backfill {request.feed_id}' reads its archive, if it has one"
    return replace(result, parsed=parsed, gap=f"between two reads entries came and went unseen{why}: {advice}")
