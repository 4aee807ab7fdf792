"""Publishing tasks: a Redis that is frozen or gone blocks nobody, and gets messages again when it answers."""

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


class Publisher:
    """A task publisher on a real Redis, with a clock moved by hand; `sent` counts the attempts to send."""

    def __init__(self, redis: Redis) -> None:
        app = celery_app.App("publishing", set_as_current=False)
        app.conf.update(
            broker_url=redis.url,
            broker_transport_options=celery_app.REDIS,
            task_default_queue="newsletter",
            task_ignore_result=True,
        )
        self.clock = Clock()
        self.sent = 0

        def send(name: str, ids: tuple[int, ...]) -> None:
            self.sent += 1
            app.send_task(name, args=ids, retry=False)

        self.tasks = celery_app.TaskPublisher(send, self.clock)

    def returns(self) -> bool:
        """Publish; True if the call returned long before the 30 seconds that a worker waits for Redis."""
        thread = threading.Thread(target=self.tasks.publish, args=("match", 7), daemon=True)
        thread.start()
        thread.join(timeout=15)
        return not thread.is_alive()


def waiting(redis: Redis) -> int:
    return int(redis.command("LLEN", "newsletter:newsletter"))


@pytest.mark.parametrize("connected", [True, False])
def test_publish_does_not_wait_for_a_frozen_redis(redis: Redis, connected: bool) -> None:
    publisher = Publisher(redis)
    if connected:
        publisher.tasks.publish("match", 7)
        assert waiting(redis) == 1
    redis.freeze(True)
    sent = publisher.sent
    assert publisher.returns()
    assert publisher.returns()
    assert publisher.sent == sent + 1, "a second attempt during the cooldown"
    redis.freeze(False)
    redis.command("FLUSHALL")
    publisher.clock.now += celery_app.COOLDOWN
    publisher.tasks.publish("match", 7)
    publisher.tasks.publish("match", 8)
    assert waiting(redis) == 2


def test_publish_retries_a_stopped_redis_after_the_cooldown(redis: Redis) -> None:
    publisher = Publisher(redis)
    publisher.tasks.publish("match", 7)
    redis.stop(kill=True)
    for tries in (1, 2):
        publisher.tasks.publish("match", 7)
        publisher.tasks.publish("match", 7)
        assert publisher.sent == 1 + tries
        publisher.clock.now += celery_app.COOLDOWN
    redis.start()
    publisher.tasks.publish("match", 7)
    assert waiting(redis) == 1
