"""The answer to a command that is not carried out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """Nothing was done. `reason` is one line that says why, and where something helps, what to do."""

    reason: str
