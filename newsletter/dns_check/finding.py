"""What the DNS says about one thing, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How good it is."""

    GOOD = "good"
    #: Mail goes, but it could be better, or nobody can know from here.
    WARN = "warn"
    #: Mail is refused or marked as spam for this.
    BAD = "bad"


@dataclass(frozen=True)
class DnsFinding:
    """One thing that was looked up: `what` it is, and `advice` where something is to be done."""

    what: str
    verdict: Verdict
    message: str
    advice: str = ""


def good(what: str, message: str) -> DnsFinding:
    """All is well."""
    return DnsFinding(what, Verdict.GOOD, message)


def warn(what: str, message: str, advice: str = "") -> DnsFinding:
    """Somebody should look."""
    return DnsFinding(what, Verdict.WARN, message, advice)


def bad(what: str, message: str, advice: str) -> DnsFinding:
    """Somebody has to mend it."""
    return DnsFinding(what, Verdict.BAD, message, advice)
