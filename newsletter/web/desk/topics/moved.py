"""Whether a number of people has moved since a form showed it."""

from newsletter.lib.small_numbers import PeopleCount


def has_moved(shown: str, now: PeopleCount) -> bool:
    """Whether the number that a form carries is another one now: by more than 10 people, or 1 in 100 of many.

    What is shown is rounded to ten, and the exact number never leaves the service. So numbers that round to neighbours count as
    the same.
    """
    before = _read(shown, now.threshold)
    if before is None:
        return True
    after = now.shown or 0
    return abs(before - after) > max(10, after // 100)


def _read(shown: str, threshold: int) -> int | None:
    plain = shown.replace(",", "")
    if plain.isdecimal() and len(plain) < 12:
        return int(plain)
    return 0 if shown == str(PeopleCount(None, threshold)) else None
