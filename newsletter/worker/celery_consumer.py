"""Celery's consumer of tasks, made to outlive a broker that goes away while tasks run; `worker_consumer` names it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from celery.worker.consumer import Consumer

log = structlog.get_logger()


class Enduring(Consumer):
    """As Celery's in everything else.

    Celery 5.7 closes a lost connection twice (`collect`, then `close`), and a running task belongs to a channel of it. The
    first closing takes the transport from its connection. Whatever then asks that channel for Redis finds no connection
    and raises AttributeError (kombu issue 582), which ends the worker: the second closing, when the first one failed
    before the channel was closed, and later the task itself, when it has ended and is to be acknowledged.

    Workers do not talk to each other, whatever the command line says: what they share stands in the tables, and Celery's
    steps for it (mingle at the start, gossip later) wait for answers and fall over when Redis goes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        alone = {"without_mingle": True, "without_gossip": True}
        kwargs["worker_options"] = {**(kwargs.get("worker_options") or {}), **alone}
        super().__init__(*args, **kwargs)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Put the lost connection away; a channel that cannot give its tasks back is left, and the loop connects anew."""
        try:
            super().on_connection_error_after_connected(exc)
        except AttributeError:
            if self.connection is not None:
                raise
            log.warning("broker_left_unclosed")

    def call_soon_ack(self, p: Callable[..., object], *args: Any, **kwargs: Any) -> Any:
        """As Celery's; Redis gives an ended task that could not be acknowledged to somebody again, which changes nothing."""
        return super().call_soon_ack(partial(_unless_lost, p), *args, **kwargs)  # type: ignore[misc]  # not in the stubs


def _unless_lost(acknowledge: Any, *args: Any) -> None:
    """Call a message's own `ack_log_error` or `reject_log_error`, unless its channel lost its connection meanwhile."""
    try:
        acknowledge(*args)
    except AttributeError:
        transport = acknowledge.__self__.channel.connection
        if transport is not None and transport.client is not None:
            raise
        log.warning("not_acknowledged")
