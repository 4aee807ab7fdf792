"""What a person follows and how it comes, shown and changed with a link that was mailed within the last 24 hours."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from newsletter.lib.crypto import Vault
from newsletter.models import Cadence, Notice, SignUpRequest, Subscriber, Subscription, Topic
from newsletter.subscribers import people
from newsletter.subscribers.choices import CancelPlanned, Choices, NextDue, OwnTopic
from newsletter.subscribers.limits import mailbox_limit
from newsletter.subscribers.tokens import Expired, Wrong, find_notice, lasting

#: How long a stopped topic can be taken up again where it was left.
UNDO = timedelta(hours=24)


@dataclass(frozen=True)
class Followed:
    """One subscription. `words` is the topic's name, or the person's own keyword (`own`)."""

    subscription_id: int
    topic_id: int
    words: str = field(repr=False)
    own: bool
    cadence: Cadence


@dataclass(frozen=True)
class Preferences:
    """All that the page shows. `stopped` are those of the last 24 hours, to be taken up again."""

    subscriber_id: int
    left: bool
    live: tuple[Followed, ...]
    stopped: tuple[Followed, ...]
    zone: str
    hour: int
    weekday: int
    discreet: bool
    next_daily: datetime
    next_weekly: datetime
    #: For the button that stops everything.
    unsubscribe_token: str = field(repr=False)


@dataclass(frozen=True)
class Changed:
    """Done. `count` is the number of subscriptions touched."""

    count: int


def view(token: str, *, now: datetime, vault: Vault) -> Preferences | Expired | Wrong:
    """The preferences behind a manage link; changes nothing."""
    person = _person(token, now, vault)
    if not isinstance(person, Subscriber):
        return person
    live = Subscription.objects.filter(subscriber=person, ended_at=None)
    topics = live.values_list("topic_id", flat=True)
    stopped = _stopped(person, now).exclude(topic_id__in=list(topics)).order_by("topic_id", "-ended_at")
    latest = {row.topic_id: row for row in reversed(stopped)}
    return Preferences(
        subscriber_id=person.id,
        left=person.state != Subscriber.State.ACTIVE,
        live=_followed(live.select_related("topic"), vault),
        stopped=_followed(latest.values(), vault),
        zone=person.daily_rhythm.zone,
        hour=person.daily_rhythm.hour,
        weekday=person.weekly_rhythm.weekday,
        discreet=person.look.discreet,
        next_daily=person.daily_rhythm.due_at,
        next_weekly=person.weekly_rhythm.due_at,
        unsubscribe_token=lasting("unsubscribe", person.id, person.link_epoch, vault),
    )


def change(
    token: str,
    *,
    cadences: Mapping[int, Cadence],
    zone: str,
    hour: int,
    weekday: int,
    discreet: bool,
    now: datetime,
    vault: Vault,
    next_due: NextDue,
) -> Changed | Expired | Wrong:
    """Set the cadence of each subscription (by id), and the hour, zone, weekday and subject of all.

    What a slower mail had still to bring, the new cadence brings: owed is decided by no cursor.
    """
    with transaction.atomic():
        person = _person(token, now, vault, hold=True)
        if not isinstance(person, Subscriber):
            return person
        live = Subscription.objects.filter(subscriber=person, ended_at=None)
        count = 0
        for number, cadence in cadences.items():
            count += live.filter(id=number).exclude(cadence=cadence).update(cadence=cadence, changed_at=now)
        before = (person.daily_rhythm_id, person.weekly_rhythm_id)
        people.settle(person, _choices(person, zone, hour, weekday, discreet), now=now, next_due=next_due)
        person.save(update_fields=["look", "daily_rhythm", "weekly_rhythm"])
        if before != (person.daily_rhythm_id, person.weekly_rhythm_id):
            live.update(changed_at=now)
        return Changed(count)


def add(token: str, choices: Choices, *, now: datetime, vault: Vault, own_topic: OwnTopic) -> Changed | Expired | Wrong:
    """Follow more topics or own words with the cadence of `choices`; everything else stays."""
    with transaction.atomic():
        person = _person(token, now, vault, hold=True)
        if not isinstance(person, Subscriber):
            return person
        if person.state != Subscriber.State.ACTIVE:
            return Changed(0)
        return Changed(people.follow_all(person, choices, own_topic=own_topic, source="page", now=now))


def stop(
    token: str, subscription_id: int, *, now: datetime, vault: Vault, cancel_planned: CancelPlanned | None = None
) -> Changed | Expired | Wrong:
    """End one subscription, and take back planned mail that is only about it."""
    with transaction.atomic():
        person = _person(token, now, vault, hold=True)
        if not isinstance(person, Subscriber):
            return person
        row = Subscription.objects.filter(id=subscription_id, subscriber=person, ended_at=None).first()
        if row is None:
            return Changed(0)
        Subscription.objects.filter(id=row.id).update(
            ended_at=now, ended_reason=Subscription.EndedReason.READER, changed_at=now
        )
        if cancel_planned is not None:
            cancel_planned(person.id, row.topic_id)
        return Changed(1)


def resume(token: str, subscription_id: int, *, now: datetime, vault: Vault) -> Changed | Expired | Wrong:
    """Take a subscription up again that was stopped within the last 24 hours, as if it had never stopped."""
    with transaction.atomic():
        person = _person(token, now, vault, hold=True)
        if not isinstance(person, Subscriber):
            return person
        row = _stopped(person, now).filter(id=subscription_id).first()
        live = Subscription.objects.filter(subscriber=person, ended_at=None)
        if row is None or person.state != Subscriber.State.ACTIVE or live.filter(topic_id=row.topic_id).exists():
            return Changed(0)
        ended = Subscription.objects.filter(id=row.id)
        return Changed(ended.update(ended_at=None, ended_reason=None, changed_at=now))


def _person(token: str, now: datetime, vault: Vault, *, hold: bool = False) -> Subscriber | Expired | Wrong:
    notice = find_notice(token, vault)
    if notice is None or notice.kind != Notice.Kind.MANAGE:
        return Wrong()
    if notice.expires_at <= now:
        return Expired()
    found = Subscriber.objects.select_for_update(of=("self",)) if hold else Subscriber.objects.all()
    person = found.select_related("look", "daily_rhythm", "weekly_rhythm").get(id=notice.subscriber_id)
    if hold:  # a button was pressed: the mailbox's owner reads what is mailed there
        kinds = (SignUpRequest.Kind.LINK, SignUpRequest.Kind.HOLDER)
        mailbox_limit.forget(people.address_of(person, vault), kinds, vault)
    return person


def _stopped(person: Subscriber, now: datetime) -> QuerySet[Subscription]:
    recent = Subscription.objects.filter(
        subscriber=person, ended_reason=Subscription.EndedReason.READER, ended_at__gt=now - UNDO
    )
    return recent.select_related("topic")


def _followed(rows: Iterable[Subscription], vault: Vault) -> tuple[Followed, ...]:
    found = [
        Followed(
            row.id, row.topic_id, words_of(row.topic, vault), row.topic.kind == Topic.Kind.OWN, Cadence(row.cadence)
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: (one.own, one.words.casefold())))


def words_of(topic: Topic, vault: Vault) -> str:
    """A topic's name; for an own topic the keyword as it was first typed."""
    if topic.query_cipher is None or topic.query_index is None or topic.key_id is None:
        return topic.name or ""
    return vault.decrypt(topic.key_id, topic.query_cipher, handle=bytes(topic.query_index), column="query")


def _choices(person: Subscriber, zone: str, hour: int, weekday: int, discreet: bool) -> Choices:
    return Choices(
        zone=zone,
        hour=hour,
        weekday=weekday,
        discreet=discreet,
        locale=person.look.locale,
        format=person.look.format,
    )
