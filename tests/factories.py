"""Rows for tests, made the way the doors make them: a sealed address, an item that met a topic, a planned batch."""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.delivery.gates import sending_gate
from newsletter.delivery.ledger.plan import PlannedProvider, Share, plan
from newsletter.editions.edition_store import EditionDraft, body_json, store_editions
from newsletter.lib.crypto import Vault
from newsletter.models import (
    Cadence,
    Entry,
    Feed,
    IndexState,
    Item,
    ItemVersion,
    Lane,
    Look,
    Match,
    Occasion,
    Rhythm,
    Subscriber,
    Subscription,
    Topic,
    TopicRevision,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ACTOR = Actor("command", "tests")
VAULT = Vault(b"a secret for tests only", {1: bytes(range(32))}, bytes(range(32, 64)))
OUTBOX = PlannedProvider(1, one_letter=False)
_numbers = itertools.count(1)


def open_gate() -> None:
    sending_gate.create_gate(VAULT)


def look(*, discreet: bool = True) -> Look:
    return Look.objects.get_or_create(locale="en", format="both", discreet=discreet)[0]


def rhythm(cadence: Cadence, *, zone: str = "UTC", hour: int = 7, due_at: datetime | None = None) -> Rhythm:
    weekday = -1 if cadence == Cadence.DAILY else 0
    return Rhythm.objects.get_or_create(
        cadence=cadence, zone=zone, hour=hour, weekday=weekday, defaults={"due_at": due_at or NOW + timedelta(days=1)}
    )[0]


def subscriber(address: str = "", *, state: str = "active", vault: Vault = VAULT, **values: object) -> Subscriber:
    address = address or f"reader{next(_numbers)}@example.org"
    handle = uuid4()
    key_id, cipher = vault.encrypt(address, handle=handle.bytes, column="address")
    return Subscriber.objects.create(
        handle=handle,
        address_cipher=cipher,
        address_index=vault.blind_index("address", address),
        key_id=key_id,
        state=state,
        look=values.pop("look", None) or look(),
        daily_rhythm=values.pop("daily_rhythm", None) or rhythm(Cadence.DAILY),
        weekly_rhythm=values.pop("weekly_rhythm", None) or rhythm(Cadence.WEEKLY),
        created_at=NOW,
        confirmed_at=NOW,
        **values,
    )


def topic(name: str = "", *, query: str = "huawei") -> Topic:
    IndexState.objects.get_or_create(id=1)  # a migration makes it, and a test that empties the tables takes it away
    number = next(_numbers)
    made = Topic.objects.create(kind="curated", name=name or f"Topic {number}", slug=f"topic-{number}", created_at=NOW)
    revision = TopicRevision.objects.create(topic=made, n=1, query=query, made_at=NOW)
    Topic.objects.filter(id=made.id).update(revision_id=revision.id)
    made.refresh_from_db()
    return made


def follow(
    who: Subscriber, what: Topic, cadence: Cadence = Cadence.IMMEDIATE, *, owed_from: datetime | None = None
) -> Subscription:
    at = owed_from or NOW - timedelta(days=30)
    return Subscription.objects.create(
        subscriber=who, topic=what, cadence=cadence, owed_from=at, changed_at=at, created_at=at, source="test"
    )


def item(
    title: str = "Huawei builds a cable", text: str = "A company lays Huawei cables.", *, seen: datetime = NOW
) -> Item:
    number = next(_numbers)
    feed = Feed.objects.get_or_create(url="https://feed.example/", defaults={"next_fetch_at": NOW, "created_at": NOW})[
        0
    ]
    entry = Entry.objects.create(
        feed=feed,
        guid=f"guid-{number}",
        url=f"https://digest.example/{number}",
        title=title,
        published_at=seen,
        first_seen_at=seen,
        last_seen_at=seen,
        raw_hash=b"raw",
    )
    made = Item.objects.create(entry=entry, key=b"whole", first_seen_at=seen, matched_at=seen)
    html = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
    ItemVersion.objects.create(
        item=made,
        n=1,
        title=title,
        text=text,
        html=html,
        meaning_hash=hashlib.sha256(text.encode()).digest(),
        seen_at=seen,
    )
    return made


def match(what: Item, topic: Topic, *, owed_at: datetime | None = NOW) -> Match:
    return Match.objects.create(
        item=what,
        topic=topic,
        item_version=1,
        revision_id=topic.revision_id,
        receipt=[{"field": "title", "start": 0, "end": 6, "term": "huawei"}],
        matched_at=NOW,
        owe_until=what.first_seen_at + timedelta(days=10),
        owed_at=owed_at,
    )


@dataclass(frozen=True)
class Planned:
    batch_ids: tuple[int, ...]
    people: tuple[Subscriber, ...]
    item: Item


def planned(
    people: Sequence[Subscriber] | int = 3,
    *,
    lane: Lane = Lane.ALERT,
    provider: PlannedProvider = OUTBOX,
    kind: str = "alert",
) -> Planned:
    """Deliveries of one edition, planned as a composer plans them."""
    if isinstance(people, int):
        people = [subscriber() for _ in range(people)]
    told = item()
    occasion = Occasion.objects.create(kind=kind, key=f"{kind}:test:{next(_numbers)}", created_at=NOW)
    key = hashlib.sha256(str(told.id).encode()).digest()
    words = body_json("Your update", "Text @@nl-reference@@\n\n@@nl-unsubscribe@@\n", "<p>@@nl-reference@@</p>")
    draft = EditionDraft(key, look().id, ((told.id, 1, (1,)),), words)
    with transaction.atomic():
        ids = store_editions([draft], kind, VAULT, NOW)
        batch_ids = plan(
            occasion_id=occasion.id,
            lane=lane,
            shares=[Share(ids[key], [person.id for person in people])],
            items_given=[(told.id, 1, [person.id for person in people])],
            provider=provider,
            now=NOW,
        )
    return Planned(batch_ids, tuple(people), told)
