"""Resend or resolve deliveries in state unknown or parked, on an operator's decision, and record who decided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, QuerySet

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, reason_problem, record
from newsletter.delivery.ledger.own_events import store_own_events
from newsletter.delivery.ledger.split_batch import split_off
from newsletter.lib.crypto import Vault
from newsletter.lib.mail.provider_ids import name_of
from newsletter.lib.mail.references import read_reference
from newsletter.lib.mail.references import reference as reference_of
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
    """Who decided, and why: shown by `deliveries explain`."""

    who: str
    why: str

    def __str__(self) -> str:
        return f"{self.who}: {self.why}"


@dataclass(frozen=True)
class ResendResult:
    """How many mails were changed."""

    deliveries: int


@dataclass(frozen=True)
class ParkedMails:
    """Parked mails that can be resent safely, and those (`left`) that cannot: the body is pruned, or one may have left."""

    deliveries: int
    batches: int
    left: int
    #: How many of `deliveries` were parked for each reason.
    reasons: Mapping[str, int]


def retry(
    reference: str, note: OperatorNote, *, now: datetime, vault: Vault, actor: Actor, whole: bool = False
) -> ResendResult | Refused:
    """Plan a mail that is unknown or parked again; with `whole` all that were in doubt with it. It may arrive twice."""
    delivery = reason_problem(note.why) or _find(reference, vault)
    if isinstance(delivery, Refused):
        return delivery
    with transaction.atomic():
        batch = locked_batch(delivery.batch_id)
        ids = _undecided(batch)
        chosen = ids if whole else [delivery_id for delivery_id in ids if delivery_id == delivery.id]
        if not chosen:
            return Refused(f"it is {_state(delivery)}: only unknown or parked mail can be sent again")
        if batch.held_at and batch.state == BatchState.PARKED:
            return Refused("it is on hold: release the mailing or edition")
        if Delivery.objects.filter(id__in=chosen, edition__editionbody=None).exists():
            return Refused("its content is not stored, so it cannot be sent again: resolve it instead")
        _record(actor, "delivery.retry", delivery, note, now, _state(delivery), BatchState.PLANNED, whole, vault)
        plan_again(batch, chosen, note, OwnEvent.RETRIED, now)
        return ResendResult(len(chosen))


def parked_mails() -> ParkedMails:
    """What `retry_parked` would plan again."""
    all_parked = Delivery.objects.filter(batch__state=BatchState.PARKED, batch__held_at=None, state=None)
    ready = all_parked.filter(batch__in=_surely_parked(), edition__editionbody__isnull=False)
    counts = ready.order_by().values_list("batch__reason").annotate(Count("id"), Count("batch_id", distinct=True))
    by_reason = sorted(counts, key=lambda row: -row[1])
    mails = sum(row[1] for row in by_reason)
    batches = sum(row[2] for row in by_reason)
    return ParkedMails(mails, batches, all_parked.count() - mails, {row[0] or "": row[1] for row in by_reason})


def retry_parked(
    note: OperatorNote,
    *,
    now: datetime,
    actor: Actor,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> ResendResult | Refused:
    """Plan all parked mails again whose body is kept, each batch by itself. Mail that may have left stays parked.

    `progress` is called with how many of how many batches are done.
    """
    if problem := reason_problem(note.why):
        return problem
    batch_ids = list(_surely_parked().order_by("id").values_list("id", flat=True))
    after = {"state": BatchState.PLANNED, "mails": parked_mails().deliveries}
    if after["mails"]:
        before = {"state": BatchState.PARKED}
        record(actor, "delivery.retry", Thing("delivery"), now=now, before=before, after=after, reason=note.why)
    changed = 0
    for count, batch_id in enumerate(batch_ids, start=1):
        with transaction.atomic():
            batch = locked_batch(batch_id)
            ids = _ready(batch) if _surely_parked().filter(id=batch_id).exists() else []
            if ids:
                plan_again(batch, ids, note, OwnEvent.RETRIED, now)
        changed += len(ids)
        progress(count, len(batch_ids))
    return ResendResult(changed)


def resolve(
    reference: str,
    accepted: bool,
    note: OperatorNote,
    *,
    now: datetime,
    vault: Vault,
    actor: Actor,
    whole: bool = False,
) -> ResendResult | Refused:
    """Record what an operator found out about an unknown or parked mail: it was accepted, or it was not and shall not be."""
    delivery = reason_problem(note.why) or _find(reference, vault)
    if isinstance(delivery, Refused):
        return delivery
    state = DeliveryState.ACCEPTED if accepted else DeliveryState.FAILED
    with transaction.atomic():
        batch = locked_batch(delivery.batch_id)
        ids = _undecided(batch)
        chosen = ids if whole else [delivery_id for delivery_id in ids if delivery_id == delivery.id]
        if not chosen:
            return Refused(f"it is {_state(delivery)}: only unknown or parked mail can be resolved")
        _record(actor, "delivery.resolve", delivery, note, now, _state(delivery), state, whole, vault)
        Delivery.objects.filter(id__in=chosen).update(state=state, reason=str(note))
        store_own_events(OwnEvent.RESOLVED, chosen, batch_id=batch.id, detail=f"{state}, {note}", now=now)
        if batch.state in (BatchState.UNKNOWN, BatchState.PARKED) and len(chosen) == len(ids):
            final = BatchState.CANCELLED if batch.state == BatchState.PARKED else BatchState(state.value)
            Batch.objects.filter(id=batch.id).update(state=final, reason=str(note))
        return ResendResult(len(chosen))


def count_releasable(provider: int, since: datetime) -> int:
    """How many mails `release` would plan again."""
    return sum(len(_without_events(batch)) for batch in _accepted_since(provider, since))


def release(
    provider: int, since: datetime, note: OperatorNote, *, now: datetime, actor: Actor
) -> ResendResult | Refused:
    """Plan again what a provider accepted since then and reported no event of: an operator proved that it dropped the mails."""
    if problem := reason_problem(note.why):
        return problem
    if mails := count_releasable(provider, since):
        before, after = {"state": BatchState.ACCEPTED}, {"state": BatchState.PLANNED, "since": since, "mails": mails}
        thing = Thing("provider", provider, name_of(provider))
        record(actor, "delivery.release", thing, now=now, before=before, after=after, reason=note.why)
    changed = 0
    for accepted in _accepted_since(provider, since):
        with transaction.atomic():
            batch = locked_batch(accepted.id)
            ids = _without_events(batch)
            if ids:
                plan_again(batch, ids, note, OwnEvent.RELEASED, now)
            changed += len(ids)
    return ResendResult(changed)


def plan_again(
    batch: Batch,
    ids: Sequence[int],
    note: OperatorNote,
    kind: OwnEvent,
    now: datetime,
    *,
    rule: ResendRule | None = None,
) -> None:
    """Waive the attempt and plan `ids` again: the batch itself when nobody else shares its outcome, else a new one."""
    sharing = set(_own(batch, None) + deliveries_in_state(batch, DeliveryState.UNKNOWN))
    if (batch.state in (BatchState.UNKNOWN, BatchState.PARKED) or kind == OwnEvent.RELEASED) and sharing <= set(ids):
        Attempt.objects.filter(batch_id=batch.id, disproved=False, waived_by=None).update(waived_by=str(note))
        new_id = batch.id
        Batch.objects.filter(id=batch.id).update(
            state=BatchState.PLANNED, reason=None, held_at=None, not_before=now, begun_upto=None, done_upto=None
        )
    else:  # with a copy of the waived attempt: the ledger shows why there is a second one
        new_id = split_off(batch, ids, word=str(note), not_before=now)
    Delivery.objects.filter(id__in=ids).update(batch_id=new_id, state=None, reason=None)
    store_own_events(kind, ids, batch_id=batch.id, detail=str(note), now=now, rule=rule)


def _record(
    actor: Actor,
    action: str,
    delivery: Delivery,
    note: OperatorNote,
    now: datetime,
    before: str,
    after: str,
    whole: bool,
    vault: Vault,
) -> None:
    thing = Thing("delivery", delivery.id, reference_of(delivery.id, vault))
    # without a number: of a mailing for one topic it says how many follow it
    changed = {"state": after, "all that share its outcome": True} if whole else {"state": after}
    record(actor, action, thing, now=now, before={"state": before}, after=changed, reason=note.why)


def _find(reference: str, vault: Vault) -> Delivery | Refused:
    delivery_id = read_reference(reference, vault)
    delivery = Delivery.objects.select_related("batch").filter(id=delivery_id).first() if delivery_id else None
    return delivery or Refused("there is no such reference: check it for typing errors")


def _state(delivery: Delivery) -> str:
    return delivery.state or delivery.batch.state


def locked_batch(batch_id: int) -> Batch:
    return Batch.objects.select_for_update().get(id=batch_id)


def _own(batch: Batch, state: DeliveryState | None) -> list[int]:
    return list(Delivery.objects.filter(batch_id=batch.id, state=state).order_by("id").values_list("id", flat=True))


def deliveries_in_state(batch: Batch, state: DeliveryState) -> list[int]:
    """Ids of the deliveries of a batch that are in `state`, by themselves or with it."""
    return _own(batch, state) + (_own(batch, None) if batch.state == state.value else [])


def _surely_parked() -> QuerySet[Batch]:
    """Parked batches without an attempt of unknown outcome, but for those that somebody holds."""
    doubtful = Attempt.objects.filter(disproved=False, waived_by=None)
    return Batch.objects.filter(state=BatchState.PARKED, held_at=None).exclude(id__in=doubtful.values("batch_id"))


def _ready(batch: Batch) -> list[int]:
    """Ids of the deliveries of a parked batch whose body is kept."""
    kept = Delivery.objects.filter(batch_id=batch.id, state=None, edition__editionbody__isnull=False)
    return list(kept.order_by("id").values_list("id", flat=True))


def _undecided(batch: Batch) -> list[int]:
    """Ids of the deliveries of a batch that wait for a decision."""
    return _own(batch, None) if batch.state == BatchState.PARKED else deliveries_in_state(batch, DeliveryState.UNKNOWN)


def _accepted_since(provider: int, since: datetime) -> list[Batch]:
    attempts = Attempt.objects.filter(provider=provider, began_at__gte=since, disproved=False, waived_by=None)
    batches = Batch.objects.filter(state=BatchState.ACCEPTED, id__in=attempts.values("batch_id"))
    return list(batches.order_by("id"))


def _without_events(batch: Batch) -> list[int]:
    ids = deliveries_in_state(batch, DeliveryState.ACCEPTED)
    heard = Event.objects.filter(delivery_id__in=ids).exclude(kind__in=OUR_EVENTS).values_list("delivery_id", flat=True)
    return sorted(set(ids) - set(heard)) if batch.state == BatchState.ACCEPTED else []
