"""Several workers at once, on real connections: a day's cap is met exactly, a shared pace is kept, nobody is mailed twice."""

import threading
import time
from collections import Counter
from uuid import uuid4

import pytest
from django.db import connection

from newsletter.config import rate_limits
from newsletter.delivery import send
from newsletter.delivery.rate_limits.redis_token_buckets import RedisBuckets
from newsletter.delivery.rate_limits.token_buckets import Buckets, InMemoryBuckets
from newsletter.delivery.send import Sender
from newsletter.delivery.sending.pacing import Pacing
from newsletter.lib import db
from newsletter.models import Batch, Lane
from tests import factories, services
from tests.delivery.fake_provider import ScriptedProvider
from tests.delivery.helpers import states

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 4


class Workers:
    """Threads with a connection, a provider and a client of the buckets each, until nothing more may go."""

    def __init__(self, make_buckets, *, name: str = "smtp", seconds: float = 0.0, **words: str) -> None:
        limits = rate_limits.read(**{"pace": "", "domain_pace": "", "daily_cap": "", "warm_up": "", **words})
        self.providers = [ScriptedProvider(window=5) for _ in range(WORKERS)]
        self.errors: list[BaseException] = []
        self.until = time.monotonic() + seconds
        self.senders = [
            Sender(
                one, factories.VAULT, "https://news.example", "news.example", Pacing(limits, make_buckets(), name, 1)
            )
            for one in self.providers
        ]

    def run(self) -> Counter[int]:
        """How often each delivery was handed over."""
        threads = [threading.Thread(target=self._one, args=(sender,)) for sender in self.senders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self.errors
        return Counter(parcel.delivery_id for one in self.providers for parcel in one.handed)

    def _one(self, sender: Sender) -> None:
        try:
            while send.send_next(sender, clock=db.now) or time.monotonic() < self.until:
                time.sleep(0.01)
        except BaseException as error:
            self.errors.append(error)
            raise
        finally:
            connection.close()


def redis_seconds(redis_server: services.Redis) -> float:
    """Redis's own clock, by which its buckets fill."""
    seconds, microseconds = redis_server.command("TIME").split()
    return int(seconds) + int(microseconds) / 1e6


@pytest.fixture(autouse=True)
def _gate() -> None:
    factories.open_gate()


def test_the_last_mails_of_a_day_are_taken_once() -> None:
    for _ in range(8):
        factories.planned(10, lane=Lane.DIGEST, kind="digest")
    shared = InMemoryBuckets()
    workers = Workers(lambda: shared, daily_cap="37", seconds=1.0)
    handed = workers.run()
    assert sum(handed.values()) == len(handed) == 37
    assert states() == {"accepted": 37, "planned": 43}
    assert not Batch.objects.filter(state__in=["claimed", "sending"]).exists()


def test_a_pace_in_redis_is_one_for_all_workers(redis_server: services.Redis) -> None:
    for _ in range(4):
        factories.planned([factories.subscriber(f"{uuid4().hex}@gmail.com") for _ in range(15)])
    buckets: list[Buckets] = []

    def client() -> Buckets:
        buckets.append(RedisBuckets(redis_server.url))
        return buckets[-1]

    redis_server.command("FLUSHALL")
    begun = redis_seconds(redis_server)
    handed = Workers(client, pace="9", domain_pace="gmail.com=2", seconds=1.0).run()
    took = redis_seconds(redis_server) - begun
    assert len(buckets) == WORKERS
    assert 20 <= sum(handed.values()) == len(handed) <= 20 + 2 * took, "however long it took"
    assert states()["accepted"] == len(handed)
    told = redis_server.command("KEYS", "*")
    assert told.count("newsletter:{pace}:domain:smtp:") == 1 and "gmail" not in told
