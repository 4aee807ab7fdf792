"""How long a batch waits after it was proved not to be taken."""

from datetime import datetime, timedelta

#: Minutes after the first, second, … try; the last one repeats.
BACK_OFF = (1, 2, 5, 15, 60)
#: So often in a row a provider's own word (seconds) is taken as it is, also where it is shorter than our back-off; after
#: that it only lengthens it: a provider that says "3 seconds" for hours would use up all tries in minutes.
TAKEN_AT_ITS_WORD = 10
#: Bounds of such a word, in seconds.
SHORTEST, LONGEST = 1.0, 86_400.0
#: About two days of tries: then an operator must look.
MOST_TRIES = 50


def next_try(attempts: int, now: datetime, retry_after: float | None = None) -> datetime:
    """When to try again after `attempts` hand-overs. `retry_after` is the provider's own wish in seconds, where it said one."""
    if retry_after is None:
        return now + _back_off(attempts)
    wished = timedelta(seconds=min(max(retry_after, SHORTEST), LONGEST))
    if attempts <= TAKEN_AT_ITS_WORD:
        return now + wished
    return now + max(wished, _back_off(attempts - TAKEN_AT_ITS_WORD))


def exhausted(attempts: int) -> bool:
    """True when a batch has been tried so often that it is parked."""
    return attempts >= MOST_TRIES


def _back_off(attempts: int) -> timedelta:
    return timedelta(minutes=BACK_OFF[min(max(attempts, 1), len(BACK_OFF)) - 1])
