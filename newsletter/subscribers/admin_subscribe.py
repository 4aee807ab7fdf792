"""Subscribing somebody by hand: an admin's word instead of a page."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from newsletter.lib.crypto import Vault
from newsletter.lib.provider_interface import Address
from newsletter.models import Subscriber
from newsletter.subscribers import notices, people
from newsletter.subscribers.choices import Choices, NextDue, OwnTopic
from newsletter.subscribers.confirm import admit
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.sign_up import sign_up_for_admin


@dataclass(frozen=True)
class Added:
    """`state` is active, or pending until the notice is answered. `followed` counts the topics of an active person."""

    subscriber_id: int
    state: str
    followed: int = 0
    #: The notice to mail. None: there is nothing to tell, or one was mailed less than a day ago.
    notice_id: int | None = None


@dataclass(frozen=True)
class Suppressed:
    """The address must not be mailed, for `reason`."""

    reason: str


@dataclass(frozen=True)
class HasLeft:
    """The person left, and nobody said that they want to come back."""


def subscribe_directly(
    address: Address,
    choices: Choices,
    *,
    confirmed: bool,
    returning: bool = False,
    source: str,
    now: datetime,
    vault: Vault,
    own_topic: OwnTopic,
    next_due: NextDue,
) -> Added | Suppressed | HasLeft:
    """Subscribe `address`. `confirmed` says that the person agreed elsewhere: active at once; else they are asked by mail.

    Who left is not added by somebody else's word, unless it is `returning`: that they asked to come back. They are told so
    by mail.
    """
    with transaction.atomic():
        index = index_of(address, vault)
        found = people.suppression(index)
        if found is not None and people.for_good(found):
            return Suppressed(found.reason)
        if not confirmed:
            return _asked(address, choices, now, vault, next_due)
        known = people.lock(address, vault)
        had_left = people.wants_no_mail(known, found)
        if had_left and not returning:
            return HasLeft()
        person = known or people.make(address, choices, now=now, vault=vault, next_due=next_due)
        admit(person, choices, keep=True, what=source, now=now, next_due=next_due)
        followed = people.follow_all(person, choices, own_topic=own_topic, source=source, now=now)
        told = notices.tell_resumed(person, now=now, vault=vault) if had_left else None
        return Added(person.id, person.state, followed, told.id if told else None)


def _asked(address: Address, choices: Choices, now: datetime, vault: Vault, next_due: NextDue) -> Added:
    signed = sign_up_for_admin(address, choices, now=now, vault=vault, next_due=next_due)
    person = Subscriber.objects.get(address_index=index_of(address, vault))
    return Added(person.id, person.state, notice_id=signed.notice_id)
