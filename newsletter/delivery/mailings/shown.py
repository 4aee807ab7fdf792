"""The numbers of a mailing as they may be shown: all of a mailing for one topic follow that topic."""

from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.delivery.mailings.sums import SUM_FIELDS, MailingSums
from newsletter.lib.small_numbers import people_count


@dataclass(frozen=True)
class ShownNumber:
    """How many mails are in a state. `number` is empty where only the word may be shown."""

    state: str
    number: str


@dataclass(frozen=True)
class ShownSums:
    """The sums of a mailing in words."""

    planned: str
    #: States without mails are left out.
    states: tuple[ShownNumber, ...]

    def __str__(self) -> str:
        parts = [f"{part.state} {part.number}".rstrip() for part in self.states]
        return f"planned {self.planned}" + (f" = {' + '.join(parts)}" if parts else "")


def shown_count(count: int, *, one_topic: bool, threshold: int) -> str:
    """A number of mails: exact where the people have no one topic in common."""
    return str(people_count(count, threshold=threshold)) if one_topic else f"{count:,}"


def countable(count: int, *, one_topic: bool, threshold: int) -> int:
    """The same for a form that carries the number it showed: 0 below the threshold, rounded above."""
    return people_count(count, threshold=threshold).carried if one_topic else count


def shown_sums(sums: MailingSums, *, one_topic: bool, threshold: int) -> ShownSums:
    """The sums in words. While a mailing for one topic counts fewer than `threshold`, its states have no numbers."""
    few = one_topic and sums.planned < threshold
    present = [(name, getattr(sums, name)) for name in SUM_FIELDS if getattr(sums, name)]
    states: Sequence[ShownNumber] = [
        ShownNumber(name, "" if few else shown_count(count, one_topic=one_topic, threshold=threshold))
        for name, count in present
    ]
    return ShownSums(shown_count(sums.planned, one_topic=one_topic, threshold=threshold), tuple(states))
