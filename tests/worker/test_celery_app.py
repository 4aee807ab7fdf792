"""Ringing: a Redis that is frozen or gone holds up nobody, and is rung again when it answers."""

import threading
from collections.abc import Iterator

import pytest

from newsletter.worker import celery_app
from tests.services import Redis


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def redis(redis_server: Redis) -> Iterator[Redis]:
    redis_server.command("FLUSHALL")
    yield redis_server
    redis_server.freeze(False)
    redis_server.start()
    redis_server.command("FLUSHALL")


class Ringer:
    """A bell on a real Redis, with a clock that is moved by hand; `asked` counts how often Redis was asked."""

    def __init__(self, redis: Redis) -> None:
        app = celery_app.App("ringing", set_as_current=False)
        app.conf.update(
            broker_url=redis.url,
            broker_transport_options=celery_app.REDIS,
            task_default_queue="newsletter",
            task_ignore_result=True,
        )
        self.clock = Clock()
        self.asked = 0

        def send(name: str, ids: tuple[int, ...]) -> None:
            self.asked += 1
            app.send_task(name, args=ids, retry=False)

        self.bell = celery_app.Bell(send, self.clock)

    def comes_back(self) -> bool:
        """Ring; whether the ringer was let go long before the 30 seconds that a worker waits for Redis."""
        ringing = threading.Thread(target=self.bell.ring, args=("match", 7), daemon=True)
        ringing.start()
        ringing.join(timeout=15)
        return not ringing.is_alive()


def waiting(redis: Redis) -> int:
    return int(redis.command("LLEN", "newsletter:newsletter"))


@pytest.mark.parametrize("connected", [True, False])
def test_nobody_waits_for_a_frozen_redis(redis: Redis, connected: bool) -> None:
    ringer = Ringer(redis)
    if connected:
        ringer.bell.ring("match", 7)
        assert waiting(redis) == 1
    redis.freeze(True)
    asked = ringer.asked
    assert ringer.comes_back()
    assert ringer.comes_back()
    assert ringer.asked == asked + 1, "it is left alone after it did not answer"
    redis.freeze(False)
    redis.command("FLUSHALL")
    ringer.clock.now += celery_app.LEFT_ALONE
    ringer.bell.ring("match", 7)
    ringer.bell.ring("match", 8)
    assert waiting(redis) == 2


def test_a_redis_that_is_gone_is_tried_once_and_again_later(redis: Redis) -> None:
    ringer = Ringer(redis)
    ringer.bell.ring("match", 7)
    redis.stop(kill=True)
    for tries in (1, 2):
        ringer.bell.ring("match", 7)
        ringer.bell.ring("match", 7)
        assert ringer.asked == 1 + tries
        ringer.clock.now += celery_app.LEFT_ALONE
    redis.start()
    ringer.bell.ring("match", 7)
    assert waiting(redis) == 1
