"""Ending everything, at once and without questions; and taking that back."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from newsletter.models import Subscriber, Subscription
from newsletter.subscribers.tokens import Wrong, find_subscriber, read_undo, undo_token
from newsletter.vault import Vault

#: How long leaving can be taken back; ended subscriptions are kept as long.
UNDO = timedelta(days=14)
_REASONS = ("reader", "one-click")


@dataclass(frozen=True)
class Left:
    """Nothing is mailed any more. `ended` counts the subscriptions that ended now."""

    subscriber_id: int
    ended: int
    undo_token: str = field(repr=False)


@dataclass(frozen=True)
class Returned:
    """Leaving was taken back; `restored` counts the subscriptions that live again."""

    subscriber_id: int
    restored: int


def knows(token: str, *, vault: Vault) -> bool:
    """True when `token` is somebody's unsubscribe link. Says nothing of whose, and changes nothing."""
    return find_subscriber("unsubscribe", token, vault) is not None


def leave(token: str, *, now: datetime, vault: Vault, reason: str = "reader") -> Left | Wrong:
    """End all subscriptions of the person this link was mailed to; a second press changes nothing.

    `reason` is reader (the button) or one-click (RFC 8058). Mail already planned is stopped by the barrier of delivery.
    """
    if reason not in _REASONS:
        raise ValueError("reason must be reader or one-click")
    with transaction.atomic():
        found = find_subscriber("unsubscribe", token, vault)
        if found is None:
            return Wrong()
        person = Subscriber.objects.select_for_update().get(id=found.id)
        if person.state == Subscriber.State.LEFT:
            return Left(person.id, 0, undo_token(person.id, _last_act(person) or now, vault))
        live = Subscription.objects.filter(subscriber=person, ended_at=None)
        ended = live.update(ended_at=now, ended_reason=reason, changed_at=now)
        Subscriber.objects.filter(id=person.id).update(state=Subscriber.State.LEFT, left_at=now)
        return Left(person.id, ended, undo_token(person.id, now, vault))


def undoable(token: str, *, now: datetime, vault: Vault) -> bool:
    """True when `token` still takes leaving back. Says nothing of whose, and changes nothing."""
    found = read_undo(token, vault)
    fresh = found is not None and now - UNDO < found[1] <= now
    return fresh and found is not None and Subscriber.objects.filter(id=found[0]).exists()


def undo(token: str, *, now: datetime, vault: Vault) -> Returned | Wrong:
    """Restore what ended when the person left, within 14 days; a second press changes nothing."""
    with transaction.atomic():
        found = read_undo(token, vault)
        if found is None or not now - UNDO < found[1] <= now:
            return Wrong()
        person = Subscriber.objects.select_for_update().filter(id=found[0]).first()
        if person is None:
            return Wrong()
        live = Subscription.objects.filter(subscriber=person, ended_at=None)
        ended = Subscription.objects.filter(subscriber=person, ended_at=found[1], ended_reason__in=_REASONS)
        again = ended.exclude(topic_id__in=list(live.values_list("topic_id", flat=True)))
        restored = again.update(ended_at=None, ended_reason=None, changed_at=now)
        if person.state == Subscriber.State.LEFT or restored:
            state = Subscriber.State.ACTIVE if person.confirmed_at else Subscriber.State.PENDING
            Subscriber.objects.filter(id=person.id).update(state=state, left_at=None)
        return Returned(person.id, restored)


def _last_act(person: Subscriber) -> datetime | None:
    ended = Subscription.objects.filter(subscriber=person, ended_reason__in=_REASONS)
    return ended.order_by("-ended_at").values_list("ended_at", flat=True).first()
