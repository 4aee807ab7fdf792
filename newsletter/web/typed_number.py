"""Numbers in addresses and hidden fields, which anybody can write as they like."""

from typing import Final

from newsletter.lib.small_numbers import ROUNDED_TO, PeopleCount, has_moved

#: The largest number that a statement may carry.
MOST: Final = 2**63 - 1


def typed_number(text: str | None) -> int | None:
    """The number that is written there in plain digits; None for anything else, and for one that no database takes."""
    if not text or not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST))):
        return None
    number = int(text)
    return number if number <= MOST else None


def shown_moved(carried: str, now: PeopleCount | int) -> bool:
    """Whether a count has moved (`has_moved`) since a form carried it (of people: `PeopleCount.carried`), or was never shown.

    Of two shielded counts, neighbours count as the same: one person may be all that lies between them.
    """
    shown = typed_number(carried)
    if shown is None:
        return True
    if isinstance(now, PeopleCount) and now.threshold:
        return abs(shown - now.carried) > ROUNDED_TO
    return has_moved(shown, now.carried if isinstance(now, PeopleCount) else now)
