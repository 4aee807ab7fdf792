"""Something that did not answer is left alone for some seconds: who asks meanwhile does not wait for it."""

from collections.abc import Callable


class Absence:
    """Of one thing, for `seconds` after each time it did not answer; `clock` in seconds, always going forward."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._until: float | None = None

    @property
    def lasts(self) -> bool:
        """Whether it is to be left alone now."""
        return self._until is not None and self._clock() < self._until

    def begin(self) -> bool:
        """It did not answer; True when it did the last time: then it is worth a word."""
        fresh = self._until is None
        self._until = self._clock() + self._seconds
        return fresh

    def end(self) -> bool:
        """It answered; True when it did not the last time."""
        was, self._until = self._until is not None, None
        return was
