"""Look people up and erase them, for those who run the service."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, record
from newsletter.lib.crypto import Vault
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import SignUpRequest, Subscriber, Subscription, Suppression
from newsletter.subscribers import people
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.limits import mailbox_limit


@dataclass(frozen=True)
class StoredSubscription:
    """One subscription of a person."""

    topic_id: int
    #: The topic's name; None for a keyword, which stays private.
    words: str | None = field(repr=False)
    cadence: int
    source: str
    created_at: datetime
    ended_at: datetime | None
    ended_reason: str | None


@dataclass(frozen=True)
class StoredPerson:
    """What is stored of a person, besides the address."""

    subscriber_id: int | None
    state: str
    suppressed: str | None
    created_at: datetime | None = None
    confirmed_at: datetime | None = None
    zone: str = ""
    hour: int = 0
    weekday: int = 0
    discreet: bool = True
    subscriptions: tuple[StoredSubscription, ...] = field(default=(), repr=False)


def counts() -> dict[str, int]:
    """Count the people in each state."""
    by_state = dict(Subscriber.objects.values_list("state").annotate(Count("id")))
    return {state.value: by_state.get(state.value, 0) for state in Subscriber.State}


def confirmed_since(since: datetime) -> int:
    """How many people confirmed their subscription after `since`."""
    return Subscriber.objects.filter(confirmed_at__gt=since).count()


def show(address: Address, *, vault: Vault) -> StoredPerson | None:
    """What is stored of the person with this address; None if nothing is, not even a suppression."""
    suppression = people.suppression(index_of(address, vault))
    reason = suppression.reason if suppression else None
    person = people.find(address, vault)
    if person is None:
        return StoredPerson(None, "unknown", reason) if reason else None
    rows = Subscription.objects.filter(subscriber=person).select_related("topic").order_by("id")
    return StoredPerson(
        person.id,
        person.state,
        reason,
        person.created_at,
        person.confirmed_at,
        person.daily_rhythm.zone,
        person.daily_rhythm.hour,
        person.weekly_rhythm.weekday,
        person.look.discreet,
        tuple(
            StoredSubscription(
                row.topic_id,
                row.topic.name,
                row.cadence,
                row.source,
                row.created_at,
                row.ended_at,
                row.ended_reason,
            )
            for row in rows
        ),
    )


#: (subscriber id, ids of the topics they followed): deletes what the other rooms hold of somebody who is erased.
Forget = Callable[[int, Collection[int]], None]


def erase(address: Address, *, now: datetime, vault: Vault, forget: Forget, actor: Actor) -> bool:
    """Delete the person with all that is theirs: subscriptions, notices with their choices, consents, and what `forget` deletes.

    Returns False if nobody has this address.

    A keyed hash of the address stays, so that no import and no stranger's sign-up ever mails it again.
    """
    with transaction.atomic():
        person = people.lock(address, vault)
        if person is None:
            return False
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
        mailbox_limit.reset(address, tuple(SignUpRequest.Kind), vault)
        subscriber_id = person.id
        before, after = {"state": person.state}, {"state": "erased"}
        record(actor, "subscriber.erase", Thing("subscriber", subscriber_id), now=now, before=before, after=after)
        topic_ids = list(Subscription.objects.filter(subscriber=person).values_list("topic_id", flat=True))
        person.delete()
        forget(subscriber_id, topic_ids)
        return True
