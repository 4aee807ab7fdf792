"""An installation with something of everything: feeds, items with their matches, a ledger in all states.

Small for the walk through the pages, large for `bench/desk.py`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsletter.models import Item, Match

FEEDS, OCCASIONS, DAYS = 40, 10, 90
SEED = 11
#: Of the deliveries, in thousandths.
FAILED, UNKNOWN = 4, 1


def fill(*, items: int, words: Sequence[str]) -> None:
    """Fill a database that has people and topics. `words`: what titles speak of, in turn; each should be some topic's query."""
    chance = random.Random(SEED)
    _feeds()
    _items(items, words, chance)
    _ledger()
    _message()


def _message() -> None:
    from newsletter.lib import db
    from newsletter.models import Message

    now = db.now()
    text = "We move on **Monday**. [Where to](https://paper.example/move)"
    Message.objects.create(subject="We move", markdown=text, written_by="olga", created_at=now, changed_at=now)


def _feeds() -> None:
    from newsletter.lib import db
    from newsletter.models import Feed, Fetch

    now = db.now()
    made = Feed.objects.bulk_create(
        Feed(
            url=f"https://feed{number}.example/feed.xml",
            title=f"Sample feed {number}",
            next_fetch_at=now + timedelta(minutes=number),
            created_at=now - timedelta(days=DAYS),
            started_at=now - timedelta(days=DAYS),
            newest_at=now - timedelta(hours=number),
            posts_every=6 * 3600,
            failures=5 if number % 13 == 0 else 0,
        )
        for number in range(FEEDS)
    )
    Fetch.objects.bulk_create(
        (
            Fetch(
                feed=feed,
                at=now - timedelta(hours=hour),
                status=503 if feed.failures and hour < 5 else 200,
                ms=100 + hour % 50,
                error="the site answered 503" if feed.failures and hour < 5 else "",
            )
            for hour in range(30 * 24, 0, -4)
            for feed in made
        ),
        batch_size=2_000,
    )


def _items(count: int, words: Sequence[str], chance: random.Random) -> None:
    """Items over 90 days, the oldest first; half of them met one topic."""
    from newsletter.lib import db
    from newsletter.models import Entry, Feed, Item, ItemVersion, Match, Topic

    now = db.now()
    feeds = list(Feed.objects.order_by("id").values_list("id", flat=True))
    topics = list(Topic.objects.order_by("id").values_list("id", "revision_id"))
    times = [now - timedelta(days=DAYS * (count - number) / count) for number in range(count)]
    entries = Entry.objects.bulk_create(
        (
            Entry(
                feed_id=chance.choice(feeds),
                guid=f"guid-{number}",
                url=f"https://digest.example/{number}",
                title=_title(number, words),
                published_at=at,
                first_seen_at=at,
                last_seen_at=at,
                raw_hash=b"raw",
            )
            for number, at in enumerate(times)
        ),
        batch_size=5_000,
    )
    items = Item.objects.bulk_create(
        (
            Item(entry_id=entry.id, key=b"whole", lang="en", first_seen_at=at, matched_at=at)
            for entry, at in zip(entries, times, strict=True)
        ),
        batch_size=5_000,
    )
    more = "A second sentence tells more of it, and of what came before. " * 8
    ItemVersion.objects.bulk_create(
        (
            ItemVersion(
                item_id=item.id,
                n=1,
                title=_title(number, words),
                text=f"{_title(number, words)}. {more}",
                html=f"<p>{_title(number, words)}. {more}</p>",
                meaning_hash=number.to_bytes(32, "big"),
                seen_at=item.first_seen_at,
            )
            for number, item in enumerate(items)
        ),
        batch_size=5_000,
    )
    Match.objects.bulk_create(
        (
            _match(item, number, words, *topics[number % len(topics)])
            for number, item in enumerate(items)
            if number // len(topics) % 2
        ),
        batch_size=5_000,
    )


def _match(item: Item, number: int, words: Sequence[str], topic: int, revision: int) -> Match:
    from newsletter.models import Match

    word, at = words[number % len(words)], item.first_seen_at
    hit = {"field": "title", "start": 19, "end": 19 + len(word), "term": word, "alias": None, "pack": None}
    return Match(
        item_id=item.id,
        topic_id=topic,
        item_version=1,
        revision_id=revision,
        receipt=[hit],
        matched_at=at,
        owed_at=at,
        owe_until=at + timedelta(days=10),
        gathering_id=1,
    )


def _title(number: int, words: Sequence[str]) -> str:
    return f"What became of the {words[number % len(words)]}, part {number}"


def _ledger() -> None:
    """`OCCASIONS` alerts and digests to everybody, over ten days: all accepted but a few."""
    from django.db import transaction

    from newsletter.delivery.ledger.plan import PlannedProvider, Share, plan
    from newsletter.lib import db
    from newsletter.models import Edition, Lane, Look, Occasion

    ids = [row[0] for row in db.rows("SELECT id FROM subscriber ORDER BY id")]
    items = [row[0] for row in db.rows("SELECT id FROM item ORDER BY id DESC LIMIT %s", [OCCASIONS])]
    look = Look.objects.order_by("id").first()
    topic = db.rows("SELECT topic_id FROM match ORDER BY id DESC LIMIT 1")[0][0]
    now = db.now()

    for number in range(OCCASIONS):
        at = now - timedelta(days=OCCASIONS - number, hours=1)
        kind, lane = ("digest", Lane.DIGEST) if number % 2 else ("alert", Lane.ALERT)
        key = f"digest:daily:{at:%Y-%m-%d}" if kind == "digest" else f"alert:{number}"
        occasion = Occasion.objects.create(kind=kind, key=key, created_at=at, closed_at=at)
        editions = Edition.objects.bulk_create(
            Edition(
                key=f"{number}:{place}".encode().ljust(32),
                kind=kind,
                look=look,
                content=[[items[number], 1, [topic]]],
                created_at=at,
            )
            for place in range(20)
        )
        part = -(-len(ids) // len(editions))
        shares = [Share(edition.id, ids[place * part : (place + 1) * part]) for place, edition in enumerate(editions)]
        with transaction.atomic():
            plan(
                occasion_id=occasion.id,
                lane=lane,
                shares=[share for share in shares if share.subscriber_ids],
                items_given=[(items[number], 1, ids)],
                provider=PlannedProvider(1, one_letter=False),
                now=at,
                audience=len(ids),
            )
        _accept(occasion.id, at)
    db.execute(
        "UPDATE delivery SET state = CASE WHEN id / 5 * 5 = id THEN 'unknown' ELSE 'failed' END, "
        f"reason = 'the server refused it' WHERE id - id / 1000 * 1000 < {FAILED + UNKNOWN}"
    )


def _accept(occasion_id: int, at: datetime) -> None:
    from newsletter.lib import db

    for state in ("claimed", "sending", "accepted"):
        db.execute("UPDATE batch SET state = %s, attempts = 1 WHERE occasion_id = %s", [state, occasion_id])
    db.execute(
        "INSERT INTO attempt (batch_id, n, provider, began_at, ended_at, outcome, disproved) "
        "SELECT id, 1, 1, %s, %s, 'accepted', false FROM batch WHERE occasion_id = %s",
        [at, at, occasion_id],
    )
