"""Two weeks of history for the demo, so that the desk's lists and charts have something to show: readers, articles, mails."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import cycle
from pathlib import Path

from django.db import transaction

from newsletter import wiring
from newsletter.delivery.ledger.plan import PlannedProvider, Share, plan
from newsletter.lib import yaml_loader
from newsletter.lib.mail.provider_ids import NUMBERS
from newsletter.models import (
    Attempt,
    AttemptOutcome,
    Batch,
    BatchState,
    Cadence,
    Citation,
    Edition,
    Entry,
    Feed,
    Fetch,
    Item,
    ItemVersion,
    Lane,
    Occasion,
    Subscriber,
)
from newsletter.subscribers import people
from newsletter.subscribers.choices import Choices, MailTime
from newsletter.subscribers.confirm import activate
from newsletter.subscribers.email_address import parse_address

DAYS = 13
#: They read once a week, so the demo does not mail them while it runs.
READERS = 240
#: Hours between two reads of a feed.
READ_EVERY = 2


@transaction.atomic
def write_history(topics: Mapping[str, int], feeds: Mapping[str, int], *, now: datetime) -> None:
    """Write what would be there if the service had run for two weeks. `topics` and `feeds` are ids by name.

    Nothing of it is owed to anybody any more.
    """
    _subscribe_readers(list(topics.values()), now)
    mailed = _store_items(topics, feeds, now)
    _store_fetches(list(feeds.values()), now)
    readers = list(Subscriber.objects.order_by("id").values_list("id", flat=True))
    for days_ago in range(DAYS - 1, -1, -1):
        at = now - timedelta(days=days_ago, hours=1)
        new = [(item, met) for item, met in mailed if at - timedelta(days=1) < item.first_seen_at <= at]
        if new:
            _mail_digest(new, readers[days_ago % 3 :: 2], at)


def _subscribe_readers(topic_ids: Sequence[int], now: datetime) -> None:
    """Readers as if they had signed up over two months; by `people`, because nobody added them."""
    zones = cycle(("Europe/Berlin", "Asia/Almaty", "America/Toronto"))
    subscribing = wiring.subscribing(now)
    for number, zone in zip(range(READERS), zones, strict=False):
        followed = tuple(topic for place, topic in enumerate(topic_ids) if (number + place) % 3)
        choices = Choices(followed, cadence=Cadence.WEEKLY, mail_time=MailTime(zone, 7))
        person = people.create(parse_address(f"weekly-reader-{number}@example.org"), choices, subscribing)
        activate(person, choices, subscribing, keep_settings=True, consent="page")
        people.subscribe_to_choices(person, choices, subscribing, source="page")
        joined = now - timedelta(days=60 * (READERS - number) / READERS)
        Subscriber.objects.filter(id=person.id).update(created_at=joined, confirmed_at=joined)


def _store_items(topics: Mapping[str, int], feeds: Mapping[str, int], now: datetime) -> list[tuple[Item, list[int]]]:
    """The articles of `history.yaml` over the two weeks, not announced; returns those that meet topics, with the topics' ids."""
    posts = yaml_loader.load((Path(__file__).parent / "history.yaml").read_text(encoding="utf-8"))
    apart = timedelta(days=DAYS) / len(posts)
    stored = [
        (
            _store_item(feeds[post["feed"]], post, now - apart * place),
            [topic_id for name, topic_id in topics.items() if name in post["title"]],
        )
        for place, post in enumerate(posts, 1)
    ]
    return [(item, met) for item, met in stored if met]


def _store_item(feed_id: int, post: dict[str, str], at: datetime) -> Item:
    digest = hashlib.sha256(post["title"].encode()).digest()
    url = f"https://digest.example/archive/{digest.hex()[:8]}"
    entry = Entry.objects.create(
        feed_id=feed_id,
        guid=url,
        url=url,
        title=post["title"],
        published_at=at,
        first_seen_at=at,
        last_seen_at=at,
        raw_hash=digest,
        cut_reason="an ordinary post",
    )
    item = Item.objects.create(entry=entry, key=b"whole", lang="en", first_seen_at=at, announced=False)
    ItemVersion.objects.create(
        item=item,
        n=1,
        title=post["title"],
        text=post["text"],
        html=f"<p>{escape(post['text'])}</p>",
        meaning_hash=digest,
        seen_at=at,
    )
    source = f"https://{post['source'].split()[0].lower()}.example/{digest.hex()[8:14]}"
    Citation.objects.create(item=item, n=1, publisher=post["source"], published_on=at.date(), url=source)
    return item


def _store_fetches(feed_ids: Sequence[int], now: datetime) -> None:
    Feed.objects.filter(id__in=feed_ids).update(created_at=now - timedelta(days=DAYS + 1))
    Fetch.objects.bulk_create(
        Fetch(feed_id=feed_id, at=now - timedelta(hours=hours), status=304 if hours % 5 else 200, ms=90 + hours % 60)
        for hours in range(DAYS * 24, 0, -READ_EVERY)
        for feed_id in feed_ids
    )


def _mail_digest(items: Sequence[tuple[Item, list[int]]], readers: Sequence[int], at: datetime) -> None:
    """A daily digest of that day, taken by the provider as it would have been."""
    occasion = Occasion.objects.create(
        kind=Occasion.Kind.DIGEST, key=f"digest:daily:{at.date().isoformat()}", created_at=at, closed_at=at
    )
    look_id = Subscriber.objects.values_list("look_id", flat=True)[0]
    content = [[item.id, 1, met] for item, met in items]
    edition = Edition.objects.create(
        key=hashlib.sha256(occasion.key.encode()).digest(),
        kind=occasion.kind,
        look_id=look_id,
        content=content,
        created_at=at,
    )
    with transaction.atomic():
        batches = plan(
            occasion_id=occasion.id,
            lane=Lane.DIGEST,
            shares=[Share(edition.id, readers)],
            items_given=[(item.id, 1, readers) for item, _ in items],
            provider=PlannedProvider(NUMBERS["outbox"], one_letter=False),
            now=at,
        )
        for state in (BatchState.CLAIMED, BatchState.SENDING, BatchState.ACCEPTED):
            Batch.objects.filter(id__in=batches).update(state=state, attempts=1)
        Attempt.objects.bulk_create(
            Attempt(
                batch_id=batch_id,
                n=1,
                provider=NUMBERS["outbox"],
                began_at=at,
                ended_at=at + timedelta(seconds=2),
                outcome=AttemptOutcome.ACCEPTED,
            )
            for batch_id in batches
        )
