"""The next batch of any provider, until this process is told to stop."""

import threading
import time
from collections.abc import Callable

from django.db import connection

from newsletter import wiring
from newsletter.delivery import send
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.lib import db

#: The connection on which a thread's data was looked at.
_looked = threading.local()


def going_on() -> bool:
    """Whether something new may still be begun."""
    return not wiring.shutdown.is_set()


def send_next(going_on: Callable[[], bool] = going_on) -> send.Sent | None:
    """Send the next batch that is due, whoever carries it; None when there is none that may go now."""
    with wiring.shutdown.in_progress():
        for sender in wiring.senders():
            if not _data_is_ours():
                return None
            if (sent := send.send_next(sender, clock=db.steady_now, going_on=going_on)) is not None:
                return sent
    return None


def _data_is_ours() -> bool:
    """Looked at on a new connection: a database that was away may have been set back to a backup, which closes the gate.

    False, and looked at again before the next batch: a copy of another's data cannot be told yet from a service at work.
    """
    if connection.connection is None or connection.connection is not getattr(_looked, "at", None):
        if wiring.host_guard().close_if_restored(now=db.now()) is Standing.NEW_HOST:
            return False
        _looked.at = connection.connection
    return True


def paused(until: float) -> bool:
    """Wait a moment for the pace; False when no mail does, or `time.monotonic()` has passed `until`."""
    if not going_on() or time.monotonic() >= until:
        return False
    waits = [one.pacing.pause(now=db.now()) for one in wiring.senders() if one.pacing]
    seconds = min((wait for wait in waits if wait is not None), default=None)
    if seconds is not None:
        time.sleep(seconds)
    return seconds is not None
