"""Ending everything, at once and without questions; and taking that back."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from newsletter.lib.crypto import Vault
from newsletter.models import Subscriber, Subscription
from newsletter.subscribers import notices, people
from newsletter.subscribers.limits import mailbox_limit
from newsletter.subscribers.tokens import Wrong, find_subscriber, read_undo, undo_token

#: How long leaving can be taken back; ended subscriptions are kept as long.
UNDO = timedelta(days=14)
_REASONS = (Subscription.EndedReason.READER, Subscription.EndedReason.ONE_CLICK)


@dataclass(frozen=True)
class Left:
    """Nothing is mailed any more. `ended` counts the subscriptions that ended now.

    `undo_token` takes this act back; None when it ended nothing, for what others ended is not its own.
    """

    subscriber_id: int
    ended: int
    undo_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Returned:
    """Leaving was taken back; `restored` counts the subscriptions that live again.

    `notice_id` tells the person so by mail; None when they were told within a day.
    """

    subscriber_id: int
    restored: int
    notice_id: int | None = None


def knows(token: str, *, vault: Vault) -> bool:
    """True when `token` is somebody's unsubscribe link. Says nothing of whose, and changes nothing."""
    return find_subscriber("unsubscribe", token, vault) is not None


def leave(
    token: str, *, now: datetime, vault: Vault, reason: Subscription.EndedReason = Subscription.EndedReason.READER
) -> Left | Wrong:
    """End all subscriptions of the person this link was mailed to, and every open link that would begin one.

    A second press changes nothing, and offers no undo: whoever holds a forwarded mail could take back what its owner did.

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
            return Left(person.id, 0)
        live = Subscription.objects.filter(subscriber=person, ended_at=None)
        ended = live.update(ended_at=now, ended_reason=reason, changed_at=now)
        Subscriber.objects.filter(id=person.id).update(state=Subscriber.State.LEFT, left_at=now)
        notices.close(person, now=now)
        mailbox_limit.drop_waiting(people.address_of(person, vault), vault)
        return Left(person.id, ended, undo_token(person.id, now, vault) if ended else None)


def undoable(token: str, *, now: datetime, vault: Vault) -> bool:
    """True when `token` still takes leaving back. Says nothing of whose, and changes nothing."""
    return _act(token, now, vault) is not None


def undo(token: str, *, now: datetime, vault: Vault) -> Returned | Wrong:
    """Restore what ended by the act that this token belongs to, within 14 days; a second press changes nothing.

    The person is told by mail: it may not have been them.
    """
    with transaction.atomic():
        found = _act(token, now, vault)
        if found is None:
            return Wrong()
        subscriber_id, left_at = found
        person = Subscriber.objects.select_for_update().get(id=subscriber_id)
        live = Subscription.objects.filter(subscriber=person, ended_at=None)
        ended = Subscription.objects.filter(subscriber=person, ended_at=left_at, ended_reason__in=_REASONS)
        again = ended.exclude(topic_id__in=list(live.values_list("topic_id", flat=True)))
        restored = again.update(ended_at=None, ended_reason=None, changed_at=now)
        if not restored:
            return Returned(person.id, 0)
        state = Subscriber.State.ACTIVE if person.confirmed_at else Subscriber.State.PENDING
        Subscriber.objects.filter(id=person.id).update(state=state, left_at=None)
        told = notices.tell_resumed(person, now=now, vault=vault)
        return Returned(person.id, restored, told.id if told else None)


def _act(token: str, now: datetime, vault: Vault) -> tuple[int, datetime] | None:
    """(subscriber id, moment) of the act of leaving behind an undo token; None when it is too old to be taken back.

    Also when the person stopped something later: then that is what counts.
    """
    found = read_undo(token, vault)
    if found is None or not now - UNDO < found[1] <= now or not Subscriber.objects.filter(id=found[0]).exists():
        return None
    stopped = Subscription.objects.filter(subscriber_id=found[0], ended_reason__in=_REASONS)
    return None if stopped.filter(ended_at__gt=found[1]).exists() else found
