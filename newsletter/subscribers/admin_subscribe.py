"""Subscribe somebody on an admin's word, without a page."""

from dataclasses import dataclass

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, record
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Subscriber, Subscription
from newsletter.subscribers import notices, people
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.confirm import activate
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.sign_up import sign_up_for_admin
from newsletter.subscribers.subscribing import Subscribing


@dataclass(frozen=True)
class AddedSubscriber:
    """The person is subscribed, or was asked by mail."""

    subscriber_id: int
    #: `active`, or `pending` until the notice is answered.
    state: str
    #: How many of the topics an active person follows now.
    followed: int = 0
    #: Whether they were active before.
    was_active: bool = False
    #: How many topics they did not follow before.
    new: int = 0
    #: The notice to mail. None: there is nothing to say, or one was mailed less than a day ago.
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
    subscribing: Subscribing,
    *,
    confirmed: bool,
    returning: bool = False,
    source: str,
    actor: Actor,
) -> AddedSubscriber | Suppressed | HasLeft:
    """Subscribe `address`: active at once if they `confirmed` elsewhere; else they are asked by mail.

    Who left is not added on somebody else's word, unless they are `returning`: they asked to come back. A mail tells them
    that their mail has started again.
    """
    now, vault = subscribing.now, subscribing.vault
    with transaction.atomic():
        index = index_of(address, vault)
        suppression = people.suppression(index)
        if suppression is not None and people.is_permanent(suppression):
            return Suppressed(suppression.reason)
        if not confirmed:
            asked = _ask(address, choices, subscribing)
            _record(asked, actor, subscribing, confirmed=False)
            return asked
        known = people.lock(address, vault)
        had_left = people.wants_no_mail(known, suppression)
        if had_left and not returning:
            return HasLeft()
        was_active = known is not None and known.state == Subscriber.State.ACTIVE
        person = known or people.create(address, choices, subscribing)
        live = Subscription.objects.filter(subscriber=person, ended_at=None)
        before = live.count()
        activate(person, choices, subscribing, keep_settings=True, consent=source)
        followed = people.subscribe_to_choices(person, choices, subscribing, source=source)
        notice = notices.announce_resumed(person, now=now, vault=vault) if had_left else None
        added = AddedSubscriber(
            person.id,
            person.state,
            followed=followed,
            was_active=was_active,
            new=live.count() - before,
            notice_id=notice.id if notice else None,
        )
        _record(added, actor, subscribing, confirmed=True)
        return added


def _record(added: AddedSubscriber, actor: Actor, subscribing: Subscribing, *, confirmed: bool) -> None:
    """Numbers only: the audit log never says who follows what."""
    after = {"state": added.state, "confirmed": confirmed, "new": added.new}
    record(actor, "subscriber.add", Thing("subscriber", added.subscriber_id), now=subscribing.now, after=after)


def _ask(address: Address, choices: Choices, subscribing: Subscribing) -> AddedSubscriber:
    signed_up = sign_up_for_admin(address, choices, subscribing)
    person = Subscriber.objects.get(address_index=index_of(address, subscribing.vault))
    return AddedSubscriber(person.id, person.state, notice_id=signed_up.notice_id)
