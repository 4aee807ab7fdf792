"""Counts of people that belong to one topic: a small one would say who follows it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PeopleCount:
    """A count of people as it may be shown. `shown` is rounded to ten; None: there are fewer than `threshold`."""

    shown: int | None
    threshold: int

    def __str__(self) -> str:
        return f"fewer than {self.threshold}" if self.shown is None else f"{self.shown:,}"


def people_count(count: int, *, threshold: int) -> PeopleCount:
    """What may be shown of `count` people who have one topic in common. Totals of the site are shown as they are."""
    return PeopleCount(None if count < threshold else (count + 5) // 10 * 10, threshold)
