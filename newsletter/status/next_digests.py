"""The digests that are due next, and for how many people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Count, Exists, F, OuterRef, Q

from newsletter.models import Cadence, Rhythm, Subscriber, Subscription
from newsletter.status.remembered import Remembered

#: Digests within so long are told, and so many of them.
AHEAD, MOST = timedelta(hours=24), 4


@dataclass(frozen=True)
class NextDigest:
    """A moment at which digests are due, and how many people are to get one if anything matched. A total of the site."""

    due_at: datetime
    people: int


#: By the moments that are due next; who subscribes meanwhile is counted some minutes late.
_people: Remembered[list[NextDigest]] = Remembered(300)


def next_digests(*, now: datetime) -> list[NextDigest]:
    """The first digests that anybody gets within a day, the first one first."""
    due = Rhythm.objects.filter(due_at__gt=now, due_at__lte=now + AHEAD)
    moments = sorted(set(due.values_list("due_at", flat=True)))
    found: list[NextDigest] = []
    while moments and len(found) < MOST:
        some, moments = tuple(moments[:MOST]), moments[MOST:]
        found += _people.get(some, partial(_count, some))
    return found[:MOST]


def _count(moments: Sequence[datetime]) -> list[NextDigest]:
    people: dict[datetime, int] = {}
    for cadence, column in ((Cadence.DAILY, "daily_rhythm"), (Cadence.WEEKLY, "weekly_rhythm")):
        subscribed = Subscription.objects.filter(subscriber_id=OuterRef("id"), ended_at=None, cadence=cadence)
        due = Subscriber.objects.filter(
            Q(paused_until=None) | Q(paused_until__lte=F(f"{column}__due_at")),
            Exists(subscribed),
            state=Subscriber.State.ACTIVE,
            **{f"{column}__cadence": cadence, f"{column}__due_at__in": moments},
        )
        for due_at, count in due.values_list(f"{column}__due_at").annotate(Count("id")).order_by():
            people[due_at] = people.get(due_at, 0) + count
    return [NextDigest(due_at, people[due_at]) for due_at in moments if due_at in people]
