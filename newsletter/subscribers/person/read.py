"""Everything that is stored of one person, for an owner who looks after them. Their own keywords have numbers, not words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max

from newsletter.lib.crypto import Vault
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Cadence, Consent, Match, Subscriber, Subscription, Suppression, Topic
from newsletter.subscribers import people
from newsletter.subscribers.choices import MailTime
from newsletter.subscribers.person.consent import ConsentRecord, GivenConsent


@dataclass(frozen=True)
class PersonSubscription:
    """One subscription. `name` is None for a keyword of their own, which has the number `own_word` instead."""

    subscription_id: int
    topic_id: int
    name: str | None = field(repr=False)
    own_word: int | None
    cadence: Cadence
    source: str
    created_at: datetime
    ended_at: datetime | None
    ended_reason: str | None
    #: When an item last matched; None: not within the time that matches are kept.
    last_match_at: datetime | None


@dataclass(frozen=True)
class PersonSuppression:
    """Why the address is not mailed. `for_good`: it cannot be lifted."""

    reason: str
    since: datetime
    provider: str
    for_good: bool


@dataclass(frozen=True)
class Person:
    """One person. Every field is theirs: none of it belongs into a log, a title or a URL."""

    subscriber_id: int
    address: Address
    state: str
    created_at: datetime
    confirmed_at: datetime | None
    left_at: datetime | None
    paused_until: datetime | None
    mail_time: MailTime
    next_daily: datetime
    next_weekly: datetime
    discreet: bool
    locale: str
    format: str
    live: tuple[PersonSubscription, ...] = field(repr=False)
    #: Ended ones are kept for 14 days.
    ended: tuple[PersonSubscription, ...] = field(repr=False)
    consent: ConsentRecord
    suppression: PersonSuppression | None

    @property
    def names(self) -> dict[int, str | int]:
        """Topic id → its name; for a keyword of their own its number."""
        return {row.topic_id: row.name or row.own_word or 0 for row in (*self.ended, *self.live)}


def read_person(subscriber_id: int, *, vault: Vault) -> Person | None:
    """What is stored of this person. Returns None if there is no longer anybody with this number."""
    rows = Subscriber.objects.select_related("look", "daily_rhythm", "weekly_rhythm")
    person = rows.filter(id=subscriber_id).first()
    if person is None:
        return None
    subscriptions = _subscriptions(person)
    daily, weekly = person.daily_rhythm, person.weekly_rhythm
    given = Consent.objects.filter(subscriber=person).order_by("at", "id")
    return Person(
        subscriber_id=person.id,
        address=people.address_of(person, vault),
        state=person.state,
        created_at=person.created_at,
        confirmed_at=person.confirmed_at,
        left_at=person.left_at,
        paused_until=person.paused_until,
        mail_time=MailTime(daily.zone, daily.hour, weekly.weekday),
        next_daily=daily.due_at,
        next_weekly=weekly.due_at,
        discreet=person.look.discreet,
        locale=person.look.locale,
        format=person.look.format,
        live=tuple(row for row in subscriptions if row.ended_at is None),
        ended=tuple(row for row in subscriptions if row.ended_at is not None),
        consent=ConsentRecord(
            person.created_at,
            tuple(GivenConsent(row.what, row.wording_version, row.at) for row in given),
        ),
        suppression=_suppression(people.suppression(bytes(person.address_index))),
    )


def _subscriptions(person: Subscriber) -> list[PersonSubscription]:
    rows = list(Subscription.objects.filter(subscriber=person).select_related("topic").order_by("id"))
    own = _numbers([row.topic_id for row in rows if row.topic.kind == Topic.Kind.OWN])
    matches = Match.objects.filter(topic_id__in={row.topic_id for row in rows}, withdrawn_at=None)
    last = dict(matches.values_list("topic_id").annotate(Max("matched_at")))
    shown = [
        PersonSubscription(
            row.id,
            row.topic_id,
            None if row.topic_id in own else row.topic.name,
            own.get(row.topic_id),
            Cadence(row.cadence),
            row.source,
            row.created_at,
            row.ended_at,
            row.ended_reason,
            last.get(row.topic_id),
        )
        for row in rows
    ]
    return sorted(shown, key=lambda row: (row.own_word or 0, (row.name or "").casefold()))


def _numbers(topic_ids: Sequence[int]) -> dict[int, int]:
    """Topic id → 1, 2, … in the order in which they were first followed."""
    return {topic_id: number for number, topic_id in enumerate(dict.fromkeys(topic_ids), start=1)}


def _suppression(row: Suppression | None) -> PersonSuppression | None:
    if row is None:
        return None
    return PersonSuppression(row.reason, row.since, row.provider, people.is_permanent(row))
