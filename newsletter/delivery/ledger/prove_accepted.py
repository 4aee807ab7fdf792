"""Accept mail that is unknown, or planned again, and that an event proves to have been accepted after all."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from newsletter.lib.mail.provider_interface import ReportKind
from newsletter.models import OUR_EVENTS, Attempt, AttemptOutcome, Batch, BatchState, Delivery, DeliveryState, Event

#: A batch in one of these, handed over before, is to go a second time: nothing has left of that yet.
GOES_AGAIN = (BatchState.PLANNED, BatchState.CLAIMED)
_WHY = "an event showed that it was taken"


def accept_proved(*, now: datetime, batch_ids: Sequence[int] | None = None) -> int:
    """Accept what events prove, among `batch_ids` or everywhere; returns how many batches or single mails that were.

    One request is accepted whole or not at all, so any event of one mail in it proves the whole. On SMTP each mail is a
    transaction of its own, and proves only itself. Mail that was planned again, by an operator or a rule, is not sent again
    if its event comes in time. Repeatable.
    """
    doubtful = Batch.objects.filter(state=BatchState.UNKNOWN)
    single = Delivery.objects.filter(state=DeliveryState.UNKNOWN)
    if batch_ids is not None:
        doubtful, single = doubtful.filter(id__in=batch_ids), single.filter(batch__in=batch_ids)
    windowed = doubtful.filter(begun_upto__isnull=False)
    planned_again = Delivery.objects.filter(state=None, batch__state__in=GOES_AGAIN, batch__attempts__gt=0)
    if batch_ids is not None:
        planned_again = planned_again.filter(batch__in=batch_ids)
    with transaction.atomic():
        whole = doubtful.filter(Exists(_reported(_without_own_state(OuterRef("id")))), begun_upto=None)
        requests = list(whole.values_list("id", flat=True))
        mails = [
            *_reported(single).values_list("id", flat=True),
            *_reported(Delivery.objects.filter(state=None, batch__in=windowed)).values_list("id", flat=True),
            # what the provider dropped may well be sent again
            *_reported(planned_again, but=(ReportKind.DROPPED,)).values_list("id", flat=True),
        ]
        Delivery.objects.filter(id__in=mails).update(state=DeliveryState.ACCEPTED, reason=_WHY)
        in_doubt = Delivery.objects.filter(batch_id=OuterRef("id"), state=DeliveryState.UNKNOWN)
        settled = windowed.filter(~Exists(_without_own_state(OuterRef("id"))), ~Exists(in_doubt))
        _accept([*requests, *settled.values_list("id", flat=True)], now)
    return len(requests) + len(mails)


def _accept(batch_ids: Sequence[int], now: datetime) -> None:
    Batch.objects.filter(id__in=batch_ids, state=BatchState.UNKNOWN).update(state=BatchState.ACCEPTED, reason=_WHY)
    last = Attempt.objects.filter(batch__in=batch_ids, outcome=AttemptOutcome.UNKNOWN, disproved=False, waived_by=None)
    last.update(outcome=AttemptOutcome.ACCEPTED, phase=_WHY, ended_at=now)


def _without_own_state(batch: OuterRef) -> QuerySet[Delivery]:
    """Deliveries of a batch that have its state."""
    return Delivery.objects.filter(batch_id=batch, state=None)


def _reported(mails: QuerySet[Delivery], *, but: Sequence[str] = ()) -> QuerySet[Delivery]:
    """Those of `mails` with an event of a provider; kinds in `but` do not count."""
    ignored = [*OUR_EVENTS, *but]
    return mails.filter(Exists(Event.objects.filter(delivery_id=OuterRef("id")).exclude(kind__in=ignored)))
