"""Add a feed in two steps: find what is at its URL, and store it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, record
from newsletter.feeds.catalogue import probe
from newsletter.feeds.catalogue.probe import FoundFeed, normal_url
from newsletter.feeds.cutting.cut import refusal
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.feeds.html.sanitize_text import single_line
from newsletter.feeds.storage import entry_filter
from newsletter.lib.refused import Refused
from newsletter.models import Feed

#: A look at a feed counts as the beginning of adding it for so long.
_LOOKED_AT = timedelta(days=1)


@dataclass(frozen=True)
class NewFeed:
    """How a feed is to be added: what of its first poll may be mailed, a title instead of its own, its filter and cut."""

    announce: str = "none"
    title: str = ""
    only: Mapping[str, Iterable[str]] = field(default_factory=dict)
    cut: str = "auto"


@dataclass(frozen=True)
class AddedFeed:
    """A new feed, due at once. `entries` is how many it has now; `note` says if a web page led to it."""

    feed_id: int
    url: str
    title: str
    entries: int
    note: str = ""


@dataclass(frozen=True)
class KnownFeed(Refused):
    """The feed is in the list already, as `feed_id`."""

    feed_id: int = 0


def find_new(url: str, *, fetcher: Fetcher, now: datetime) -> FoundFeed | Refused:
    """Find the feed at `url`. Refused with `KnownFeed` if it is in the list already."""
    known = _known(normal_url(url))
    if known is not None:
        return known
    online = probe.find_feed(url, fetcher=fetcher, now=now)
    if isinstance(online, Refused):
        return online
    return _known(online.url) or _known(online.came_from) or online


def add_found(
    online: FoundFeed, wanted: NewFeed, *, seen_at: datetime | None = None, now: datetime, actor: Actor
) -> AddedFeed | Refused:
    """Store a feed that was found. What it publishes after `seen_at`, when somebody looked at it first, is news."""
    name = single_line(wanted.title) or online.feed.title
    looked_at = min(max(seen_at or now, now - _LOOKED_AT), now)
    try:
        with transaction.atomic():
            feed = Feed.objects.create(
                url=online.url,
                title=name,
                title_given=bool(single_line(wanted.title)),
                announce=wanted.announce,
                only=entry_filter.normalize_filter(wanted.only),
                cut=wanted.cut,
                next_fetch_at=now,
                created_at=looked_at,
            )
            record_added(feed, actor=actor, now=now)
    except IntegrityError:
        return _known(online.url) or Refused("it could not be stored: try again")
    return AddedFeed(feed.id, feed.url, name, len(online.feed.entries), online.note)


def wrong_choice(wanted: NewFeed) -> Refused | None:
    """Return why a feed cannot be added like this; None if it can."""
    if wanted.announce not in Feed.Announce.values:
        return Refused(f"--announce must be one of {', '.join(Feed.Announce.values)}")
    return wrong_cut(wanted.cut)


def wrong_cut(cut: str) -> Refused | None:
    """Return why a feed cannot be cut like this; None if it can."""
    reason = refusal(cut)
    return Refused(single_line(reason)) if reason else None


def record_added(feed: Feed, *, actor: Actor, now: datetime) -> None:
    """Write to the audit log that a feed was added. Call it in that transaction."""
    after = {"url": feed.url, "announce": feed.announce, "cut": feed.cut, "only": feed.only}
    record(actor, "feed.add", thing_of(feed), now=now, after=after)


def thing_of(feed: Feed) -> Thing:
    """A feed in the audit log."""
    return Thing("feed", feed.id, feed.title)


def _known(url: str) -> KnownFeed | None:
    """Return a refusal if the feed at `url` is there already, with or without a closing slash, under http or https."""
    feed = Feed.objects.filter(url__in=url_variants(url)).first()
    if feed is None:
        return None
    return KnownFeed(f"this feed is already in the list: see 'newsletter feeds show {feed.id}'", feed.id)


def url_variants(url: str) -> list[str]:
    """Return a feed's URL with and without a closing slash, under http and https."""
    if not url:
        return []
    rest = url.partition("://")[2]
    rests = {rest, rest.rstrip("/"), rest.rstrip("/") + "/"}
    return [f"{scheme}://{rest}" for scheme in ("http", "https") for rest in sorted(rests)]
