"""Mail a link to somebody's preferences: asked by typing an address, or from the foot of a mail."""

from datetime import datetime

from django.db import transaction

from newsletter.lib.crypto import Vault
from newsletter.lib.provider_interface import Address
from newsletter.models import Notice, SignUpRequest, Subscriber
from newsletter.subscribers import mailbox_limit, notices, people
from newsletter.subscribers.signup import Signed
from newsletter.subscribers.tokens import Wrong, find_subscriber

Kind = SignUpRequest.Kind


def ask_by_address(address: Address, *, now: datetime, vault: Vault) -> Signed:
    """Mail a link good for 24 hours, if this address is an active subscriber's."""
    with transaction.atomic():
        return _mail_link(people.lock(address, vault), Kind.LINK, now, vault)


def knows(token: str, *, vault: Vault) -> bool:
    """True when `token` is the lasting link at the foot of somebody's mail."""
    return find_subscriber("ask", token, vault) is not None


def ask_by_token(token: str, *, now: datetime, vault: Vault) -> Signed | Wrong:
    """Mail a fresh link to the person whose mail's foot holds `token`: whoever else reads that mail learns nothing."""
    with transaction.atomic():
        found = find_subscriber("ask", token, vault)
        if found is None:
            return Wrong()
        person = Subscriber.objects.select_for_update().get(id=found.id)
        return _mail_link(person, Kind.HOLDER, now, vault)


def _mail_link(person: Subscriber | None, kind: Kind, now: datetime, vault: Vault) -> Signed:
    if person is None or person.state != Subscriber.State.ACTIVE:
        return Signed(None)
    if people.for_good(people.suppression(bytes(person.address_index))):
        return Signed(None)
    address = people.address_of(person, vault)
    mailbox = mailbox_limit.index_of_mailbox(address, vault)
    free_at = mailbox_limit.count_mail(mailbox, kind, now=now)
    if free_at is not None:
        return Signed(None, mailbox_limit.wait_for(address, free_at, vault))
    return Signed(notices.create(person, Notice.Kind.MANAGE, None, now=now, vault=vault).id)
