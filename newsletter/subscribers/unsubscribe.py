"""Stop all mail at once, without questions; and take that back."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from newsletter.lib.crypto import Vault
from newsletter.models import Subscriber, Subscription
from newsletter.subscribers import changes, move_followers, notices
from newsletter.subscribers.tokens import InvalidToken, find_subscriber, read_undo, undo_token

#: How long leaving can be taken back; ended subscriptions are kept as long.
UNDO = timedelta(days=14)
_REASONS = (Subscription.EndedReason.READER, Subscription.EndedReason.ONE_CLICK)


@dataclass(frozen=True)
class Unsubscribed:
    """Nothing is mailed any more."""

    subscriber_id: int
    #: The number of subscriptions that ended now.
    ended: int
    #: Takes this back; None if it ended nothing, for what others ended is not its own.
    undo_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Resubscribed:
    """Leaving was taken back."""

    subscriber_id: int
    #: The number of subscriptions that are live again.
    restored: int
    #: The notice that says so by mail; None if one was written within a day.
    notice_id: int | None = None


def is_unsubscribe_link(token: str, *, vault: Vault) -> bool:
    """Whether `token` is somebody's unsubscribe link. Does not say whose, and changes nothing."""
    return find_subscriber("unsubscribe", token, vault) is not None


def unsubscribe(
    token: str, *, now: datetime, vault: Vault, reason: Subscription.EndedReason = Subscription.EndedReason.READER
) -> Unsubscribed | InvalidToken:
    """End all subscriptions of the person this link was mailed to, and every open link that would begin one.

    A second press changes nothing, and offers no undo: whoever holds a forwarded mail could take back what its owner did.

    `reason` is reader (the button) or one-click (RFC 8058). Sending checks again who may be mailed, and so stops mail that is
    planned already.

    Raises:
        ValueError: for any other reason.
    """
    if reason not in _REASONS:
        raise ValueError("reason must be reader or one-click")
    with transaction.atomic():
        holder = find_subscriber("unsubscribe", token, vault)
        if holder is None:
            return InvalidToken()
        person = Subscriber.objects.select_for_update().get(id=holder.id)
        if person.state == Subscriber.State.LEFT:
            return Unsubscribed(person.id, 0)
        ended = changes.leave(person, reason, now=now, vault=vault)
        return Unsubscribed(person.id, ended, undo_token(person.id, now, vault) if ended else None)


def undoable(token: str, *, now: datetime, vault: Vault) -> bool:
    """Whether `token` still takes leaving back. Does not say whose it is, and changes nothing."""
    return _leaving(token, now, vault) is not None


def undo(token: str, *, now: datetime, vault: Vault) -> Resubscribed | InvalidToken:
    """Restore what ended by the act that this token belongs to, within 14 days; a second press changes nothing.

    The person is told by mail: it may not have been them.
    """
    with transaction.atomic():
        leaving = _leaving(token, now, vault)
        if leaving is None:
            return InvalidToken()
        subscriber_id, left_at = leaving
        person = Subscriber.objects.select_for_update().get(id=subscriber_id)
        live = Subscription.objects.filter(subscriber=person, ended_at=None)
        ended = Subscription.objects.filter(subscriber=person, ended_at=left_at, ended_reason__in=_REASONS)
        not_followed_again = ended.exclude(topic_id__in=list(live.values_list("topic_id", flat=True)))
        restored = not_followed_again.update(ended_at=None, ended_reason=None, changed_at=now)
        move_followers.move_person(person.id, now=now)
        if not restored:
            return Resubscribed(person.id, 0)
        state = Subscriber.State.ACTIVE if person.confirmed_at else Subscriber.State.PENDING
        Subscriber.objects.filter(id=person.id).update(state=state, left_at=None)
        notice = notices.announce_resumed(person, now=now, vault=vault)
        return Resubscribed(person.id, restored, notice.id if notice else None)


def _leaving(token: str, now: datetime, vault: Vault) -> tuple[int, datetime] | None:
    """(subscriber id, moment) of the act of leaving behind an undo token; None if it is too old to be taken back.

    Also None if the person stopped something later: then that is what counts.
    """
    leaving = read_undo(token, vault)
    if leaving is None:
        return None
    subscriber_id, left_at = leaving
    if not now - UNDO < left_at <= now or not Subscriber.objects.filter(id=subscriber_id).exists():
        return None
    stopped = Subscription.objects.filter(subscriber_id=subscriber_id, ended_reason__in=_REASONS)
    return None if stopped.filter(ended_at__gt=left_at).exists() else leaving
