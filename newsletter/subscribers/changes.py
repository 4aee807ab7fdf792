"""What changes for one person, whoever asks for it: a link of their own or somebody who runs the service.

In the caller's transaction, with the person locked.
"""

from collections.abc import Callable
from datetime import datetime

from newsletter.lib.crypto import Vault
from newsletter.models import Cadence, Subscriber, Subscription
from newsletter.subscribers import notices, people
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.limits import mailbox_limit
from newsletter.subscribers.subscribing import Subscribing

#: (subscriber id, topic id): cancels planned mail whose every reason is that topic.
CancelPlanned = Callable[[int, int], object]


def set_cadence(person: Subscriber, subscription_id: int, cadence: Cadence, *, now: datetime) -> int:
    """Set how often one live subscription brings mail. Returns 0 if it is so already, or not theirs."""
    live = Subscription.objects.filter(id=subscription_id, subscriber=person, ended_at=None)
    return live.exclude(cadence=cadence).update(cadence=cadence, changed_at=now)


def set_mail_time(person: Subscriber, mail_time: MailTime, subscribing: Subscribing, *, discreet: bool) -> int:
    """Set when digests come and what subjects say. Returns how many subscriptions come at a new time."""
    before = (person.daily_rhythm_id, person.weekly_rhythm_id)
    look = person.look
    settings = Choices(mail_time=mail_time, discreet=discreet, locale=look.locale, format=look.format)
    people.apply_choices(person, settings, subscribing)
    person.save(update_fields=["look", "daily_rhythm", "weekly_rhythm"])
    if before == (person.daily_rhythm_id, person.weekly_rhythm_id):
        return 0
    live = Subscription.objects.filter(subscriber=person, ended_at=None)
    return live.update(changed_at=subscribing.now)


def end_subscription(
    person: Subscriber,
    subscription_id: int,
    reason: Subscription.EndedReason,
    *,
    now: datetime,
    cancel_planned: CancelPlanned,
) -> int:
    """End one live subscription, and cancel planned mail that is only about it. Returns 0 if it has ended, or is not theirs."""
    live = Subscription.objects.filter(id=subscription_id, subscriber=person, ended_at=None)
    subscription = live.first()
    if subscription is None:
        return 0
    live.update(ended_at=now, ended_reason=reason, changed_at=now)
    cancel_planned(person.id, subscription.topic_id)
    return 1


def leave(person: Subscriber, reason: Subscription.EndedReason, *, now: datetime, vault: Vault) -> int:
    """End all subscriptions, and every open link that would begin one; returns how many subscriptions ended."""
    live = Subscription.objects.filter(subscriber=person, ended_at=None)
    ended = live.update(ended_at=now, ended_reason=reason, changed_at=now)
    Subscriber.objects.filter(id=person.id).update(state=Subscriber.State.LEFT, left_at=now)
    notices.expire_confirmations(person, now=now)
    mailbox_limit.drop_waiting(people.address_of(person, vault), vault)
    return ended
