"""Find the feeds that need somebody: in one query, without what they brought."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from newsletter.feeds.catalogue.feed_health import FeedHealth, explained, gravity
from newsletter.models import Feed, Incident


@dataclass(frozen=True)
class UnwellFeed:
    """A feed that needs somebody."""

    id: int
    name: str
    failures: int
    health: FeedHealth


@dataclass(frozen=True)
class FeedsHealth:
    """How many feeds there are of each health that occurs, and those that need somebody, the gravest first."""

    counts: dict[str, int]
    unwell: tuple[UnwellFeed, ...]


def read_health(*, now: datetime) -> FeedsHealth:
    """The health of all feeds."""
    feeds = Feed.objects.defer("marks", "only", "body_hash").order_by("title", "id")
    known = [UnwellFeed(feed.id, feed.title or feed.url, feed.failures, explained(feed, now)) for feed in feeds]
    unwell = [feed for feed in known if feed.health.needs_somebody]
    counts = Counter(feed.health.word for feed in known)
    return FeedsHealth(
        {word: counts[word] for word in sorted(counts, key=gravity)},
        tuple(sorted(unwell, key=lambda feed: gravity(feed.health.word))),
    )


def feeds_in_need(*, now: datetime) -> int:
    """How many feeds need somebody, or have an open incident and are not paused: as many as the list puts first."""
    incidents = Incident.objects.filter(closed_at=None).exclude(feed__state=Feed.State.PAUSED)
    troubled = set(incidents.values_list("feed_id", flat=True))
    return len(troubled.union(feed.id for feed in read_health(now=now).unwell))
