"""Entries that came and went between two polls: noticed, and fetched from the feed's older pages."""

from collections import Counter
from dataclasses import replace
from datetime import datetime

from django.db.models import Q

from newsletter.feeds.archive import older_pages
from newsletter.feeds.fetching.fetch_and_parse import Order, Parse, Read
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.feeds.parsing.model import ParsedFeed
from newsletter.lib.deadline import deadline
from newsletter.models import Entry, Feed

#: Of the newest known entries so many are looked for; older pages are read until one of them is met, but no more than this.
LOOKED_FOR, MOST_PAGES = 50, 20
#: So many known entries in a feed are more than a pinned one.
PINNED = 2
#: Seconds for all of them together, and between two of them.
SECONDS, PAUSE = 90.0, 0.5


def before(feed: Feed, parsed: ParsedFeed) -> frozenset[str] | None:
    """Guids and links of the newest known entries, when the newest of all is no longer in the feed while new ones are.

    None: there is no gap. A feed that shows its newest entry is whole up to there, and so is one that shows several others: its
    newest was taken back (a single one may be pinned to the top). One without news needs no look, and one whose entries have
    no link gives nothing to look for.
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
    # a link that several entries share tells none of them
    shared = Counter(link for _, link in newest)
    return frozenset(guid for guid, _ in newest) | frozenset(
        link for link, count in shared.items() if link and count == 1
    )


def bridge(order: Order, answer: Read, known: frozenset[str], *, fetcher: Fetcher, parse: Parse, now: datetime) -> Read:
    """`answer` with the entries of older pages, up to one that is `known`; with `gap` in words when none of them is met."""
    reader = older_pages.Reader(fetcher, parse, now, PAUSE)
    with deadline(SECONDS):
        found = older_pages.catch_up(order.url, answer.parsed, known, reader, most_pages=MOST_PAGES)
    parsed = replace(answer.parsed, entries=answer.parsed.entries + found.entries)
    if found.met:
        return replace(answer, parsed=parsed)
    why = f" ({found.error})" if found.error else ""
    advice = f"'newsletter feeds backfill {order.feed_id}' reads its archive, if it has one"
    return replace(answer, parsed=parsed, gap=f"between two reads entries came and went unseen{why}: {advice}")
