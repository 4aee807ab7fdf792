"""Counts of people that belong to one topic: a small one would say who follows it. Whether a count that was shown holds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PeopleCount:
    """A count of people as it may be shown. `shown` is rounded to ten; None: there are fewer than `threshold`."""

    shown: int | None
    threshold: int

    def __str__(self) -> str:
        return f"fewer than {self.threshold}" if self.shown is None else f"{self.shown:,}"

    @property
    def carried(self) -> str:
        """The count as a form carries it, for `shown_moved`; nothing where it may not be shown."""
        return "" if self.shown is None else str(self.shown)


def people_count(count: int, *, threshold: int) -> PeopleCount:
    """What may be shown of `count` people who have one topic in common. Totals of the site are shown as they are."""
    return PeopleCount(None if count < threshold else (count + 5) // 10 * 10, threshold)


def has_moved(shown: int, now: int) -> bool:
    """Whether a number of people differs by more than 10, or 1 in 100, from the one that somebody was shown."""
    difference = abs(now - shown)
    return difference > 10 or difference * 100 > max(shown, now)


def shown_moved(carried: str, count: PeopleCount) -> bool:
    """Whether a shielded count has moved (`has_moved`) since a form carried it (`PeopleCount.carried`), or was never shown."""
    if count.shown is None or not carried.isdecimal() or len(carried) > 12:
        return carried != count.carried
    return has_moved(int(carried), count.shown)
