"""What a person follows and how it comes, shown and changed with a link that was mailed within the last 24 hours."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from newsletter.lib.crypto import Vault
from newsletter.models import Cadence, Notice, SignUpRequest, Subscriber, Subscription, Topic
from newsletter.subscribers import changes, move_followers, people
from newsletter.subscribers.changes import CancelPlanned
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.limits import mailbox_limit
from newsletter.subscribers.subscribing import Subscribing
from newsletter.subscribers.tokens import Expired, InvalidToken, find_notice, lasting_token

#: How long a stopped subscription can be resumed where it ended.
UNDO = timedelta(hours=24)


@dataclass(frozen=True)
class FollowedTopic:
    """One subscription."""

    subscription_id: int
    topic_id: int
    #: The topic's name, or the person's own keyword.
    name: str = field(repr=False)
    is_keyword: bool
    cadence: Cadence


@dataclass(frozen=True)
class Preferences:
    """All that the page shows."""

    subscriber_id: int
    left: bool
    live: tuple[FollowedTopic, ...]
    #: Those of the last 24 hours, which can be resumed.
    stopped: tuple[FollowedTopic, ...]
    mail_time: MailTime
    discreet: bool
    next_daily: datetime
    next_weekly: datetime
    #: For the button that stops everything.
    unsubscribe_token: str = field(repr=False)

    @property
    def usual_cadence(self) -> Cadence:
        """The cadence of most subscriptions; daily where there are none."""
        cadences = [topic.cadence for topic in self.live]
        return max(Cadence, key=lambda cadence: (cadences.count(cadence), cadence == Cadence.DAILY))


@dataclass(frozen=True)
class Changed:
    """Done. `count` is the number of subscriptions that changed."""

    count: int


def view(token: str, *, now: datetime, vault: Vault) -> Preferences | Expired | InvalidToken:
    """The preferences behind a manage link; changes nothing."""
    person = _person(token, now, vault)
    if not isinstance(person, Subscriber):
        return person
    live = Subscription.objects.filter(subscriber=person, ended_at=None)
    topic_ids = live.values_list("topic_id", flat=True)
    stopped = _stopped(person, now).exclude(topic_id__in=list(topic_ids)).order_by("topic_id", "-ended_at")
    latest = {subscription.topic_id: subscription for subscription in reversed(stopped)}
    daily, weekly = person.daily_rhythm, person.weekly_rhythm
    return Preferences(
        subscriber_id=person.id,
        left=person.state != Subscriber.State.ACTIVE,
        live=_followed(live.select_related("topic"), vault),
        stopped=_followed(latest.values(), vault),
        mail_time=MailTime(daily.zone, daily.hour, weekly.weekday),
        discreet=person.look.discreet,
        next_daily=daily.due_at,
        next_weekly=weekly.due_at,
        unsubscribe_token=lasting_token("unsubscribe", person.id, person.link_epoch, vault),
    )


def change_frequency(
    token: str, subscription_id: int, cadence: Cadence, *, now: datetime, vault: Vault
) -> Changed | Expired | InvalidToken:
    """Set how often one subscription brings mail.

    What a slower mail had still to bring, the new cadence brings: what is owed does not depend on a cursor.
    """
    with transaction.atomic():
        person = _person(token, now, vault, lock=True)
        if not isinstance(person, Subscriber):
            return person
        return Changed(changes.set_cadence(person, subscription_id, cadence, now=now))


def change_mail_time(
    token: str, subscribing: Subscribing, mail_time: MailTime, *, discreet: bool
) -> Changed | Expired | InvalidToken:
    """Set when digests come and what subjects say, for all subscriptions. `count` is the number that come at a new time."""
    with transaction.atomic():
        person = _person(token, subscribing.now, subscribing.vault, lock=True)
        if not isinstance(person, Subscriber):
            return person
        return Changed(changes.set_mail_time(person, mail_time, subscribing, discreet=discreet))


def add(token: str, choices: Choices, subscribing: Subscribing) -> Changed | Expired | InvalidToken:
    """Follow more topics or keywords with the cadence of `choices`; everything else stays."""
    with transaction.atomic():
        person = _person(token, subscribing.now, subscribing.vault, lock=True)
        if not isinstance(person, Subscriber):
            return person
        if person.state != Subscriber.State.ACTIVE:
            return Changed(0)
        return Changed(people.subscribe_to_choices(person, choices, subscribing, source="page"))


def stop(
    token: str, subscription_id: int, *, now: datetime, vault: Vault, cancel_planned: CancelPlanned
) -> Changed | Expired | InvalidToken:
    """End one subscription, and cancel planned mail that is only about it."""
    with transaction.atomic():
        person = _person(token, now, vault, lock=True)
        if not isinstance(person, Subscriber):
            return person
        reader = Subscription.EndedReason.READER
        return Changed(
            changes.end_subscription(person, subscription_id, reader, now=now, cancel_planned=cancel_planned)
        )


def resume(token: str, subscription_id: int, *, now: datetime, vault: Vault) -> Changed | Expired | InvalidToken:
    """Resume a subscription that was stopped within the last 24 hours, as if it had never stopped."""
    with transaction.atomic():
        person = _person(token, now, vault, lock=True)
        if not isinstance(person, Subscriber):
            return person
        stopped = _stopped(person, now).filter(id=subscription_id).first()
        live = Subscription.objects.filter(subscriber=person, ended_at=None)
        if stopped is None or person.state != Subscriber.State.ACTIVE:
            return Changed(0)
        if live.filter(topic_id=stopped.topic_id).exists():
            return Changed(0)
        ended = Subscription.objects.filter(id=stopped.id)
        resumed = ended.update(ended_at=None, ended_reason=None, changed_at=now)
        move_followers.move_person(person.id, now=now)
        return Changed(resumed)


def _person(token: str, now: datetime, vault: Vault, *, lock: bool = False) -> Subscriber | Expired | InvalidToken:
    notice = find_notice(token, vault)
    if notice is None or notice.kind != Notice.Kind.MANAGE:
        return InvalidToken()
    if notice.expires_at <= now:
        return Expired()
    people_rows = Subscriber.objects.select_for_update(of=("self",)) if lock else Subscriber.objects.all()
    person = people_rows.select_related("look", "daily_rhythm", "weekly_rhythm").get(id=notice.subscriber_id)
    if lock:  # a button was pressed: the mailbox's owner reads what is mailed there
        kinds = (SignUpRequest.Kind.LINK, SignUpRequest.Kind.HOLDER)
        mailbox_limit.reset(people.address_of(person, vault), kinds, vault)
    return person


def _stopped(person: Subscriber, now: datetime) -> QuerySet[Subscription]:
    recent = Subscription.objects.filter(
        subscriber=person, ended_reason=Subscription.EndedReason.READER, ended_at__gt=now - UNDO
    )
    return recent.select_related("topic")


def _followed(subscriptions: Iterable[Subscription], vault: Vault) -> tuple[FollowedTopic, ...]:
    topics = [_followed_topic(subscription, vault) for subscription in subscriptions]
    return tuple(sorted(topics, key=lambda topic: (topic.is_keyword, topic.name.casefold())))


def _followed_topic(subscription: Subscription, vault: Vault) -> FollowedTopic:
    topic = subscription.topic
    is_keyword = topic.kind == Topic.Kind.OWN
    return FollowedTopic(
        subscription_id=subscription.id,
        topic_id=topic.id,
        name=topic.keyword(vault) if is_keyword else topic.name or "",
        is_keyword=is_keyword,
        cadence=Cadence(subscription.cadence),
    )
