"""Count people and erase them, for those who run the service."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, record
from newsletter.lib.crypto import Vault
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Consent, Notice, SignUpRequest, Subscriber, Subscription, Suppression
from newsletter.subscribers import people
from newsletter.subscribers.limits import mailbox_limit


def counts() -> dict[str, int]:
    """Count the people in each state."""
    # those of the two other states have an index, so that only the primary key is read
    pending = Subscriber.objects.filter(state=Subscriber.State.PENDING).count()
    left = Subscriber.objects.filter(state=Subscriber.State.LEFT).count()
    return {"pending": pending, "active": Subscriber.objects.count() - pending - left, "left": left}


def confirmed_since(since: datetime) -> int:
    """How many people confirmed their subscription after `since`."""
    return Subscriber.objects.filter(confirmed_at__gt=since).count()


#: (subscriber id, ids of the topics they followed): deletes what the other rooms hold of somebody who is erased.
Forget = Callable[[int, Collection[int]], None]


@dataclass(frozen=True)
class ErasedRows:
    """What `erase_person` deletes of a person, in rows; `suppressed` is a reason that stays."""

    subscriptions: int
    consents: int
    notices: int
    suppressed: str | None


def rows_to_erase(subscriber_id: int) -> ErasedRows | None:
    """What erasing this person would delete. Returns None if there is nobody of this number."""
    person = Subscriber.objects.filter(id=subscriber_id).first()
    if person is None:
        return None
    suppression = people.suppression(bytes(person.address_index))
    return ErasedRows(
        Subscription.objects.filter(subscriber=person).count(),
        Consent.objects.filter(subscriber=person).count(),
        Notice.objects.filter(subscriber=person).count(),
        suppression.reason if suppression else None,
    )


def erase(
    address: Address, *, now: datetime, vault: Vault, forget: Forget, actor: Actor, never_again: bool = True
) -> bool:
    """`erase_person` by address. Returns False if nobody has it."""
    person = people.find(address, vault)
    if person is None:
        return False
    return erase_person(person.id, now=now, vault=vault, forget=forget, actor=actor, never_again=never_again)


def erase_person(
    subscriber_id: int, *, now: datetime, vault: Vault, forget: Forget, actor: Actor, never_again: bool
) -> bool:
    """Delete the person with all that is theirs: subscriptions, notices with their choices, consents, and what `forget` deletes.

    Returns False if there is nobody of this number.

    With `never_again` a keyed hash of the address stays, so that no import and no stranger's sign-up ever mails it again.
    Without it nothing new is kept: a suppression that stands already stays, and whoever signs up is a new person.
    """
    with transaction.atomic():
        person = Subscriber.objects.select_for_update().filter(id=subscriber_id).first()
        if person is None:
            return False
        if never_again:
            Suppression.objects.update_or_create(
                address_index=bytes(person.address_index),
                defaults={
                    "reason": Suppression.Reason.ERASED,
                    "sticky": True,
                    "since": now,
                    "provider": "",
                    "lifted_at": None,
                },
            )
        mailbox_limit.reset(people.address_of(person, vault), tuple(SignUpRequest.Kind), vault)
        before, after = {"state": person.state}, {"state": "erased", "never_again": never_again}
        record(actor, "subscriber.erase", Thing("subscriber", subscriber_id), now=now, before=before, after=after)
        topic_ids = list(Subscription.objects.filter(subscriber=person).values_list("topic_id", flat=True))
        person.delete()
        forget(subscriber_id, topic_ids)
        return True
