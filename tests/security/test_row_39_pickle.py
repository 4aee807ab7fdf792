"""Threat 39: who can write to Redis makes workers run code, by a message that is a pickle."""

import pickle
from pathlib import Path

import pytest
from kombu import Connection, Exchange, Producer, Queue
from kombu.exceptions import ContentDisallowed

from newsletter.worker.tasks import app


class Bomb:
    """Makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self._path,))


@pytest.fixture
def connection(redis_server):
    redis_server.command("FLUSHALL")
    with Connection(redis_server.url) as made:
        yield made
    redis_server.command("FLUSHALL")


@pytest.mark.parametrize("serializer", ["pickle", "yaml", "msgpack"])
def test_what_is_not_json_is_refused_unread(connection, tmp_path: Path, serializer: str) -> None:
    """By a consumer as the worker makes it, at a real Redis."""
    mine, told = tmp_path / "made", []
    queue = Queue(app.conf.task_default_queue, Exchange(app.conf.task_default_queue), app.conf.task_default_queue)
    raw = pickle.dumps([[Bomb(mine)], {}, {}])
    headers = {"id": "1", "task": "newsletter.match", "lang": "py", "argsrepr": "", "kwargsrepr": ""}
    Producer(connection).publish(
        raw,
        exchange=queue.exchange,
        routing_key=queue.routing_key,
        declare=[queue],
        headers=headers,
        content_type=f"application/x-{'python-serialize' if serializer == 'pickle' else serializer}",
        content_encoding="binary",
    )
    consumer = app.amqp.TaskConsumer(
        connection.channel(), queues=[queue], on_decode_error=lambda message, error: told.append((message.ack(), error))
    )
    consumer.register_callback(lambda body, message: told.append((body, message)))
    with consumer:
        connection.drain_events(timeout=10)
    ((_, error),) = told
    assert isinstance(error, ContentDisallowed)
    assert not mine.exists()
    pickle.loads(raw)  # noqa: S301 - our own
    assert mine.exists(), "the bomb is one"


def test_commands_to_workers_are_json_too() -> None:
    assert set(app.conf.accept_content) == {"json"}
    assert set(app.conf.result_accept_content or app.conf.accept_content) == {"json"}
    assert set(app.control.mailbox.accept) == {"json"}
    assert app.conf.task_serializer == "json"
    assert app.conf.result_backend is None
