"""A database of many subscribers, written by COPY as the doors would write them, and kept as a template for several runs."""

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests import services

ROOT = Path(__file__).resolve().parents[1]
#: Nine articles of one entry, each of which meets one topic; three more topics meet nothing today.
WORDS = (
    *("harbour", "railway", "glacier", "printing", "orchard", "lantern", "copper", "theatre", "meadow"),
    *("zeppelin", "quarry", "almanac"),
)
TOLD = WORDS[:9]
SEED = 7
#: What a million subscriptions are made to follow: three topics each, one of them among those that are told.
FOLLOWED = 3
_KEYS = "1:" + "A" * 43 + "=,index:" + "B" * 43 + "="


def environment(data: Path, url: str, **more: str) -> dict[str, str]:
    """The environment of the processes of one installation; keys are fixed, so that a database may outlive a run."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    return plain | {
        "PYTHONPATH": os.environ.get("BENCH_PATH", str(ROOT)),
        "DJANGO_SETTINGS_MODULE": "newsletter.settings",
        "NEWSLETTER_DATA_DIR": str(data),
        "NEWSLETTER_DATABASE_URL": url,
        "NEWSLETTER_SECRET_KEY": "a secret for benchmarks only",
        "NEWSLETTER_ADDRESS_KEYS": _KEYS,
        "NEWSLETTER_FROM": "Digest <digest@news.example.org>",
        "NEWSLETTER_POSTAL_ADDRESS": "1 Road, Town",
        "NEWSLETTER_GATHER": "0",
        "NEWSLETTER_LOG_LEVEL": "WARNING",
        **more,
    }


@contextmanager
def postgres() -> Iterator[services.Postgres]:
    """A PostgreSQL with fsync on, and settings as a server of this size is given: memory, seldom checkpoints, no JIT."""
    server = services.Postgres(
        durable=True, shared_buffers="2GB", work_mem="64MB", max_wal_size="8GB", checkpoint_timeout="15min", jit="off"
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()


def seeded(server: services.Postgres, people: int) -> str:
    """The URL of a new database with `people` subscribers: a template for `new_database`."""
    url = server.new_database()
    with tempfile.TemporaryDirectory() as data:
        told = environment(Path(data), url)
        subprocess.run([sys.executable, "-m", "bench.million", str(people)], env=told, cwd=ROOT, check=True)
    return url


def address(number: int) -> str:
    """Of the subscriber with this number, from 0."""
    return f"reader{number}@example.org"


def store_entry(*, at: datetime) -> None:
    """One entry with an article for each of `TOLD`, as a poll stores it: its items wait to meet the topics."""
    from django.db import transaction

    from newsletter.models import Entry, Feed, Item, ItemVersion

    with transaction.atomic():
        feed, _ = Feed.objects.get_or_create(
            url="https://feed.example/", defaults={"next_fetch_at": at + timedelta(days=1), "created_at": at}
        )
        entry = Entry.objects.create(
            feed=feed,
            guid=f"guid-{at.timestamp()}",
            url="https://digest.example/today",
            title="Today",
            published_at=at,
            first_seen_at=at,
            last_seen_at=at,
            raw_hash=b"raw",
        )
        for position, word in enumerate(TOLD):
            item = Item.objects.create(entry=entry, key=word.encode(), position=position, first_seen_at=at)
            paragraphs = [f"The {word} is in the news again. " + "A second sentence tells more of it. " * 12] * 3
            ItemVersion.objects.create(
                item=item,
                n=1,
                title=f"What became of the {word}",
                text="\n\n".join(paragraphs),
                html="".join(f"<p>{text}</p>" for text in paragraphs),
                meaning_hash=word.encode().ljust(32),
                seen_at=at,
            )


def _seed(people: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from newsletter import wiring
    from newsletter.delivery.gates import sending_gate
    from newsletter.lib import db
    from newsletter.models import Cadence
    from tests import factories

    call_command("migrate", verbosity=0)
    sending_gate.create_gate(wiring.vault())
    topics = [factories.topic(word.title(), query=word) for word in WORDS]
    looks = [factories.look().id, factories.look(discreet=False).id]
    rhythms = (factories.rhythm(Cadence.DAILY).id, factories.rhythm(Cadence.WEEKLY).id)
    columns = "handle address_cipher address_index key_id state look_id daily_rhythm_id weekly_rhythm_id link_epoch"
    names = [*columns.split(), "created_at", "confirmed_at", "consent_version"]
    db.insert("subscriber", names, _people(people, looks, rhythms))
    first = db.rows("SELECT min(id) FROM subscriber")[0][0]
    columns = "subscriber_id topic_id cadence owed_from changed_at source created_at"
    db.insert("subscription", columns.split(), _follows(first, people, [topic.id for topic in topics]))
    db.execute("VACUUM ANALYZE")


def _people(count: int, looks: list[int], rhythms: tuple[int, int]) -> Iterator[tuple[object, ...]]:
    from uuid import UUID

    from newsletter import wiring

    vault, at = wiring.vault(), datetime(2026, 1, 1, tzinfo=UTC)
    chance = random.Random(SEED)
    for number in range(count):
        handle = UUID(int=chance.getrandbits(128), version=4)
        key_id, cipher = vault.encrypt(address(number), handle=handle.bytes, column="address")
        index = vault.blind_index("address", address(number))
        look = looks[number % 4 == 0]
        yield handle, cipher, index, key_id, "active", look, *rhythms, 0, at, at, 0


def _follows(first: int, people: int, topics: list[int]) -> Iterator[tuple[object, ...]]:
    chance, at = random.Random(SEED), datetime(2026, 1, 1, tzinfo=UTC)
    told = topics[: len(TOLD)]
    for number in range(first, first + people):
        one = chance.choice(told)
        others = chance.sample([topic for topic in topics if topic != one], FOLLOWED - 1)
        for topic in (one, *others):
            yield number, topic, 1, at, at, "import", at


if __name__ == "__main__":
    _seed(int(sys.argv[1]))
