"""Resend alerts on urgent topics that stayed in doubt, once and without an operator: two mails are better than none there."""

from datetime import datetime, timedelta

from django.db import transaction

from newsletter.delivery.ledger.resend import OperatorNote, deliveries_in_state, locked_batch, plan_again
from newsletter.models import (
    Attempt,
    Batch,
    BatchState,
    Delivery,
    DeliveryState,
    Event,
    Lane,
    OwnEvent,
    ResendRule,
    Topic,
)

#: How long an urgent alert in doubt waits for word of it before it goes a second time.
URGENT_AFTER = timedelta(hours=2)
#: Older alerts are no longer urgent.
URGENT_UNTIL = timedelta(days=2)
#: Who waived, where it was this rule, in words.
RULE = "rule: urgent"


def resend_urgent(*, now: datetime) -> int:
    """Send alerts on topics marked urgent once more, when they stayed in doubt; returns how many. Everything else is held.

    Two mails are better than none there. Once only: what stays in doubt again waits for an operator.
    """
    urgent = set(Topic.objects.filter(urgent=True).values_list("id", flat=True))
    if not urgent:
        return 0
    since = Attempt.objects.filter(ended_at__lte=now - URGENT_AFTER, began_at__gt=now - URGENT_UNTIL)
    since = since.filter(disproved=False, waived_by=None)  # the hand-over in doubt, not one before it
    doubtful = Batch.objects.filter(lane=Lane.ALERT, id__in=since.values("batch_id"))
    numbers = set(doubtful.filter(state=BatchState.UNKNOWN).values_list("id", flat=True))
    numbers |= set(
        Delivery.objects.filter(state=DeliveryState.UNKNOWN, batch__in=doubtful).values_list("batch_id", flat=True)
    )
    return sum(_resend(number, urgent, now) for number in sorted(numbers))


def _resend(batch_id: int, urgent: set[int], now: datetime) -> int:
    with transaction.atomic():
        batch = locked_batch(batch_id)
        doubtful = deliveries_in_state(batch, DeliveryState.UNKNOWN)
        # told of each mail, not of its batch: part of a batch that was put off, or split, goes on in another
        twice = Event.objects.filter(delivery_id__in=doubtful, kind=OwnEvent.RETRIED, rule=ResendRule.URGENT)
        found = Delivery.objects.filter(id__in=doubtful).exclude(id__in=twice.values("delivery_id"))
        found = found.select_related("edition")
        ids = [one.id for one in found if urgent & {topic for _, _, topics in one.edition.content for topic in topics}]
        if ids:
            plan_again(
                batch, ids, OperatorNote(RULE, "no word of it came"), OwnEvent.RETRIED, now, rule=ResendRule.URGENT
            )
        return len(ids)
