"""Asking for a link to one's preferences: by typing an address, or from the foot of a mail."""

from datetime import datetime

from django.db import transaction

from newsletter.handover import Address
from newsletter.models import Notice, Subscriber
from newsletter.subscribers import notices, people
from newsletter.subscribers.address import index_of
from newsletter.subscribers.signup import Busy, Signed
from newsletter.subscribers.tokens import Wrong, find_subscriber
from newsletter.vault import Vault

_MANAGE = (Notice.Kind.MANAGE,)


def ask_by_address(address: Address, *, now: datetime, vault: Vault) -> Signed | Busy:
    """Mail a link good for 24 hours, if this address is an active subscriber's. The page must not tell whether it is."""
    with transaction.atomic():
        if notices.flooded(now):
            return Busy()
        suppressed = people.for_good(people.suppression(index_of(address, vault)))
        return _write(people.lock(address, vault), suppressed, notices.STRANGER, now, vault)


def knows(token: str, *, vault: Vault) -> bool:
    """True when `token` is the lasting link at the foot of somebody's mail."""
    return find_subscriber("ask", token, vault) is not None


def ask_by_token(token: str, *, now: datetime, vault: Vault) -> Signed | Busy | Wrong:
    """Mail a fresh link to the person whose mail's foot holds `token`: whoever else reads that mail learns nothing."""
    with transaction.atomic():
        found = find_subscriber("ask", token, vault)
        if found is None:
            return Wrong()
        if notices.flooded(now):
            return Busy()
        person = Subscriber.objects.select_for_update().get(id=found.id)
        suppressed = people.for_good(people.suppression(bytes(person.address_index)))
        return _write(person, suppressed, notices.HOLDER, now, vault)


def _write(person: Subscriber | None, suppressed: bool, limit: notices.Limit, now: datetime, vault: Vault) -> Signed:
    if person is None or suppressed or person.state != Subscriber.State.ACTIVE:
        return Signed(None)
    if not notices.within(limit, person, _MANAGE, now):
        return Signed(None)
    return Signed(notices.create(person, Notice.Kind.MANAGE, None, now=now, vault=vault).id)
