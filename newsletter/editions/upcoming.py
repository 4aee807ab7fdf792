"""The next slots of digests, and how many people each has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from newsletter.models import Cadence, Rhythm, Subscriber


@dataclass(frozen=True)
class UpcomingSlot:
    """A slot that is to come. Not everybody of it gets a mail: only those who are owed something by then."""

    due_at: datetime
    zone: str
    cadence: Cadence
    people: int


def upcoming_slots(*, now: datetime, limit: int = 6) -> Sequence[UpcomingSlot]:
    """The next slots that have people."""
    active = Subscriber.objects.filter(state=Subscriber.State.ACTIVE)
    daily, weekly = active.filter(daily_rhythm=OuterRef("id")), active.filter(weekly_rhythm=OuterRef("id"))
    rhythms = (
        Rhythm.objects.filter(due_at__gt=now)
        .filter(Q(Exists(daily), cadence=Cadence.DAILY) | Q(Exists(weekly), cadence=Cadence.WEEKLY))
        .order_by("due_at", "id")[:limit]
    )
    return [UpcomingSlot(row.due_at, row.zone, Cadence(row.cadence), _people(row)) for row in rhythms]


def _people(rhythm: Rhythm) -> int:
    column = "daily_rhythm" if rhythm.cadence == Cadence.DAILY else "weekly_rhythm"
    return Subscriber.objects.filter(**{column: rhythm}, state=Subscriber.State.ACTIVE).count()
