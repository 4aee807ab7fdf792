"""The way to the broker: what consumers and ringers connect with, and a bell that never makes its ringer wait."""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from celery import Celery
from kombu import Connection
from kombu.exceptions import OperationalError as BrokerError

from newsletter.lib.cooldown import Absence

log = structlog.get_logger()

#: Transport options of kombu for the broker inside the process, and for Redis.
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
#: What differs for whoever publishes: a page waits for it. Without the last two, kombu tries again after 2 and 4 seconds.
IN_A_HURRY: Final[dict[str, Any]] = {
    "socket_timeout": 0.5,
    "socket_connect_timeout": 0.5,
    "max_retries": 1,
    "interval_start": 0,
}
#: Seconds for which no bell is rung after one could not be.
LEFT_ALONE: Final = 5.0


class App(Celery):
    """Celery, with connections for publishing that give up quickly: beat's and the bells'."""

    def connection_for_write(self, url: str | None = None, **options: Any) -> Connection:
        """As Celery says."""
        options["transport_options"] = IN_A_HURRY | (options.get("transport_options") or {})
        return super().connection_for_write(url, **options)


class Bell:
    """Rings tasks through `send` (a task's name and its ids); leaves a broker that does not answer alone for a while."""

    def __init__(
        self, send: Callable[[str, tuple[int, ...]], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._send = send
        self._absence = Absence(LEFT_ALONE, clock)

    def ring(self, name: str, *ids: int) -> None:
        """Ring if that can be done at once; a lost ring costs seconds, so nothing is ever raised."""
        if self._absence.lasts:
            return
        try:
            self._send(name, ids)
        except (BrokerError, OSError) as error:
            if self._absence.begin():
                log.warning("not_rung", task=name, error=type(error).__name__)
            return
        if self._absence.end():
            log.warning("rung_again")
