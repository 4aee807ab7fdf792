"""What somebody keeps back on purpose: no problem, and not to be forgotten either."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from newsletter.models import Topic


@dataclass(frozen=True)
class HeldTopic:
    """A topic on hold, and how many of its matches wait."""

    id: int
    name: str
    since: datetime
    waiting: int


def held_topics() -> list[HeldTopic]:
    """The topics on hold, the longest first."""
    topics = Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE, held_since__isnull=False)
    waiting = Count("match", filter=Q(match__held_at__isnull=False, match__withdrawn_at=None))
    rows = topics.annotate(waiting=waiting).order_by("held_since")
    return [HeldTopic(row.id, row.name or "", row.held_since, row.waiting) for row in rows if row.held_since]
