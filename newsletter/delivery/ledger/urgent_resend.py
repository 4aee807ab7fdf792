"""Resend alerts on urgent topics that stayed in doubt, once and without an operator: two mails are better than none there."""

from datetime import datetime, timedelta

from django.db import transaction

from newsletter.audit import actor
from newsletter.audit.record import Thing, record
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

#: How long an urgent alert in doubt waits for an event of it before it is sent a second time.
URGENT_AFTER = timedelta(hours=2)
#: Older alerts are no longer urgent.
URGENT_UNTIL = timedelta(days=2)
#: Who decided, in the ledger, where it was this rule.
RULE = "rule: urgent"


def resend_urgent(*, now: datetime) -> int:
    """Resend alerts on urgent topics that stayed in doubt; returns how many. All other mail waits for an operator.

    Once only: what stays in doubt again waits for an operator, too.
    """
    urgent = set(Topic.objects.filter(urgent=True).values_list("id", flat=True))
    if not urgent:
        return 0
    attempts = Attempt.objects.filter(ended_at__lte=now - URGENT_AFTER, began_at__gt=now - URGENT_UNTIL)
    attempts = attempts.filter(disproved=False, waived_by=None)  # the attempt in doubt, not one before it
    doubtful = Batch.objects.filter(lane=Lane.ALERT, id__in=attempts.values("batch_id"))
    batch_ids = set(doubtful.filter(state=BatchState.UNKNOWN).values_list("id", flat=True))
    batch_ids |= set(
        Delivery.objects.filter(state=DeliveryState.UNKNOWN, batch__in=doubtful).values_list("batch_id", flat=True)
    )
    return sum(_resend(batch_id, urgent, now) for batch_id in sorted(batch_ids))


def _resend(batch_id: int, urgent: set[int], now: datetime) -> int:
    with transaction.atomic():
        batch = locked_batch(batch_id)
        doubtful = deliveries_in_state(batch, DeliveryState.UNKNOWN)
        # an event of each mail, not of its batch: deferred or split mail goes on in another batch
        resent = Event.objects.filter(delivery_id__in=doubtful, kind=OwnEvent.RETRIED, rule=ResendRule.URGENT)
        deliveries = Delivery.objects.filter(id__in=doubtful).exclude(id__in=resent.values("delivery_id"))
        ids = [delivery.id for delivery in deliveries.select_related("edition") if urgent & _topics(delivery)]
        if ids:
            before, after = {"state": DeliveryState.UNKNOWN}, {"state": BatchState.PLANNED}
            rule = actor.from_rule("urgent topics")
            record(rule, "delivery.retry", Thing("delivery"), now=now, before=before, after=after)
            plan_again(
                batch, ids, OperatorNote(RULE, "no word of it came"), OwnEvent.RETRIED, now, rule=ResendRule.URGENT
            )
        return len(ids)


def _topics(delivery: Delivery) -> set[int]:
    return {topic_id for _, _, topic_ids in delivery.edition.content for topic_id in topic_ids}
