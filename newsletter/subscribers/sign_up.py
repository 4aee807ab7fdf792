"""Sign an address up: ask it by mail to confirm the choices, or to add them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from newsletter.lib.crypto import Vault
from newsletter.lib.provider_interface import Address
from newsletter.models import Notice, SignUpRequest, Subscriber
from newsletter.subscribers import notices, people
from newsletter.subscribers.choices import Choices, NextDue
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.limits import mailbox_limit

#: A sign-up that comes so soon after the mail only changes what its button does; a later one also brings another mail.
SAME_VISIT = timedelta(hours=1)
_ASKING = (Notice.Kind.CONFIRM, Notice.Kind.ADD)


@dataclass(frozen=True)
class Signed:
    """Decided. `notice_id` is the notice to mail, None when nothing is mailed; `wait` says that it is to be decided later."""

    notice_id: int | None
    wait: mailbox_limit.Wait | None = None


def sign_up(address: Address, choices: Choices, *, now: datetime, vault: Vault, next_due: NextDue) -> Signed:
    """Write the notice that asks `address` to confirm (new, pending, left) or to add (active) these choices.

    No subscription and no own topic exists before the answer. While the mailbox's limit holds, a notice that was mailed
    already gets the new choices. A permanent suppression gets nothing.
    """
    with transaction.atomic():
        if people.for_good(people.suppression(index_of(address, vault))):
            return Signed(None)
        person = people.lock(address, vault)
        mailbox = mailbox_limit.index_of_mailbox(address, vault)
        free_at = mailbox_limit.count_mail(mailbox, SignUpRequest.Kind.SIGN_UP, now=now)
        if free_at is not None:
            mailed = person and notices.replace_choices(person, _kind(person), choices, now=now, vault=vault)
            just_mailed = mailed and mailed.created_at > now - SAME_VISIT
            return Signed(None, None if just_mailed else mailbox_limit.wait_for(address, free_at, vault))
        return Signed(_ask(person, address, choices, now=now, vault=vault, next_due=next_due).id)


def sign_up_for_admin(address: Address, choices: Choices, *, now: datetime, vault: Vault, next_due: NextDue) -> Signed:
    """As `sign_up`, on an admin's word: what strangers did does not count, but one unanswered mail a day is enough.

    Inside the caller's transaction.
    """
    person = people.lock(address, vault)
    if person is not None and notices.unanswered_since(person, _ASKING, now - timedelta(days=1)):
        notices.replace_choices(person, _kind(person), choices, now=now, vault=vault)
        return Signed(None)
    mailbox_limit.count_mail(mailbox_limit.index_of_mailbox(address, vault), SignUpRequest.Kind.SIGN_UP, now=now)
    return Signed(_ask(person, address, choices, now=now, vault=vault, next_due=next_due).id)


def _kind(person: Subscriber) -> Notice.Kind:
    return Notice.Kind.ADD if person.state == Subscriber.State.ACTIVE else Notice.Kind.CONFIRM


def _ask(
    person: Subscriber | None, address: Address, choices: Choices, *, now: datetime, vault: Vault, next_due: NextDue
) -> Notice:
    person = person or people.make(address, choices, now=now, vault=vault, next_due=next_due)
    if person.state == Subscriber.State.LEFT:
        Subscriber.objects.filter(id=person.id).update(state=Subscriber.State.PENDING)
    return notices.create(person, _kind(person), choices, now=now, vault=vault)
