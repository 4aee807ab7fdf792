"""One person: found by address, made, suppressed, and what they follow."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from newsletter.lib.crypto import Vault
from newsletter.lib.provider_interface import Address
from newsletter.models import Cadence, Subscriber, Subscription, Suppression, Topic
from newsletter.subscribers.choices import Choices, NextDue, OwnTopic
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.rhythms import look, rhythms


def find(address: Address, vault: Vault) -> Subscriber | None:
    """The person with this address, or None."""
    return Subscriber.objects.filter(address_index=index_of(address, vault)).first()


def lock(address: Address, vault: Vault) -> Subscriber | None:
    """The person with this address, held for the rest of the transaction: two requests at once must count one mail."""
    return Subscriber.objects.select_for_update().filter(address_index=index_of(address, vault)).first()


def address_of(person: Subscriber, vault: Vault) -> Address:
    """The address of a person, opened: for what they ask for themselves."""
    return Address(vault.decrypt(person.key_id, person.address_cipher, handle=person.handle.bytes, column="address"))


def make(address: Address, choices: Choices, *, now: datetime, vault: Vault, next_due: NextDue) -> Subscriber:
    """A new pending person; if another request was faster, theirs, held."""
    handle = uuid.uuid4()
    key_id, sealed = vault.encrypt(address.value, handle=handle.bytes, column="address")
    daily, weekly = rhythms(choices, now=now, next_due=next_due)
    try:
        with transaction.atomic():
            return Subscriber.objects.create(
                handle=handle,
                address_cipher=sealed,
                address_index=index_of(address, vault),
                key_id=key_id,
                look=look(choices),
                daily_rhythm=daily,
                weekly_rhythm=weekly,
                created_at=now,
            )
    except IntegrityError:
        person = lock(address, vault)
        if person is None:
            raise
        return person


def suppression(index: bytes) -> Suppression | None:
    """Why the address behind a blind index must not be mailed, or None when it may."""
    return Suppression.objects.filter(address_index=index, lifted_at=None).first()


def for_good(found: Suppression | None) -> bool:
    """True when the person cannot lift it by confirming again."""
    return found is not None and (found.sticky or found.reason == Suppression.Reason.ERASED)


def wants_no_mail(person: Subscriber | None, found: Suppression | None) -> bool:
    """True when this person left, or told their provider to stop, and did not come back by themselves."""
    gone = person is not None and (person.state == Subscriber.State.LEFT or person.left_at is not None)
    return gone or (found is not None and found.reason in (Suppression.Reason.LEFT, Suppression.Reason.UNSUBSCRIBE))


def settle(person: Subscriber, choices: Choices, *, now: datetime, next_due: NextDue) -> None:
    """Give a person the look and the rhythms of these choices; not saved."""
    person.look = look(choices)
    person.daily_rhythm, person.weekly_rhythm = rhythms(choices, now=now, next_due=next_due)


def follow(person: Subscriber, topic_ids: Iterable[int], cadence: Cadence, *, source: str, now: datetime) -> int:
    """Subscribe to each topic that is still there, or give a live subscription this cadence; returns how many are followed."""
    known = Topic.objects.filter(id__in=set(topic_ids), state=Topic.State.ACTIVE).values_list("id", flat=True)
    followed = 0
    for topic_id in sorted(known):
        followed += 1
        live = Subscription.objects.filter(subscriber=person, topic_id=topic_id, ended_at=None)
        if live.exclude(cadence=cadence).update(cadence=cadence, changed_at=now) or live.exists():
            continue
        Subscription.objects.create(
            subscriber=person,
            topic_id=topic_id,
            cadence=cadence,
            owed_from=now,
            changed_at=now,
            created_at=now,
            source=source,
        )
    return followed


def follow_all(person: Subscriber, choices: Choices, *, own_topic: OwnTopic, source: str, now: datetime) -> int:
    """`follow` the topics and the own words of these choices."""
    own = [own_topic(word) for word in choices.words]
    return follow(person, (*choices.topic_ids, *own), choices.cadence, source=source, now=now)


def lift(index: bytes, now: datetime) -> None:
    """The person showed that mail reaches them: a suppression that is not for good ends."""
    standing = Suppression.objects.filter(address_index=index, sticky=False, lifted_at=None)
    standing.exclude(reason=Suppression.Reason.ERASED).update(lifted_at=now)
