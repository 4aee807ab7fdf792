"""The settings of a feed as a whole, for a page on which somebody edits them while others may, too."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.feeds.catalogue import manage
from newsletter.feeds.catalogue.manage import ChangedFeed
from newsletter.feeds.storage.entry_filter import normalize_filter
from newsletter.lib.refused import Refused
from newsletter.models import Feed


@dataclass(frozen=True)
class FeedSettings:
    """What somebody decides about a feed. `title` is empty where it is the feed's own."""

    title: str = ""
    cut: str = "auto"
    only: Mapping[str, list[str]] = field(default_factory=dict)
    announce: str = "none"

    @property
    def version(self) -> str:
        """Changes with every setting: a form says by it from which settings it started."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    def changed_from(self, other: "FeedSettings") -> dict[str, Any]:
        """Return the settings that differ from `other`."""
        before = asdict(other)
        return {name: value for name, value in asdict(self).items() if before[name] != value}


@dataclass(frozen=True)
class SettingsMoved(Refused):
    """Somebody else saved other settings meanwhile: `theirs`."""

    theirs: FeedSettings = FeedSettings()


def settings_of(feed: Feed) -> FeedSettings:
    """Return the settings of a feed."""
    return FeedSettings(feed.title if feed.title_given else "", feed.cut, normalize_filter(feed.only), feed.announce)


def save_settings(
    feed_id: int, wanted: FeedSettings, *, based_on: str, now: datetime, actor: Actor
) -> ChangedFeed | Refused:
    """Save the settings of a feed, as `manage.edit` does; what stays the same is not touched.

    Refused with `SettingsMoved` unless they are still those that the form was filled in from (`based_on`, their version).
    """
    with transaction.atomic():
        feed = Feed.objects.select_for_update().filter(id=feed_id).first()
        if feed is None:
            return Refused(f"there is no feed {feed_id}: see 'newsletter feeds list'")
        present = settings_of(feed)
        if present.version != based_on:
            return SettingsMoved("somebody else has changed the settings: compare them, then save again", present)
        wanted = FeedSettings(wanted.title.strip(), wanted.cut, normalize_filter(wanted.only), wanted.announce)
        return manage.edit(feed_id, now=now, actor=actor, **wanted.changed_from(present))
