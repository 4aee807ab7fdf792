"""The entries of a feed in pages, and its incidents of the last month."""

from dataclasses import dataclass

from django.db.models import Q

from newsletter.feeds.catalogue.feed_status import EntryRow, entry_rows
from newsletter.models import Entry, Incident

#: Incidents that are shown of a feed.
_INCIDENTS = 20


@dataclass(frozen=True)
class EntryPage:
    """Some entries of a feed, newest first. `after`: the entry to ask with for older ones; None: these are the last."""

    entries: tuple[EntryRow, ...]
    after: int | None


def entry_page(feed_id: int, *, after: int | None = None, size: int = 25) -> EntryPage:
    """Return the newest entries of a feed by date of publication, of those older than the entry `after`."""
    entries = Entry.objects.filter(feed_id=feed_id)
    last = entries.filter(id=after).values_list("published_at", flat=True).first() if after is not None else None
    if last is not None:
        entries = entries.filter(Q(published_at__lt=last) | Q(published_at=last, id__lt=after))
    rows = list(entries.order_by("-published_at", "-id")[: size + 1])
    return EntryPage(entry_rows(rows[:size]), rows[size - 1].id if len(rows) > size else None)


def incidents_of(feed_id: int) -> tuple[Incident, ...]:
    """Return the incidents of a feed, the open ones first, then the newest."""
    incidents = list(Incident.objects.filter(feed_id=feed_id).order_by("-opened_at", "-id")[:_INCIDENTS])
    return tuple(sorted(incidents, key=lambda incident: incident.closed_at is not None))
