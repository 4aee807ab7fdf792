"""One person: looked up by address, created, suppressed, and subscribed to topics."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from newsletter.lib import db
from newsletter.lib.crypto import Vault
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Cadence, Subscriber, Subscription, Suppression, Topic
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.rhythms import look, rhythms
from newsletter.subscribers.subscribing import Subscribing


def find(address: Address, vault: Vault) -> Subscriber | None:
    """The person with this address, or None."""
    return Subscriber.objects.filter(address_index=index_of(address, vault)).first()


def lock(address: Address, vault: Vault) -> Subscriber | None:
    """The person with this address, locked until the transaction ends: of two requests at once, one counts the other's mail."""
    return Subscriber.objects.select_for_update().filter(address_index=index_of(address, vault)).first()


def address_of(person: Subscriber, vault: Vault) -> Address:
    """Decrypt the address of a person, for something they ask for themselves."""
    return Address(vault.decrypt(person.key_id, person.address_cipher, handle=person.handle.bytes, column="address"))


def create(address: Address, choices: Choices, subscribing: Subscribing) -> Subscriber:
    """Create a pending person; if another request was faster, return and lock the one it created."""
    handle, vault = uuid.uuid4(), subscribing.vault
    key_id, cipher = vault.encrypt(address.value, handle=handle.bytes, column="address")
    daily, weekly = rhythms(choices.mail_time, subscribing)
    try:
        with transaction.atomic():
            return Subscriber.objects.create(
                handle=handle,
                address_cipher=cipher,
                address_index=index_of(address, vault),
                key_id=key_id,
                look=look(choices),
                daily_rhythm=daily,
                weekly_rhythm=weekly,
                created_at=subscribing.now,
            )
    except IntegrityError:
        person = lock(address, vault)
        if person is None:
            raise
        return person


def suppression(index: bytes) -> Suppression | None:
    """Why the address behind a blind index must not be mailed, or None if it may be."""
    return Suppression.objects.filter(address_index=index, lifted_at=None).first()


def is_permanent(suppression: Suppression | None) -> bool:
    """Whether the person cannot lift this suppression by confirming again."""
    return suppression is not None and (suppression.sticky or suppression.reason == Suppression.Reason.ERASED)


def wants_no_mail(person: Subscriber | None, suppression: Suppression | None) -> bool:
    """Whether this person left, or told their provider to stop, and did not come back by themselves."""
    left = person is not None and (person.state == Subscriber.State.LEFT or person.left_at is not None)
    reasons = (Suppression.Reason.LEFT, Suppression.Reason.UNSUBSCRIBE)
    return left or (suppression is not None and suppression.reason in reasons)


def apply_choices(person: Subscriber, choices: Choices, subscribing: Subscribing) -> None:
    """Set the look and the rhythms of these choices on a person, without saving."""
    person.look = look(choices)
    person.daily_rhythm, person.weekly_rhythm = rhythms(choices.mail_time, subscribing)


def subscribe(person: Subscriber, topic_ids: Iterable[int], cadence: Cadence, *, source: str, now: datetime) -> int:
    """Subscribe to each active topic, or give a live subscription this cadence; returns how many topics are followed."""
    followed = 0
    for topic_id in _followable(topic_ids):
        followed += 1
        live = Subscription.objects.filter(subscriber=person, topic_id=topic_id, ended_at=None)
        if live.exclude(cadence=cadence).update(cadence=cadence, changed_at=now) or live.exists():
            continue
        Subscription.objects.create(
            subscriber=person,
            topic_id=topic_id,
            cadence=cadence,
            owed_from=now,
            changed_at=now,
            created_at=now,
            source=source,
        )
    return followed


def _followable(topic_ids: Iterable[int]) -> list[int]:
    """The active topics among these, with those into which retired ones were merged, locked until the transaction ends.

    So nobody begins to follow a topic while its followers are moved (`move_followers.py`).
    """
    wanted = set(topic_ids)
    _lock_topics(wanted)
    merged = Topic.objects.filter(id__in=wanted, state=Topic.State.RETIRED, merged_into__isnull=False)
    targets = set(merged.values_list("merged_into_id", flat=True))
    _lock_topics(targets)
    active = Topic.objects.filter(id__in=wanted | targets, state=Topic.State.ACTIVE)
    return sorted(active.values_list("id", flat=True))


def _lock_topics(topic_ids: set[int]) -> None:
    if topic_ids and db.is_postgres():
        in_list = db.in_list("id", "ids")
        db.rows(f"SELECT id FROM topic WHERE {in_list} ORDER BY id FOR KEY SHARE", {"ids": sorted(topic_ids)})


def subscribe_to_choices(person: Subscriber, choices: Choices, subscribing: Subscribing, *, source: str) -> int:
    """`subscribe` to the topics and the keywords of these choices."""
    keyword_topics = [subscribing.keyword_topic(keyword) for keyword in choices.keywords]
    topic_ids = (*choices.topic_ids, *keyword_topics)
    return subscribe(person, topic_ids, choices.cadence, source=source, now=subscribing.now)


def lift_suppression(index: bytes, now: datetime) -> None:
    """The person showed that mail reaches them: end a suppression that is not permanent."""
    active = Suppression.objects.filter(address_index=index, sticky=False, lifted_at=None)
    active.exclude(reason=Suppression.Reason.ERASED).update(lifted_at=now)
