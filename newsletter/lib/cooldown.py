"""A pause after a service did not answer, so that callers do not wait for it in vain each time."""

from collections.abc import Callable


class Cooldown:
    """The pause of one service: `seconds` after each failure. `clock` returns monotonic seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._until: float | None = None

    @property
    def active(self) -> bool:
        """True while the service should not be asked."""
        return self._until is not None and self._clock() < self._until

    def start(self) -> bool:
        """Record a failure; returns True for the first one in a row, which is worth a log line."""
        first = self._until is None
        self._until = self._clock() + self._seconds
        return first

    def clear(self) -> bool:
        """Record an answer; returns True if the service failed before it."""
        failed, self._until = self._until is not None, None
        return failed
