"""The next batch of any provider, until this process is told to stop."""

import time

from newsletter import db, wiring
from newsletter.delivery import send


def going_on() -> bool:
    """Whether something new may still be begun."""
    return not wiring.stopping.is_set()


def send_next() -> send.Sent | None:
    """Send the next batch that is due, whoever carries it; None when there is none that may go now."""
    with wiring.stopping.finishing():
        for sender in wiring.senders():
            if (sent := send.send_next(sender, clock=db.steady_now, going_on=going_on)) is not None:
                return sent
    return None


def paused(until: float) -> bool:
    """Wait a moment for the pace; False when no mail does, or `time.monotonic()` has passed `until`."""
    if not going_on() or time.monotonic() >= until:
        return False
    waits = [one.pacing.pause(now=db.now()) for one in wiring.senders() if one.pacing]
    seconds = min((wait for wait in waits if wait is not None), default=None)
    if seconds is not None:
        time.sleep(seconds)
    return seconds is not None
