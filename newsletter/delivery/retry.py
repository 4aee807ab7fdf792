"""How long a batch waits after it was proved not to be taken."""

from datetime import datetime, timedelta

#: Minutes after the first, second, … try; the last one repeats.
BACK_OFF = (1, 2, 5, 15, 60)
#: About two days of tries: then an operator must look.
MOST_TRIES = 50


def next_try(attempts: int, now: datetime, retry_after: float | None = None) -> datetime:
    """When to try again after `attempts` hand-overs; a provider's own wish (seconds) counts when it is longer, up to a day."""
    wait = timedelta(minutes=BACK_OFF[min(max(attempts, 1), len(BACK_OFF)) - 1])
    if retry_after is not None:
        wait = max(wait, timedelta(seconds=min(retry_after, 86_400)))
    return now + wait


def exhausted(attempts: int) -> bool:
    """True when a batch has been tried so often that it is parked."""
    return attempts >= MOST_TRIES
