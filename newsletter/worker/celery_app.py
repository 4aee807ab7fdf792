"""Broker connection options, and a publisher that never blocks the caller."""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from celery import Celery
from kombu import Connection
from kombu.exceptions import OperationalError as BrokerError

from newsletter.lib.cooldown import Cooldown

log = structlog.get_logger()

#: Kombu's transport options for the in-process broker, and for Redis.
IN_MEMORY: Final[dict[str, Any]] = {"polling_interval": 0.02}
REDIS: Final[dict[str, Any]] = {
    "visibility_timeout": 900,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
    "global_keyprefix": "newsletter:",
}
#: Overrides for publishing, which a page waits for. Without the last two, kombu would retry after 2 and 4 seconds.
PUBLISHING: Final[dict[str, Any]] = {
    "socket_timeout": 0.5,
    "socket_connect_timeout": 0.5,
    "max_retries": 1,
    "interval_start": 0,
}
#: Seconds for which nothing is published after a failure.
COOLDOWN: Final = 5.0


class App(Celery):
    """Celery whose connections for publishing give up quickly: beat's and those of `TaskPublisher`."""

    def connection_for_write(self, url: str | None = None, **options: Any) -> Connection:
        """As in Celery, with the options in `PUBLISHING`."""
        options["transport_options"] = PUBLISHING | (options.get("transport_options") or {})
        return super().connection_for_write(url, **options)


class TaskPublisher:
    """Publishes tasks through `send` (a task's name and its ids); pauses after the broker did not answer."""

    def __init__(
        self, send: Callable[[str, tuple[int, ...]], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._send = send
        self._cooldown = Cooldown(COOLDOWN, clock)

    def publish(self, name: str, *ids: int) -> None:
        """Publish if the broker answers at once. Never raises: a lost message only delays the work until the next tick."""
        if self._cooldown.active:
            return
        try:
            self._send(name, ids)
        except (BrokerError, OSError) as error:
            if self._cooldown.start():
                log.warning("not_rung", task=name, error=type(error).__name__)
            return
        if self._cooldown.clear():
            log.warning("rung_again")
