"""Callbacks of long work: it reports its progress, and asks between two steps whether it should go on."""

from collections.abc import Callable

#: Called with the number of steps done and the number in all.
Progress = Callable[[int, int], None]
#: Asked between two steps. Work that is left when it returns False is found the next time.
ShouldContinue = Callable[[], bool]


def no_progress(*_: object) -> None:
    """Report nothing."""


def never_stop() -> bool:
    """Return True: go on to the end."""
    return True
