"""Mail a fresh link to the address behind an expired one."""

from datetime import datetime

from django.db import transaction

from newsletter.lib.crypto import Vault
from newsletter.models import Notice, SignUpRequest, Subscriber
from newsletter.subscribers import mailbox_limit, notices, people
from newsletter.subscribers.confirm import choices_of
from newsletter.subscribers.signup import Signed
from newsletter.subscribers.tokens import Wrong, find_notice

Kind = SignUpRequest.Kind


def renewable(token: str, *, now: datetime, vault: Vault) -> bool:
    """True when `token` is an expired link that nobody used."""
    return _expired(token, now, vault) is not None


def renew(token: str, *, now: datetime, vault: Vault) -> Signed | Wrong:
    """Write a new notice of the same kind and choices for an expired, unused one; the holder's limits apply."""
    with transaction.atomic():
        old = _expired(token, now, vault)
        if old is None:
            return Wrong()
        person = Subscriber.objects.select_for_update().get(id=old.subscriber_id)
        if people.for_good(people.suppression(bytes(person.address_index))) or person.state == Subscriber.State.LEFT:
            return Signed(None)
        address = people.address_of(person, vault)
        mailbox = mailbox_limit.index_of_mailbox(address, vault)
        free_at = mailbox_limit.count_mail(mailbox, Kind.HOLDER, now=now)
        if free_at is not None:
            return Signed(None, mailbox_limit.wait_for(address, free_at, vault))
        kind = Notice.Kind(old.kind)
        choices = None if kind == Notice.Kind.MANAGE else choices_of(old, vault)
        return Signed(notices.create(person, kind, choices, now=now, vault=vault).id)


def _expired(token: str, now: datetime, vault: Vault) -> Notice | None:
    old = find_notice(token, vault)
    if old is None or old.used_at is not None or old.expires_at > now or old.kind == Notice.Kind.RESUMED:
        return None
    return old
