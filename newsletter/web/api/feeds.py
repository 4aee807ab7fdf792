"""Feeds: listed with their health, added, changed, paused, resumed and removed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Path, Router, Status
from pydantic import Field

from newsletter import wiring
from newsletter.feeds.catalogue import feed_status, manage
from newsletter.lib import db
from newsletter.web.api.operation import Scope, actor_of, operation
from newsletter.web.api.paging import After, ApiPage, Limit, page_of
from newsletter.web.api.problems import missing, or_refused
from newsletter.web.api.schema import ApiSchema, Id, LongText, Text

router = Router(tags=["feeds"])

Announce = Literal["none", "latest", "all"]


class FeedOut(ApiSchema):
    """A feed and how it is."""

    id: int = Field(examples=[1])
    url: str = Field(examples=["https://digest.example/feed/"])
    title: str = Field(examples=["The Digest"])
    state: str = Field(examples=["active"])
    announce: str = Field(examples=["none"])
    cut: str = Field(examples=["auto"])
    only: dict[str, list[str]] = Field(examples=[{"authors": ["LLD"]}])
    health: str = Field(examples=["fine"])
    reason: str = Field(examples=[""])
    failing_since: datetime | None = Field(examples=[None])
    read_at: datetime | None = Field(examples=["2026-11-24T08:55:00Z"])
    next_fetch_at: datetime = Field(examples=["2026-11-24T09:10:00Z"])
    newest_at: datetime | None = Field(examples=["2026-11-24T08:40:00Z"])
    entries: int = Field(examples=[412])


class FeedIn(ApiSchema):
    """A feed to add. `announce`: which of its present entries may be mailed."""

    url: Text = Field(examples=["https://digest.example/feed/"])
    title: Text = Field("", examples=["The Digest"])
    announce: Announce = Field("none", examples=["none"])
    cut: Text = Field("auto", examples=["auto"])
    only: dict[Literal["authors", "categories", "languages"], list[Text]] = Field({}, examples=[{"authors": ["LLD"]}])


class FeedPatch(ApiSchema):
    """What to change; what is left out stays. An empty title brings back the feed's own."""

    title: Text | None = Field(None, examples=["The Digest"])
    announce: Announce | None = Field(None, examples=["latest"])
    cut: LongText | None = Field(None, examples=["never"])
    only: dict[Literal["authors", "categories", "languages"], list[Text]] | None = Field(None, examples=[{}])


class RemovedFeed(ApiSchema):
    """The feed that was removed."""

    id: int = Field(examples=[1])
    title: str = Field(examples=["The Digest"])


@operation(router, "GET", "/feeds", Scope.READ, ApiPage[FeedOut])
def list_feeds(request: HttpRequest, after: After = None, limit: Limit = 25) -> Any:
    """List feeds with their health, by number."""
    rows, after = page_of(feed_status.listing(now=db.now()), lambda row: row.id, after, limit)
    return {"rows": list(map(_out, rows)), "after": after}


@operation(router, "POST", "/feeds", Scope.ITEMS, FeedOut, status=201)
def add_feed(request: HttpRequest, feed: FeedIn) -> Any:
    """Add the feed at a URL, or the feed of the web page there. It is read once, to make sure that it is a feed."""
    added = or_refused(
        manage.add(
            feed.url,
            announce=feed.announce,
            title=feed.title,
            only=_only(feed.only),
            cut=feed.cut,
            fetcher=wiring.fetcher(),
            now=db.now(),
            actor=actor_of(request),
        )
    )
    return Status(201, _feed(added.feed_id))


@operation(router, "GET", "/feeds/{feed_id}", Scope.READ, FeedOut)
def show_feed(request: HttpRequest, feed_id: Path[Id]) -> Any:
    """Show one feed."""
    return _feed(feed_id)


@operation(router, "PATCH", "/feeds/{feed_id}", Scope.ITEMS, FeedOut)
def edit_feed(request: HttpRequest, feed_id: Path[Id], change: FeedPatch) -> Any:
    """Change a feed. After `cut` and `only` it is read whole again."""
    _feed(feed_id)
    or_refused(
        manage.edit(
            feed_id,
            now=db.now(),
            actor=actor_of(request),
            title=change.title,
            announce=change.announce,
            cut=change.cut,
            only=None if change.only is None else _only(change.only),
        )
    )
    return _feed(feed_id)


@operation(router, "POST", "/feeds/{feed_id}/pause", Scope.ITEMS, FeedOut)
def pause_feed(request: HttpRequest, feed_id: Path[Id]) -> Any:
    """Stop polling a feed."""
    _feed(feed_id)
    or_refused(manage.pause(feed_id, now=db.now(), actor=actor_of(request)))
    return _feed(feed_id)


@operation(router, "POST", "/feeds/{feed_id}/resume", Scope.ITEMS, FeedOut)
def resume_feed(request: HttpRequest, feed_id: Path[Id]) -> Any:
    """Poll a feed again, at once."""
    _feed(feed_id)
    or_refused(manage.resume(feed_id, now=db.now(), actor=actor_of(request)))
    return _feed(feed_id)


@operation(router, "DELETE", "/feeds/{feed_id}", Scope.ITEMS, RemovedFeed)
def remove_feed(request: HttpRequest, feed_id: Path[Id]) -> Any:
    """Remove a feed with its entries and items. Mails already sent stay as they are."""
    _feed(feed_id)
    removed = or_refused(manage.remove(feed_id, now=db.now(), actor=actor_of(request)))
    return {"id": removed.feed_id, "title": removed.title}


def _feed(feed_id: int) -> FeedOut:
    row = feed_status.row_of(feed_id, now=db.now())
    if row is None:
        raise missing("feed")
    return _out(row)


def _out(row: feed_status.FeedRow) -> FeedOut:
    return FeedOut(**{name: getattr(row, name) for name in FeedOut.model_fields})


def _only(given: Mapping[Any, list[str]]) -> dict[str, list[str]]:
    return {str(name): list(values) for name, values in given.items()}
