"""Mail somebody a link: to their preferences, by address or from the foot of a mail; or a fresh one for one that expired."""

from datetime import datetime

from django.db import transaction

from newsletter.lib.crypto import Vault
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Notice, SignUpRequest, Subscriber
from newsletter.subscribers import notices, people
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.confirm import choices_of
from newsletter.subscribers.limits import mailbox_limit
from newsletter.subscribers.sign_up import SignedUp
from newsletter.subscribers.tokens import InvalidToken, find_notice, find_subscriber

Kind = SignUpRequest.Kind
#: Notices whose links are lasting ones: there is nothing to renew.
_LASTING = (Notice.Kind.RESUMED, Notice.Kind.MOVED)


def ask_by_address(address: Address, *, now: datetime, vault: Vault) -> SignedUp:
    """Mail a manage link, good for 24 hours, if this address is an active subscriber's."""
    with transaction.atomic():
        person = people.lock(address, vault)
        if person is None:
            return SignedUp(None)
        return _mail_manage_link(person, Kind.LINK, now, vault)


def is_ask_link(token: str, *, vault: Vault) -> bool:
    """Whether `token` is the lasting link at the foot of somebody's mail."""
    return find_subscriber("ask", token, vault) is not None


def ask_by_token(token: str, *, now: datetime, vault: Vault) -> SignedUp | InvalidToken:
    """Mail a manage link to the person whose mail's foot holds `token`: whoever else reads that mail learns nothing."""
    with transaction.atomic():
        holder = find_subscriber("ask", token, vault)
        if holder is None:
            return InvalidToken()
        person = Subscriber.objects.select_for_update().get(id=holder.id)
        return _mail_manage_link(person, Kind.HOLDER, now, vault)


def renewable(token: str, *, now: datetime, vault: Vault) -> bool:
    """Whether `token` is an expired link that nobody used."""
    return _expired(token, now, vault) is not None


def renew(token: str, *, now: datetime, vault: Vault) -> SignedUp | InvalidToken:
    """Mail a new notice with the kind and the choices of an expired, unused one."""
    with transaction.atomic():
        old = _expired(token, now, vault)
        if old is None:
            return InvalidToken()
        person = Subscriber.objects.select_for_update().get(id=old.subscriber_id)
        if person.state == Subscriber.State.LEFT:
            return SignedUp(None)
        kind = Notice.Kind(old.kind)
        choices = None if kind == Notice.Kind.MANAGE else choices_of(old, vault)
        return _mail(person, kind, choices, Kind.HOLDER, now, vault)


def _mail_manage_link(person: Subscriber, asked_by: Kind, now: datetime, vault: Vault) -> SignedUp:
    if person.state != Subscriber.State.ACTIVE:
        return SignedUp(None)
    return _mail(person, Notice.Kind.MANAGE, None, asked_by, now, vault)


def _mail(
    person: Subscriber, kind: Notice.Kind, choices: Choices | None, asked_by: Kind, now: datetime, vault: Vault
) -> SignedUp:
    """Write the notice, or say until when the limit of the mailbox makes it wait; nothing for a permanent suppression."""
    if people.is_permanent(people.suppression(bytes(person.address_index))):
        return SignedUp(None)
    address = people.address_of(person, vault)
    free_at = mailbox_limit.count_mail(mailbox_limit.index_of_mailbox(address, vault), asked_by, now=now)
    if free_at is not None:
        return SignedUp(None, mailbox_limit.rate_limited(address, free_at, vault))
    return SignedUp(notices.create(person, kind, choices, now=now, vault=vault).id)


def _expired(token: str, now: datetime, vault: Vault) -> Notice | None:
    old = find_notice(token, vault)
    if old is None or old.used_at is not None or old.expires_at > now or old.kind in _LASTING:
        return None
    return old
