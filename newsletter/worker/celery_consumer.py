"""Celery's consumer, changed to survive the loss of the broker while tasks run; the setting `worker_consumer` names it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from celery.worker.consumer import Consumer

log = structlog.get_logger()


class ReconnectingConsumer(Consumer):
    """Celery's consumer, except where it would end the worker or wait for other workers.

    Celery 5.7 closes a lost connection twice (`collect`, then `close`), while running tasks still hold a channel of it. The
    first close takes the transport from the connection. Whatever then asks that channel for Redis finds no connection and
    raises AttributeError (kombu issue 582), which ends the worker: the second close, if the first failed before the channel
    was closed, and later the task itself, when its message is acknowledged.

    Workers never talk to each other, whatever the command line says: they share state in the tables only. Celery's steps for
    it (mingle at start, gossip later) wait for replies and fail when Redis goes away.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        alone = {"without_mingle": True, "without_gossip": True}
        kwargs["worker_options"] = {**(kwargs.get("worker_options") or {}), **alone}
        super().__init__(*args, **kwargs)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Close the lost connection; abandon a channel that cannot requeue its tasks, and let the loop reconnect."""
        try:
            super().on_connection_error_after_connected(exc)
        except AttributeError:
            if self.connection is not None:
                raise
            log.warning("broker_left_unclosed")

    def call_soon_ack(self, p: Callable[..., object], *args: Any, **kwargs: Any) -> Any:
        """As in Celery, but tolerate a lost channel. Redis redelivers the task, which changes nothing the second time."""
        return super().call_soon_ack(partial(_unless_lost, p), *args, **kwargs)  # type: ignore[misc]  # not in the stubs


def _unless_lost(acknowledge: Any, *args: Any) -> None:
    """Call a message's `ack_log_error` or `reject_log_error`, unless its channel has lost its connection."""
    try:
        acknowledge(*args)
    except AttributeError:
        transport = acknowledge.__self__.channel.connection
        if transport is not None and transport.client is not None:
            raise
        log.warning("not_acknowledged")
