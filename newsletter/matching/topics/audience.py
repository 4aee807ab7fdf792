"""How many people follow topics and may be mailed now."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from newsletter.models import Subscriber, Subscription


def people_who_may_be_mailed(topic_ids: Collection[int], *, now: datetime) -> int:
    """How many people follow one of these topics at least, are active, and have not paused their mail."""
    if not topic_ids:
        return 0
    live = Subscription.objects.filter(topic_id__in=topic_ids, ended_at=None)
    may = Q(subscriber__paused_until=None) | Q(subscriber__paused_until__lte=now)
    active = live.filter(may, subscriber__state=Subscriber.State.ACTIVE)
    return active.values("subscriber_id").distinct().count()
