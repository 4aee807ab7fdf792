"""`python -m tests.faults.seed KIND PEOPLE SIZE`: tables, keys, and that many people who are owed one mail each.

KIND: `planned`: their mails are planned, SIZE in a batch. `alert`: all follow a topic that just met an item. `poison`: so do
they, but one in a hundred follows another topic, whose item cannot be worded. `digests`: a hundred rhythms share them, due
tomorrow, and a topic has something for everybody.
"""

import sys
from datetime import timedelta
from itertools import product
from uuid import uuid4

from django.core.management import call_command
from django.db import transaction

import newsletter.worker.tasks  # noqa: F401 - first: it sets Django up, before what needs it
from newsletter import wiring
from newsletter.delivery.gates import sending_gate
from newsletter.delivery.ledger import plan
from newsletter.editions.digest_schedule import next_due
from newsletter.lib import db
from newsletter.models import Cadence, Lane, Rhythm, Subscriber, Subscription, Topic
from newsletter.worker import tasks
from tests import factories

RHYTHMS = 100
#: The headline of an item that no template can word (see poison.py).
POISON = "This one cannot be worded"
#: No slot may come by itself while a scenario runs.
_QUIET = timedelta(hours=2)
_ZONES = ("UTC", "Asia/Tokyo", "Asia/Kolkata", "America/New_York", "Europe/Berlin", "Asia/Kathmandu")


def main(kind: str, count: int, size: int) -> None:
    """Write the rows, as the doors would."""
    assert tasks.app.conf.task_acks_late  # importing the tasks has set Django up
    call_command("migrate", verbosity=0)
    factories.VAULT = wiring.vault()
    sending_gate.create_gate(factories.VAULT)
    with transaction.atomic():
        {"planned": _planned, "alert": _alert, "poison": _poison, "digests": _digests}[kind](_people(count), size)


def _people(count: int) -> list[Subscriber]:
    first = factories.subscriber("reader0@example.org", vault=factories.VAULT)
    return [first, *Subscriber.objects.bulk_create(_like(first, number) for number in range(1, count))]


def _like(first: Subscriber, number: int) -> Subscriber:
    handle, address = uuid4(), f"reader{number}@example.org"
    key_id, cipher = factories.VAULT.encrypt(address, handle=handle.bytes, column="address")
    return Subscriber(
        handle=handle,
        address_cipher=cipher,
        address_index=factories.VAULT.blind_index("address", address),
        key_id=key_id,
        state="active",
        look=first.look,
        daily_rhythm=first.daily_rhythm,
        weekly_rhythm=first.weekly_rhythm,
        created_at=factories.NOW,
        confirmed_at=factories.NOW,
    )


def _planned(people: list[Subscriber], size: int) -> None:
    plan.SIZES = dict.fromkeys(Lane, size)
    factories.planned(people, provider=plan.PlannedProvider(3, one_letter=True))


def _alert(people: list[Subscriber], _size: int) -> None:
    _follow(people, _told("Huawei builds a cable"), Cadence.IMMEDIATE)


def _poison(people: list[Subscriber], _size: int) -> None:
    well, ill = _told("Huawei builds a cable"), _told(POISON)
    _follow([one for number, one in enumerate(people) if number % 100], well, Cadence.IMMEDIATE)
    _follow(people[::100], ill, Cadence.IMMEDIATE)


def _digests(people: list[Subscriber], _size: int) -> None:
    made = _rhythms()
    for number, person in enumerate(people):
        person.daily_rhythm = made[number % RHYTHMS]
    Subscriber.objects.bulk_update(people, ["daily_rhythm"], batch_size=500)
    _follow(people, _told("Huawei builds a cable"), Cadence.DAILY)


def _rhythms() -> list[Rhythm]:
    now = db.now()
    due = [(zone, hour, next_due(Cadence.DAILY, zone, hour, -1, now)) for zone, hour in product(_ZONES, range(24))]
    later = [(zone, hour, at) for zone, hour, at in due if now + _QUIET < at][:RHYTHMS]
    assert len(later) == RHYTHMS
    return [
        Rhythm.objects.get_or_create(cadence=Cadence.DAILY, zone=zone, hour=hour, weekday=-1, defaults={"due_at": at})[
            0
        ]
        for zone, hour, at in later
    ]


def _told(title: str) -> Topic:
    now = db.now()
    topic = factories.topic()
    factories.match(factories.item(title, seen=now), topic, owed_at=now)
    return topic


def _follow(people: list[Subscriber], topic: Topic, cadence: Cadence) -> None:
    at = db.now() - timedelta(days=30)
    Subscription.objects.bulk_create(
        Subscription(
            subscriber=person, topic=topic, cadence=cadence, owed_from=at, changed_at=at, created_at=at, source="test"
        )
        for person in people
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
