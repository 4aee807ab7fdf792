"""Send the next batch of any provider, unless this process is shutting down."""

import threading
import time
from collections.abc import Callable

from django.db import connection

from newsletter import delivery_wiring, wiring
from newsletter.delivery import send
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.lib import db

#: The database connection on which a thread last checked that this host may send.
_checked = threading.local()


def should_continue() -> bool:
    """True while new work may start."""
    return not wiring.shutdown.is_set()


def send_next(should_continue: Callable[[], bool] = should_continue) -> send.Sent | None:
    """Send the next batch that is due, by any provider; None if there is none that may go now."""
    with wiring.shutdown.in_progress():
        for sender in delivery_wiring.senders():
            if not _host_may_send():
                return None
            if (sent := send.send_next(sender, clock=db.steady_now, should_continue=should_continue)) is not None:
                return sent
    return None


def _host_may_send() -> bool:
    """Check, on each new connection, that the data is this host's; after an outage it may be a backup, which closes the gate.

    False while this host is new to the data, which may be a copy; it is then checked again before the next batch.
    """
    if connection.connection is None or connection.connection is not getattr(_checked, "connection", None):
        if delivery_wiring.host_guard().close_if_restored(now=db.now()) is Standing.NEW_HOST:
            return False
        _checked.connection = connection.connection
    return True


def wait_for_rate_limit(until: float) -> bool:
    """Wait a moment for mail under a rate limit; False if there is none, or the monotonic time `until` has passed."""
    if not should_continue() or time.monotonic() >= until:
        return False
    waits = [sender.pacing.pause(now=db.now()) for sender in delivery_wiring.senders() if sender.pacing]
    seconds = min((wait for wait in waits if wait is not None), default=None)
    if seconds is not None:
        time.sleep(seconds)
    return seconds is not None
