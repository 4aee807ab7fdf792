"""A gate for each provider: one that refuses us, or goes silent, is paused while the others go on."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models.functions import Now

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, reason_problem, record, record_difference
from newsletter.lib import db
from newsletter.lib.mail.provider_ids import name_of
from newsletter.lib.refused import Refused
from newsletter.models import ProviderGate

log = structlog.get_logger()

#: An SQL condition: the gate for all is open, and that of this provider not closed.
MAY_SEND = """EXISTS (SELECT 1 FROM gate WHERE sending_open)
AND NOT EXISTS (SELECT 1 FROM provider_gate WHERE provider=%(provider)s AND paused_by IS NOT NULL)"""


@dataclass(frozen=True)
class PausedProvider:
    """A paused provider: since when, why, and whether an operator paused it."""

    provider: int
    since: datetime | None
    why: str
    by_hand: bool


def thing_of(provider: int) -> Thing:
    """A provider in the audit log."""
    return Thing("provider", provider, name_of(provider))


def pause(provider: int, why: str, *, now: datetime, actor: Actor, by_hand: bool = False) -> bool | Refused:
    """Pause this provider until `resume`. Returns False if it was paused already. `why` is shown to operators.

    The first reason stays, but an operator's replaces ours; it is refused, and nothing paused, if it cannot be kept.
    """
    if by_hand and (problem := reason_problem(why)):
        return problem
    ProviderGate.objects.bulk_create([ProviderGate(provider=provider)], ignore_conflicts=True)
    with transaction.atomic():
        gate = ProviderGate.objects.select_for_update().get(provider=provider)
        closed = gate.paused_by is None
        if closed:
            ProviderGate.objects.filter(provider=provider).update(paused_by=why, paused_at=now, by_hand=by_hand)
        elif by_hand:
            ProviderGate.objects.filter(provider=provider).update(paused_by=why, by_hand=True)
        if closed or by_hand:
            before, after = {"open": closed, "because": gate.paused_by}, {"open": False, "because": why}
            typed = why if by_hand else ""
            thing = thing_of(provider)
            record_difference(actor, "provider.pause", thing, now=now, before=before, after=after, reason=typed)
    if closed and not by_hand:
        log.error("provider_paused", provider=provider, reason=why)
    return closed


def resume(provider: int, *, now: datetime, actor: Actor) -> bool:
    """Send to it again. Returns False if it was not paused. Only what happens from now on can close it again."""
    with transaction.atomic():
        closed = ProviderGate.objects.select_for_update().filter(provider=provider, paused_by__isnull=False)
        gate = closed.first()
        if gate is None:
            return False
        closed.update(paused_by=None, paused_at=None, by_hand=False, opened_at=Now())
        before, after = {"open": False, "because": gate.paused_by}, {"open": True}
        record(actor, "provider.resume", thing_of(provider), now=now, before=before, after=after)
        return True


def resume_what_closed_by_itself(*, now: datetime, actor: Actor) -> list[PausedProvider]:
    """Resume every provider that no operator paused by name; returns those that stay paused."""
    for gate in paused():
        if not gate.by_hand:
            resume(gate.provider, now=now, actor=actor)
    return paused()


def paused() -> list[PausedProvider]:
    """The paused providers."""
    rows = ProviderGate.objects.filter(paused_by__isnull=False).order_by("provider")
    return [PausedProvider(row.provider, row.paused_at, row.paused_by or "", row.by_hand) for row in rows]


def may_send(provider: int) -> bool:
    """Whether this provider's gate and the one for all are open. Asked before every window."""
    return bool(db.rows(f"SELECT 1 WHERE {MAY_SEND}", {"provider": provider}, prepared=True))


def last_opened_at(provider: int) -> datetime | None:
    """When it was last resumed. Returns None if it never was paused."""
    return ProviderGate.objects.filter(provider=provider).values_list("opened_at", flat=True).first()
