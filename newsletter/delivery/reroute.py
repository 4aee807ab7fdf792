"""The operator chose another provider: planned batches follow, regrouped where the new one needs one letter per batch."""

from django.db import transaction
from django.db.models import Count

from newsletter.delivery.plan import Carrier
from newsletter.models import Batch, BatchState, Delivery


def reroute(carrier: Carrier) -> int:
    """Hand every planned batch of another provider to `carrier`; returns how many. What was begun stays where it was begun."""
    strangers = list(
        Batch.objects.filter(state=BatchState.PLANNED).exclude(provider=carrier.number).values_list("id", flat=True)
    )
    return sum(_reroute(number, carrier) for number in strangers)


def _reroute(batch_id: int, carrier: Carrier) -> bool:
    with transaction.atomic():
        mine = Batch.objects.filter(id=batch_id, state=BatchState.PLANNED).exclude(provider=carrier.number)
        if not mine.update(provider=carrier.number):
            return False
        editions = Delivery.objects.filter(batch_id=batch_id).values("edition_id").annotate(people=Count("id"))
        if carrier.one_letter and len(editions) > 1:
            _regroup(Batch.objects.get(id=batch_id), {row["edition_id"]: row["people"] for row in editions})
        return True


def _regroup(old: Batch, editions: dict[int, int]) -> None:
    for edition_id, people in editions.items():
        fresh = Batch.objects.create(
            provider=old.provider,
            lane=old.lane,
            occasion_id=old.occasion_id,
            not_before=old.not_before,
            attempts=old.attempts,
            size=people,
        )
        Delivery.objects.filter(batch_id=old.id, edition_id=edition_id).update(batch_id=fresh.id)
    Batch.objects.filter(id=old.id).update(state=BatchState.CANCELLED, reason="regrouped for another provider")
