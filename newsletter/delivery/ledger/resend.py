"""Resend or resolve deliveries in state unknown or parked, on an operator's decision, and record who decided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, QuerySet

from newsletter.delivery.ledger.own_events import store_own_events
from newsletter.delivery.ledger.split_batch import split_off
from newsletter.lib.crypto import Vault
from newsletter.lib.references import read_reference
from newsletter.lib.refused import Refused
from newsletter.models import (
    OUR_EVENTS,
    Attempt,
    Batch,
    BatchState,
    Delivery,
    DeliveryState,
    Event,
    OwnEvent,
    ResendRule,
)


@dataclass(frozen=True)
class OperatorNote:
    """Whose word it is, and why: shown by `deliveries explain`."""

    who: str
    why: str

    def __str__(self) -> str:
        return f"{self.who}: {self.why}"


@dataclass(frozen=True)
class Done:
    """How many mails were touched."""

    deliveries: int


@dataclass(frozen=True)
class Parked:
    """Parked mails that can go again without a doubt, and those that cannot: their words are gone, or one may have left."""

    deliveries: int
    batches: int
    left: int
    #: How many of `deliveries` were parked for each reason.
    reasons: Mapping[str, int]


def retry(reference: str, word: OperatorNote, *, now: datetime, vault: Vault, whole: bool = False) -> Done | Refused:
    """Plan a mail that is unknown or parked again; with `whole` all that were in doubt with it. It may arrive twice."""
    found = _find(reference, vault)
    if isinstance(found, Refused):
        return found
    with transaction.atomic():
        batch = locked_batch(found.batch_id)
        ids = _undecided(batch)
        chosen = ids if whole else [number for number in ids if number == found.id]
        if not chosen:
            return Refused(f"it is {_state(found)}: only what is unknown or parked can go again")
        if Delivery.objects.filter(id__in=chosen, edition__editionbody=None).exists():
            return Refused("its words are not kept, or were never made: it can only be resolved")
        plan_again(batch, chosen, word, OwnEvent.RETRIED, now)
        return Done(len(chosen))


def parked() -> Parked:
    """What `retry_parked` would plan again."""
    every = Delivery.objects.filter(batch__state=BatchState.PARKED, state=None)
    found = every.filter(batch__in=_surely_parked(), edition__editionbody__isnull=False)
    reasons = found.order_by().values_list("batch__reason").annotate(Count("id"), Count("batch_id", distinct=True))
    told = sorted(reasons, key=lambda row: -row[1])
    mails = sum(row[1] for row in told)
    return Parked(mails, sum(row[2] for row in told), every.count() - mails, {row[0] or "": row[1] for row in told})


def retry_parked(
    word: OperatorNote, *, now: datetime, progress: Callable[[int, int], None] = lambda _done, _of: None
) -> Done:
    """Plan all parked mails again whose words are kept, each batch by itself. None of them has left: what may have stays.

    `progress` hears how many of how many batches are done.
    """
    numbers = list(_surely_parked().order_by("id").values_list("id", flat=True))
    touched = 0
    for place, number in enumerate(numbers, start=1):
        with transaction.atomic():
            batch = locked_batch(number)
            ids = _ready(batch) if _surely_parked().filter(id=number).exists() else []
            if ids:
                plan_again(batch, ids, word, OwnEvent.RETRIED, now)
        touched += len(ids)
        progress(place, len(numbers))
    return Done(touched)


def resolve(
    reference: str, accepted: bool, word: OperatorNote, *, now: datetime, vault: Vault, whole: bool = False
) -> Done | Refused:
    """Write down what an operator found out about a mail: it was taken, or it was not and shall not be (unknown or parked)."""
    found = _find(reference, vault)
    if isinstance(found, Refused):
        return found
    state = DeliveryState.ACCEPTED if accepted else DeliveryState.FAILED
    with transaction.atomic():
        batch = locked_batch(found.batch_id)
        ids = _undecided(batch)
        chosen = ids if whole else [number for number in ids if number == found.id]
        if not chosen:
            return Refused(f"it is {_state(found)}: only what is unknown or parked can be resolved")
        Delivery.objects.filter(id__in=chosen).update(state=state, reason=str(word))
        store_own_events(OwnEvent.RESOLVED, chosen, batch_id=batch.id, detail=f"{state}, {word}", now=now)
        if batch.state in (BatchState.UNKNOWN, BatchState.PARKED) and len(chosen) == len(ids):
            over = BatchState.CANCELLED if batch.state == BatchState.PARKED else BatchState(state.value)
            Batch.objects.filter(id=batch.id).update(state=over, reason=str(word))
        return Done(len(chosen))


def releasable(provider: int, since: datetime) -> int:
    """How many mails `release` would plan again."""
    return sum(len(_unheard(batch)) for batch in _taken_since(provider, since))


def release(provider: int, since: datetime, word: OperatorNote, *, now: datetime) -> Done:
    """Plan again what a provider took since then and gave no word of: it is proved that it kept the mails and dropped them."""
    touched = 0
    for found in _taken_since(provider, since):
        with transaction.atomic():
            batch = locked_batch(found.id)
            ids = _unheard(batch)
            if ids:
                plan_again(batch, ids, word, OwnEvent.RELEASED, now)
            touched += len(ids)
    return Done(touched)


def plan_again(
    batch: Batch,
    ids: Sequence[int],
    word: OperatorNote,
    kind: OwnEvent,
    now: datetime,
    *,
    rule: ResendRule | None = None,
) -> None:
    """Waive the hand-over and plan `ids` again: the batch itself when nobody else shares its outcome, else a new one."""
    sharing = set(_own(batch, None) + deliveries_in_state(batch, DeliveryState.UNKNOWN))
    if (batch.state in (BatchState.UNKNOWN, BatchState.PARKED) or kind == OwnEvent.RELEASED) and sharing <= set(ids):
        Attempt.objects.filter(batch_id=batch.id, disproved=False, waived_by=None).update(waived_by=str(word))
        fresh_id = batch.id
        Batch.objects.filter(id=batch.id).update(
            state=BatchState.PLANNED, reason=None, not_before=now, begun_upto=None, done_upto=None
        )
    else:  # the new one carries the waived hand-over with it: the ledger shows why there is a second
        fresh_id = split_off(batch, ids, word=str(word), not_before=now)
    Delivery.objects.filter(id__in=ids).update(batch_id=fresh_id, state=None, reason=None)
    store_own_events(kind, ids, batch_id=batch.id, detail=str(word), now=now, rule=rule)


def _find(reference: str, vault: Vault) -> Delivery | Refused:
    number = read_reference(reference, vault)
    found = Delivery.objects.select_related("batch").filter(id=number).first() if number else None
    return found or Refused("there is no such reference: check it for typing errors")


def _state(delivery: Delivery) -> str:
    return delivery.state or delivery.batch.state


def locked_batch(batch_id: int) -> Batch:
    return Batch.objects.select_for_update().get(id=batch_id)


def _own(batch: Batch, state: DeliveryState | None) -> list[int]:
    return list(Delivery.objects.filter(batch_id=batch.id, state=state).order_by("id").values_list("id", flat=True))


def deliveries_in_state(batch: Batch, state: DeliveryState) -> list[int]:
    """Deliveries of a batch whose state is `state`, by themselves or with it."""
    return _own(batch, state) + (_own(batch, None) if batch.state == state.value else [])


def _surely_parked() -> QuerySet[Batch]:
    """Parked batches without a hand-over of which nobody knows what became."""
    doubtful = Attempt.objects.filter(disproved=False, waived_by=None)
    return Batch.objects.filter(state=BatchState.PARKED).exclude(id__in=doubtful.values("batch_id"))


def _ready(batch: Batch) -> list[int]:
    """Deliveries of a parked batch whose words are kept."""
    kept = Delivery.objects.filter(batch_id=batch.id, state=None, edition__editionbody__isnull=False)
    return list(kept.order_by("id").values_list("id", flat=True))


def _undecided(batch: Batch) -> list[int]:
    """Deliveries of a batch that wait for somebody's word."""
    return _own(batch, None) if batch.state == BatchState.PARKED else deliveries_in_state(batch, DeliveryState.UNKNOWN)


def _taken_since(provider: int, since: datetime) -> list[Batch]:
    attempts = Attempt.objects.filter(provider=provider, began_at__gte=since, disproved=False, waived_by=None)
    taken = Batch.objects.filter(state=BatchState.ACCEPTED, id__in=attempts.values("batch_id"))
    return list(taken.order_by("id"))


def _unheard(batch: Batch) -> list[int]:
    ids = deliveries_in_state(batch, DeliveryState.ACCEPTED)
    heard = Event.objects.filter(delivery_id__in=ids).exclude(kind__in=OUR_EVENTS).values_list("delivery_id", flat=True)
    return sorted(set(ids) - set(heard)) if batch.state == BatchState.ACCEPTED else []
