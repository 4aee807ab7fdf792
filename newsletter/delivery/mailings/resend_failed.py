"""Send again what a provider refused as a whole, on somebody's decision: a wrong setting, a request that it did not take.

A refusal is proof that nothing was taken, so nobody gets a mail twice. Never sent again are mails in doubt, also those that
somebody resolved as failed, and mails whose recipient the server refused: there is no such mailbox.
"""

from collections import defaultdict
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, reason_problem, record
from newsletter.delivery.ledger.own_events import store_own_events
from newsletter.delivery.ledger.resend import OperatorNote, ResendResult
from newsletter.delivery.ledger.split_batch import split_off
from newsletter.lib.refused import Refused
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Event, Occasion, OwnEvent


def count_resendable(occasion_id: int) -> int:
    """How many mails of a mailing `resend_failed` would plan again."""
    return _resendable(occasion_id).count()


def resend_failed(occasion_id: int, note: OperatorNote, *, actor: Actor, now: datetime) -> ResendResult | Refused:
    """Plan the failed mails of a mailing again, each batch by itself."""
    if problem := reason_problem(note.why):
        return problem
    with transaction.atomic():
        occasion = (
            Occasion.objects.select_for_update().exclude(kind=Occasion.Kind.NOTICE).filter(id=occasion_id).first()
        )
        by_batch: dict[int, list[int]] = defaultdict(list)
        for delivery_id, batch_id in _resendable(occasion_id).values_list("id", "batch_id"):
            by_batch[batch_id].append(delivery_id)
        if occasion is None or not by_batch:
            return Refused("none of its failed mails can be sent again")
        changed = 0
        for batch in Batch.objects.select_for_update().filter(id__in=list(by_batch)).order_by("id"):
            ids = sorted(by_batch[batch.id])
            new_id = split_off(batch, ids, not_before=now)
            changed += Delivery.objects.filter(batch_id=new_id, id__in=ids).update(state=None, reason=None)
            store_own_events(OwnEvent.RETRIED, ids, batch_id=batch.id, detail=str(note), now=now)
        Occasion.objects.filter(id=occasion_id).update(closed_at=None)
        thing = Thing("mailing", occasion_id, occasion.key)
        states = {"before": {"state": BatchState.FAILED}, "after": {"state": BatchState.PLANNED}}
        record(actor, "mailing.resend", thing, now=now, reason=note.why, **states)
        return ResendResult(changed)


def _resendable(occasion_id: int) -> QuerySet[Delivery]:
    failed = Q(state=DeliveryState.FAILED) | Q(state=None, batch__state=BatchState.FAILED)
    resolved = Event.objects.filter(delivery_id=OuterRef("id"), kind=OwnEvent.RESOLVED)
    mails = Delivery.objects.filter(failed, occasion_id=occasion_id, recipient_status=None)
    return mails.filter(~Exists(resolved), edition__editionbody__isnull=False).order_by("id")
