"""Manage the feeds that are polled: check, add, edit, pause, resume, remove."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import record, record_difference
from newsletter.feeds.catalogue import probe
from newsletter.feeds.catalogue.new_feed import (
    AddedFeed,
    NewFeed,
    add_found,
    find_new,
    thing_of,
    url_variants,
    wrong_choice,
    wrong_cut,
)
from newsletter.feeds.catalogue.probe import CheckedFeed, normal_url
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.feeds.html.sanitize_text import single_line
from newsletter.feeds.storage import entry_filter, incidents
from newsletter.lib.refused import Refused
from newsletter.models import Feed, Incident

#: Columns that somebody decides on; the others follow from what the feed says.
_DECIDED = ("title", "title_given", "announce", "cut", "only", "state")
_BUILT_IN = Refused("this feed is built in and never polled: see 'newsletter items publish'")


@dataclass(frozen=True)
class ChangedFeed:
    """A feed was changed as asked."""

    feed_id: int
    title: str


def check(
    url: str,
    *,
    only: Mapping[str, Iterable[str]] | None = None,
    cut: str = "auto",
    fetcher: Fetcher,
    now: datetime,
) -> CheckedFeed | Refused:
    """Check the feed at `url`: cut its newest entries into items, and apply the filter `only`. Stores nothing."""
    refused = wrong_cut(cut)
    if refused is not None:
        return refused
    feed = probe.find_feed(url, fetcher=fetcher, now=now)
    if isinstance(feed, Refused):
        return feed
    return probe.check_entries(feed, mode=cut, only=entry_filter.normalize_filter(only or {}))


def add(
    url: str,
    *,
    announce: str = "none",
    title: str = "",
    only: Mapping[str, Iterable[str]] | None = None,
    cut: str = "auto",
    fetcher: Fetcher,
    now: datetime,
    actor: Actor,
) -> AddedFeed | Refused:
    """Add the feed at `url` after reading it once to be sure that it is one; its entries come with the first poll.

    `announce` says what of that first poll may be mailed: none, latest or all. `only` is its filter (see `entry_filter`), `cut`
    says how its entries become items.
    """
    wanted = NewFeed(announce, title, only or {}, cut)
    refused = wrong_choice(wanted)
    if refused is not None:
        return refused
    online = find_new(url, fetcher=fetcher, now=now)
    return online if isinstance(online, Refused) else add_found(online, wanted, now=now, actor=actor)


def find(reference: str) -> int | None:
    """Return a feed's id for an id or URL as typed; None if there is none."""
    plain = reference.strip()
    if plain.isascii() and plain.isdigit() and len(plain) < 10:
        return Feed.objects.filter(id=int(plain)).values_list("id", flat=True).first()
    return Feed.objects.filter(url__in=url_variants(normal_url(plain))).values_list("id", flat=True).first()


def edit(
    feed_id: int,
    *,
    now: datetime,
    actor: Actor,
    title: str | None = None,
    announce: str | None = None,
    cut: str | None = None,
    only: Mapping[str, Iterable[str]] | None = None,
) -> ChangedFeed | Refused:
    """Change what is given. An empty `title` brings back the feed's own; after `cut` and `only` it is read whole again.

    Entries that a filter left out are not mailed when it is widened; those stored before it was narrowed stay.
    """
    columns: dict[str, Any] = {}
    if announce is not None:
        if announce not in Feed.Announce.values:
            return Refused(f"--announce must be one of {', '.join(Feed.Announce.values)}")
        columns["announce"] = announce
    if cut is not None:
        refused = wrong_cut(cut)
        if refused is not None:
            return refused
        columns |= {"cut": cut, **_read_whole(now)}
    if only is not None:
        columns |= {"only": entry_filter.normalize_filter(only), **_read_whole(now)}
    if title is not None:
        name = single_line(title)
        columns |= {"title_given": bool(name), **({"title": name} if name else _read_whole(now))}
    return _update(feed_id, columns, "feed.edit", actor, now)


def pause(feed_id: int, *, now: datetime, actor: Actor) -> ChangedFeed | Refused:
    """Stop polling a feed."""
    return _update(feed_id, {"state": Feed.State.PAUSED}, "feed.pause", actor, now)


def resume(feed_id: int, *, now: datetime, actor: Actor) -> ChangedFeed | Refused:
    """Poll a feed again, at once, also one that had ended or was quarantined."""
    columns = {"state": Feed.State.ACTIVE, "next_fetch_at": now, "failures": 0, "failing_since": None, "kills": 0}
    with transaction.atomic():
        for kind in (Incident.Kind.ENDED, Incident.Kind.QUARANTINED):
            incidents.close(feed_id, kind, now=now)
        return _update(feed_id, columns, "feed.resume", actor, now)


def mark_due(feed_id: int, *, now: datetime) -> ChangedFeed | Refused:
    """Make a feed due at once. This is not written to the audit log: it only hurries what happens anyway."""
    feed = Feed.objects.filter(id=feed_id).first()
    if feed is None:
        return _missing(feed_id)
    if feed.state == Feed.State.BY_HAND:
        return _BUILT_IN
    Feed.objects.filter(id=feed_id).update(next_fetch_at=now)
    return ChangedFeed(feed_id, feed.title)


def remove(feed_id: int, *, now: datetime, actor: Actor) -> ChangedFeed | Refused:
    """Delete a feed with its entries, items and their matches. What was mailed stays mailed."""
    with transaction.atomic():
        feed = Feed.objects.filter(id=feed_id).first()
        if feed is None:
            return _missing(feed_id)
        if feed.state == Feed.State.BY_HAND:
            return _BUILT_IN
        before = {"url": feed.url, **{name: getattr(feed, name) for name in _DECIDED}}
        record(actor, "feed.remove", thing_of(feed), now=now, before=before)
        feed.delete()
    return ChangedFeed(feed_id, feed.title)


def _read_whole(now: datetime) -> dict[str, Any]:
    """Return columns that make the next poll read the whole feed, whether it has changed or not."""
    return {"etag": "", "last_modified": "", "body_hash": None, "marks": b"", "next_fetch_at": now}


def _update(feed_id: int, columns: dict[str, Any], action: str, actor: Actor, now: datetime) -> ChangedFeed | Refused:
    with transaction.atomic():
        feed = Feed.objects.select_for_update().filter(id=feed_id).first()
        if feed is None:
            return _missing(feed_id)
        if feed.state == Feed.State.BY_HAND:
            return _BUILT_IN
        after = {name: columns[name] for name in _DECIDED if name in columns}
        before = {name: getattr(feed, name) for name in after}
        record_difference(actor, action, thing_of(feed), now=now, before=before, after=after)
        if columns:
            Feed.objects.filter(id=feed_id).update(**columns)
        return ChangedFeed(feed_id, columns.get("title", feed.title))


def _missing(feed_id: int) -> Refused:
    return Refused(f"there is no feed {feed_id}: see 'newsletter feeds list'")
