"""Sign an address up: ask it by mail to confirm the choices, or to add them."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Notice, SignUpRequest, Subscriber
from newsletter.subscribers import notices, people
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.limits import mailbox_limit
from newsletter.subscribers.subscribing import Subscribing

#: A sign-up this soon after the mail only changes what its button does; a later one also brings another mail.
SAME_VISIT = timedelta(hours=1)
_ASKING = (Notice.Kind.CONFIRM, Notice.Kind.ADD)


@dataclass(frozen=True)
class SignedUp:
    """What became of a request for a mail."""

    #: The notice to mail; None if nothing is mailed.
    notice_id: int | None
    #: The request has to wait, and is decided later.
    limited: mailbox_limit.RateLimited | None = None


def sign_up(address: Address, choices: Choices, subscribing: Subscribing) -> SignedUp:
    """Write the notice that asks `address` to confirm (new, pending, left) or to add (active) these choices.

    No subscription and no keyword topic exists before the answer. While the mailbox's limit holds, a notice that was mailed
    already gets the new choices. A permanent suppression gets nothing.
    """
    now, vault = subscribing.now, subscribing.vault
    with transaction.atomic():
        if people.is_permanent(people.suppression(index_of(address, vault))):
            return SignedUp(None)
        person = people.lock(address, vault)
        mailbox = mailbox_limit.index_of_mailbox(address, vault)
        free_at = mailbox_limit.count_mail(mailbox, SignUpRequest.Kind.SIGN_UP, now=now)
        if free_at is None:
            return SignedUp(_ask(person, address, choices, subscribing).id)
        mailed = person and notices.replace_choices(person, _kind(person), choices, now=now, vault=vault)
        if mailed and mailed.created_at > now - SAME_VISIT:
            return SignedUp(None)
        return SignedUp(None, mailbox_limit.rate_limited(address, free_at, vault))


def sign_up_for_admin(address: Address, choices: Choices, subscribing: Subscribing) -> SignedUp:
    """As `sign_up`, on an admin's word: what strangers did does not count, but one unanswered mail a day is enough.

    Inside the caller's transaction.
    """
    now, vault = subscribing.now, subscribing.vault
    person = people.lock(address, vault)
    if person is not None and notices.unanswered_since(person, _ASKING, now - timedelta(days=1)):
        notices.replace_choices(person, _kind(person), choices, now=now, vault=vault)
        return SignedUp(None)
    mailbox_limit.count_mail(mailbox_limit.index_of_mailbox(address, vault), SignUpRequest.Kind.SIGN_UP, now=now)
    return SignedUp(_ask(person, address, choices, subscribing).id)


def _kind(person: Subscriber) -> Notice.Kind:
    return Notice.Kind.ADD if person.state == Subscriber.State.ACTIVE else Notice.Kind.CONFIRM


def _ask(person: Subscriber | None, address: Address, choices: Choices, subscribing: Subscribing) -> Notice:
    person = person or people.create(address, choices, subscribing)
    if person.state == Subscriber.State.LEFT:
        Subscriber.objects.filter(id=person.id).update(state=Subscriber.State.PENDING)
    return notices.create(person, _kind(person), choices, now=subscribing.now, vault=subscribing.vault)
