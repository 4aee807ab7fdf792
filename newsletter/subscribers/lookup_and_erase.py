"""Looking people up and erasing them, for those who run the service."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from newsletter.lib.crypto import Vault
from newsletter.lib.provider_interface import Address
from newsletter.models import SignUpRequest, Subscriber, Subscription, Suppression
from newsletter.subscribers import people
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.limits import mailbox_limit


@dataclass(frozen=True)
class Line:
    """One subscription of a person. `words` is the topic's name, None for an own keyword: that is nobody's business."""

    topic_id: int
    words: str | None = field(repr=False)
    cadence: int
    source: str
    created_at: datetime
    ended_at: datetime | None
    ended_reason: str | None


@dataclass(frozen=True)
class Shown:
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
    subscriptions: tuple[Line, ...] = field(default=(), repr=False)


def counts() -> dict[str, int]:
    """How many people are in each state."""
    found = dict(Subscriber.objects.values_list("state").annotate(Count("id")))
    return {state.value: found.get(state.value, 0) for state in Subscriber.State}


def show(address: Address, *, vault: Vault) -> Shown | None:
    """What is stored of the person with this address; None when nothing is, not even a suppression."""
    suppressed = people.suppression(index_of(address, vault))
    reason = suppressed.reason if suppressed else None
    person = people.find(address, vault)
    if person is None:
        return Shown(None, "unknown", reason) if reason else None
    rows = Subscription.objects.filter(subscriber=person).select_related("topic").order_by("id")
    return Shown(
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
            Line(
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


#: (subscriber id, ids of the topics they followed): what the other rooms forget of somebody who is erased.
Forget = Callable[[int, Collection[int]], None]


def erase(address: Address, *, now: datetime, vault: Vault, forget: Forget) -> bool:
    """Delete the person with all that is theirs: subscriptions, notices with their sealed choices, consents, and what `forget`
    knows of; False when nobody has this address.

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
        mailbox_limit.forget(address, tuple(SignUpRequest.Kind), vault)
        number, topics = (
            person.id,
            list(Subscription.objects.filter(subscriber=person).values_list("topic_id", flat=True)),
        )
        person.delete()
        forget(number, topics)
        return True
