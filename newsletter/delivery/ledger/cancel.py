"""Cancel planned mail whose only reason is a subscription that its reader has ended."""

from django.db import transaction

from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Edition


def cancel_planned(subscriber_id: int, topic_id: int) -> int:
    """Cancel this person's deliveries that are planned for nothing but this topic; returns how many.

    A mail with other reasons too still goes: it was put together before, and leaving it whole is kinder than losing the rest.
    """
    with transaction.atomic():
        planned = Batch.objects.filter(state=BatchState.PLANNED)
        waiting = Delivery.objects.filter(subscriber_id=subscriber_id, state=None, batch__in=planned)
        cancelled = {
            delivery.id: delivery.batch_id
            for delivery in waiting.select_related("edition")
            if _topics(delivery.edition) == {topic_id}
        }
        # locked until the commit, so that none is claimed and handed over meanwhile, and still called cancelled
        locked = (
            planned.select_for_update().filter(id__in=cancelled.values()).order_by("id").values_list("id", flat=True)
        )
        return Delivery.objects.filter(id__in=cancelled, state=None, batch_id__in=list(locked)).update(
            state=DeliveryState.CANCELLED, reason="subscription ended"
        )


def _topics(edition: Edition) -> set[int]:
    if edition.kind == "notice":
        return set()
    if edition.kind == "message":
        return {edition.content["topic"]} - {None}
    return {topic for _, _, topics in edition.content for topic in topics}
