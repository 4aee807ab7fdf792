"""Somebody typed an address and choices: ask that address, and tell the page nothing about it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from newsletter.handover import Address
from newsletter.models import Notice, Subscriber
from newsletter.subscribers import notices, people
from newsletter.subscribers.address import index_of
from newsletter.subscribers.choices import Choices, NextDue
from newsletter.vault import Vault

_ASKING = (Notice.Kind.CONFIRM, Notice.Kind.ADD)


@dataclass(frozen=True)
class Signed:
    """Taken. `notice_id` is for ringing the bell, never for the page: None when nothing is mailed."""

    notice_id: int | None


@dataclass(frozen=True)
class Busy:
    """Too many notices in the whole service this hour; the same for every address."""


def sign_up(address: Address, choices: Choices, *, now: datetime, vault: Vault, next_due: NextDue) -> Signed | Busy:
    """Write the notice that asks `address` to confirm (new, pending, left) or to add (active) these choices.

    No subscription and no own topic exists before the answer. At most one unanswered notice in 24 hours and three in 30 days
    go to one address; within that, the outstanding one gets the new choices. A suppression for good gets nothing.
    """
    with transaction.atomic():
        if notices.flooded(now):
            return Busy()
        if people.for_good(people.suppression(index_of(address, vault))):
            return Signed(None)
        person = people.lock(address, vault) or people.make(address, choices, now=now, vault=vault, next_due=next_due)
        kind = Notice.Kind.ADD if person.state == Subscriber.State.ACTIVE else Notice.Kind.CONFIRM
        if not notices.within(notices.STRANGER, person, _ASKING, now):
            notices.replace_choices(person, kind, choices, now=now, vault=vault)
            return Signed(None)
        if person.state == Subscriber.State.LEFT:
            Subscriber.objects.filter(id=person.id).update(state=Subscriber.State.PENDING)
        return Signed(notices.create(person, kind, choices, now=now, vault=vault).id)
