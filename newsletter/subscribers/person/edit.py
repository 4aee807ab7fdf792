"""Change what one person gets, at their own word, by somebody who runs the service. Each change is in the audit log.

The log holds numbers and never which topic: nothing there joins a person and what they follow.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import record
from newsletter.lib.crypto import Vault
from newsletter.lib.refused import Refused
from newsletter.models import Cadence, Subscriber, Subscription
from newsletter.subscribers import admin_subscribe, changes, people
from newsletter.subscribers.admin_subscribe import AddedSubscriber, HasLeft, Suppressed
from newsletter.subscribers.changes import CancelPlanned
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.person.find import person_thing
from newsletter.subscribers.subscribing import Subscribing

_GONE = Refused("there is no longer anybody with this number")
_ENDED = Refused("this subscription has ended already")


@dataclass(frozen=True)
class PersonChanged:
    """Done. `count` is the number of subscriptions that changed."""

    count: int


def add_topics(
    subscriber_id: int, topic_ids: tuple[int, ...], cadence: Cadence, subscribing: Subscribing, *, actor: Actor
) -> AddedSubscriber | Refused:
    """Let a person follow more topics, on their word; their mail time stays. One who left or is suppressed is refused."""
    with transaction.atomic():
        person = _lock(subscriber_id)
        if person is None:
            return _GONE
        time = MailTime(person.daily_rhythm.zone, person.daily_rhythm.hour, person.weekly_rhythm.weekday)
        choices = Choices(topic_ids, (), cadence, time, person.look.discreet, person.look.locale, person.look.format)
        added = admin_subscribe.subscribe_directly(
            people.address_of(person, subscribing.vault),
            choices,
            subscribing,
            confirmed=True,
            source="desk",
            actor=actor,
        )
        if isinstance(added, Suppressed):
            return Refused(f"this address must not be mailed ({added.reason})")
        if isinstance(added, HasLeft):
            return Refused("this person left: ask them by mail, or say that they asked to come back")
    return added


def change_cadence(
    subscriber_id: int, subscription_id: int, cadence: Cadence, *, now: datetime, actor: Actor
) -> PersonChanged | Refused:
    """Set how often one subscription brings mail."""
    with transaction.atomic():
        person = _lock(subscriber_id)
        if person is None:
            return _GONE
        row = Subscription.objects.filter(id=subscription_id, subscriber=person, ended_at=None).first()
        if row is None:
            return _ENDED
        changed = changes.set_cadence(person, subscription_id, cadence, now=now)
        if changed:
            before, after = {"cadence": _name(Cadence(row.cadence))}, {"cadence": _name(cadence)}
            _record(actor, "cadence", person.id, now, before=before, after=after)
        return PersonChanged(changed)


def change_mail_time(
    subscriber_id: int, mail_time: MailTime, subscribing: Subscribing, *, actor: Actor
) -> PersonChanged | Refused:
    """Set when daily and weekly mail comes, for all subscriptions."""
    with transaction.atomic():
        person = _lock(subscriber_id)
        if person is None:
            return _GONE
        was = MailTime(person.daily_rhythm.zone, person.daily_rhythm.hour, person.weekly_rhythm.weekday)
        changed = changes.set_mail_time(person, mail_time, subscribing, discreet=person.look.discreet)
        if was != mail_time:
            _record(actor, "mail_time", person.id, subscribing.now, before=vars(was), after=vars(mail_time))
        return PersonChanged(changed)


def end_subscription(
    subscriber_id: int, subscription_id: int, *, now: datetime, actor: Actor, cancel_planned: CancelPlanned
) -> PersonChanged | Refused:
    """End one subscription, and cancel planned mail that is only about it."""
    reason = Subscription.EndedReason.ADMIN
    with transaction.atomic():
        person = _lock(subscriber_id)
        if person is None:
            return _GONE
        if not changes.end_subscription(person, subscription_id, reason, now=now, cancel_planned=cancel_planned):
            return _ENDED
        _record(actor, "end", person.id, now, after={"subscriptions": 1})
        return PersonChanged(1)


def end_all(subscriber_id: int, *, now: datetime, vault: Vault, actor: Actor) -> PersonChanged | Refused:
    """Stop all mail to a person, as their own button would; what is planned already is not sent either."""
    with transaction.atomic():
        person = _lock(subscriber_id)
        if person is None:
            return _GONE
        if person.state == Subscriber.State.LEFT:
            return Refused("this person has left already")
        ended = changes.leave(person, Subscription.EndedReason.ADMIN, now=now, vault=vault)
        before, after = {"state": person.state}, {"state": Subscriber.State.LEFT.value, "subscriptions": ended}
        _record(actor, "leave", person.id, now, before=before, after=after)
        return PersonChanged(ended)


def with_mail_time(
    current: MailTime, *, zone: str = "", hour: int | None = None, weekday: int | None = None
) -> MailTime:
    """`current` with what is given instead.

    Raises:
        ValueError: the hour or the weekday is out of range.
    """
    new = {"zone": zone or None, "hour": hour, "weekday": weekday}
    return replace(current, **{name: value for name, value in new.items() if value is not None})  # type: ignore[arg-type]


def _lock(subscriber_id: int) -> Subscriber | None:
    rows = Subscriber.objects.select_for_update(of=("self",))
    return rows.select_related("look", "daily_rhythm", "weekly_rhythm").filter(id=subscriber_id).first()


def _record(actor: Actor, what: str, subscriber_id: int, now: datetime, **columns: Any) -> None:
    record(actor, f"subscriber.{what}", person_thing(subscriber_id), now=now, **columns)


def _name(cadence: Cadence) -> str:
    return cadence.name.lower()
