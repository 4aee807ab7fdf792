"""Counts of people that belong to one topic: a small one would say who follows it. Whether a count that was shown holds."""

from dataclasses import dataclass

#: What counts are rounded to.
ROUNDED_TO = 10


@dataclass(frozen=True)
class PeopleCount:
    """A count of people as it may be shown. `shown` is rounded to ten; None: there are fewer than `threshold`.

    A `threshold` of 0 shields nothing: the count is exact.
    """

    shown: int | None
    threshold: int

    def __str__(self) -> str:
        return f"fewer than {self.threshold}" if self.shown is None else f"{self.shown:,}"

    @property
    def carried(self) -> int:
        """The count as a form carries it, for `shown_moved`: 0 where it may not be shown."""
        return self.shown or 0


def people_count(count: int, *, threshold: int) -> PeopleCount:
    """What may be shown of `count` people who have one topic in common. Totals of the site are shown as they are."""
    return PeopleCount(None if count < threshold else (count + 5) // ROUNDED_TO * ROUNDED_TO, threshold)


def has_moved(shown: int, now: int) -> bool:
    """Whether a number of people differs by more than 10, or 1 in 100, from the one that somebody was shown."""
    difference = abs(now - shown)
    return difference > 10 or difference * 100 > max(shown, now)
