"""What `doctor` found out about one thing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One examined thing: `verdict` is ok, warn or fail; the message of the last two says what to do."""

    what: str
    verdict: str
    message: str


def found(what: str, problem: str, good: str) -> Finding:
    """A warning with `problem`; if that is empty, all is `good`."""
    return Finding(what, "warn", problem) if problem else Finding(what, "ok", good)
