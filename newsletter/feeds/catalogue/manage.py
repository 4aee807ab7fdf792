"""The feeds that are polled: check, add, list, show, edit, pause, remove. Values in, values out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from newsletter.feeds.catalogue import probe
from newsletter.feeds.catalogue.feed_status import FeedShown, listing, show, show_entry
from newsletter.feeds.catalogue.probe import Checked, Parse, normal_url
from newsletter.feeds.cutting.cut import refusal
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.feeds.html.sanitize_text import single_line
from newsletter.feeds.sandbox import sandboxed_parse
from newsletter.feeds.storage import entry_filter, incidents
from newsletter.lib.refused import Refused
from newsletter.models import Feed, Incident

__all__ = [
    "Added",
    "Checked",
    "Done",
    "FeedShown",
    "add",
    "check",
    "edit",
    "find",
    "listing",
    "mark_due",
    "pause",
    "remove",
    "resume",
    "show",
    "show_entry",
]


@dataclass(frozen=True)
class Added:
    """A new feed, due at once. `entries` is how many it has now; `note` says if a web page led to it."""

    feed_id: int
    url: str
    title: str
    entries: int
    note: str = ""


@dataclass(frozen=True)
class Done:
    """A feed was changed as asked."""

    feed_id: int


def check(
    url: str,
    *,
    only: Mapping[str, Iterable[str]] | None = None,
    cut: str = "auto",
    fetcher: Fetcher,
    now: datetime,
    parse: Parse = sandboxed_parse.parse_in_sandbox,
) -> Checked | Refused:
    """What is at `url`, its newest entries cut into items, and which of them a feed narrowed to `only` would let through.

    Nothing is stored.
    """
    refused = _wrong_cut(cut)
    if refused is not None:
        return refused
    found = probe.find(url, fetcher=fetcher, parse=parse, now=now)
    return (
        found
        if isinstance(found, Refused)
        else probe.checked(found, mode=cut, only=entry_filter.normalize_filter(only or {}))
    )


def add(
    url: str,
    *,
    announce: str = "none",
    title: str = "",
    only: Mapping[str, Iterable[str]] | None = None,
    cut: str = "auto",
    fetcher: Fetcher,
    now: datetime,
    parse: Parse = sandboxed_parse.parse_in_sandbox,
) -> Added | Refused:
    """Add the feed at `url` after reading it once to be sure that it is one; its entries come with the first poll.

    `announce` says what of that first poll may be mailed: none, latest or all. `only` narrows it (see `choice`), `cut` says
    how its entries become items.
    """
    if announce not in Feed.Announce.values:
        return Refused(f"announce is one of {', '.join(Feed.Announce.values)}")
    refused = _wrong_cut(cut)
    if refused is not None:
        return refused
    known = _known(normal_url(url))
    if known is not None:
        return known
    found = probe.find(url, fetcher=fetcher, parse=parse, now=now)
    if isinstance(found, Refused):
        return found
    known = _known(found.url) or _known(found.came_from)
    if known is not None:
        return known
    name = single_line(title) or found.feed.title
    try:
        with transaction.atomic():
            feed = Feed.objects.create(
                url=found.url,
                title=name,
                title_given=bool(single_line(title)),
                announce=announce,
                only=entry_filter.normalize_filter(only or {}),
                cut=cut,
                next_fetch_at=now,
                created_at=now,
            )
    except IntegrityError:
        return _known(found.url) or Refused("it could not be stored: try again")
    return Added(feed.id, feed.url, name, len(found.feed.entries), found.note)


def find(reference: str) -> int | None:
    """The id of a feed by its id or URL, as a person typed it; None if there is none."""
    plain = reference.strip()
    if plain.isascii() and plain.isdigit() and len(plain) < 10:
        return Feed.objects.filter(id=int(plain)).values_list("id", flat=True).first()
    return Feed.objects.filter(url__in=_alike(normal_url(plain))).values_list("id", flat=True).first()


def edit(
    feed_id: int,
    *,
    now: datetime,
    title: str | None = None,
    announce: str | None = None,
    cut: str | None = None,
    only: Mapping[str, Iterable[str]] | None = None,
) -> Done | Refused:
    """Change what is given. An empty `title` brings back the feed's own, `cut` and `only` make it read anew.

    What passed while a feed was narrowed is not mailed when it is widened; what was kept before it was narrowed stays.
    """
    columns: dict[str, Any] = {}
    if announce is not None:
        if announce not in Feed.Announce.values:
            return Refused(f"announce is one of {', '.join(Feed.Announce.values)}")
        columns["announce"] = announce
    if cut is not None:
        refused = _wrong_cut(cut)
        if refused is not None:
            return refused
        columns |= {"cut": cut, **_anew(now)}
    if only is not None:
        columns |= {"only": entry_filter.normalize_filter(only), **_anew(now)}
    if title is not None:
        name = single_line(title)
        columns |= {"title_given": bool(name), **({"title": name} if name else _anew(now))}
    return _changed(feed_id, columns)


def pause(feed_id: int) -> Done | Refused:
    """Stop polling a feed."""
    return _changed(feed_id, {"state": Feed.State.PAUSED})


def resume(feed_id: int, *, now: datetime) -> Done | Refused:
    """Poll a feed again, at once, also one that had ended or was quarantined."""
    for kind in (Incident.Kind.ENDED, Incident.Kind.QUARANTINED):
        incidents.close(feed_id, kind, now=now)
    return _changed(feed_id, {"state": Feed.State.ACTIVE, "next_fetch_at": now, "failures": 0, "kills": 0})


def mark_due(feed_id: int, *, now: datetime) -> Done | Refused:
    """Have a feed read at the next look at the tables."""
    return _changed(feed_id, {"next_fetch_at": now})


def remove(feed_id: int) -> Done | Refused:
    """Delete a feed with its entries, items and their matches. What was mailed stays mailed."""
    with transaction.atomic():
        deleted, _ = Feed.objects.filter(id=feed_id).delete()
    return Done(feed_id) if deleted else _missing(feed_id)


def _wrong_cut(cut: str) -> Refused | None:
    reason = refusal(cut)
    return Refused(single_line(reason)) if reason else None


def _anew(now: datetime) -> dict[str, Any]:
    """Columns that make the next poll read the whole feed, whether it has changed or not."""
    return {"etag": "", "last_modified": "", "body_hash": None, "marks": b"", "next_fetch_at": now}


def _changed(feed_id: int, columns: dict[str, Any]) -> Done | Refused:
    feeds = Feed.objects.filter(id=feed_id)
    found = feeds.update(**columns) if columns else feeds.exists()
    return Done(feed_id) if found else _missing(feed_id)


def _missing(feed_id: int) -> Refused:
    return Refused(f"there is no feed {feed_id}: see 'newsletter feeds list'")


def _known(url: str) -> Refused | None:
    """A refusal when the feed at `url` is there already, with or without a closing slash, under http or https."""
    feed = Feed.objects.filter(url__in=_alike(url)).first()
    return None if feed is None else Refused(f"this feed is there already: see 'newsletter feeds show {feed.id}'")


def _alike(url: str) -> list[str]:
    if not url:
        return []
    rest = url.partition("://")[2]
    rests = {rest, rest.rstrip("/"), rest.rstrip("/") + "/"}
    return [f"{scheme}://{one}" for scheme in ("http", "https") for one in rests]
