"""What somebody keeps back on purpose: no problem, and not to be forgotten either."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from newsletter.models import Batch, BatchState, Occasion, Topic


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


@dataclass(frozen=True)
class HeldMailing:
    """A mailing of which something is kept back."""

    occasion_id: int
    key: str
    created_at: datetime
    since: datetime


def held_mailings() -> list[HeldMailing]:
    """The mailings of which mails are kept back, the longest first."""
    held = Batch.objects.filter(state=BatchState.PARKED, held_at__isnull=False, occasion_id__gt=0)
    since = dict(held.values_list("occasion_id").annotate(Min("held_at")).order_by())
    mailings = [
        HeldMailing(row.id, row.key, row.created_at, since[row.id]) for row in Occasion.objects.filter(id__in=since)
    ]
    return sorted(mailings, key=lambda mailing: mailing.since)
