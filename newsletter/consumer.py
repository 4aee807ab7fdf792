"""Celery's consumer of tasks, made to outlive a broker that goes away while tasks run; `worker_consumer` names it."""

import structlog
from celery.worker.consumer import Consumer

log = structlog.get_logger()


class Enduring(Consumer):
    """As Celery's in everything else."""

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Put the lost connection away; what cannot be closed is left, and the loop goes on to connect anew.

        Celery 5.7 closes a lost connection twice (`collect`, then `close`). When a task runs, and Redis was also being asked
        for the next one, the first time fails before the channel is closed and has taken the transport from its
        connection; the second time, the channel wants to give the running task back to Redis, finds no connection, and
        raises AttributeError (kombu issue 582), which would end the worker. By then `self.connection` is None, and the
        sockets of that channel are closed; Redis gives the task back by itself when its visibility timeout is over.
        """
        try:
            super().on_connection_error_after_connected(exc)
        except AttributeError:
            if self.connection is not None:
                raise
            log.warning("broker_left_unclosed")
