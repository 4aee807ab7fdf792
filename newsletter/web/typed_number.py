"""Numbers in addresses and hidden fields, which anybody can write as they like."""

from typing import Final

#: The largest number that a statement may carry.
MOST: Final = 2**63 - 1


def typed_number(text: str) -> int | None:
    """The number that is written there in plain digits; None for anything else, and for one that no database takes."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST))):
        return None
    number = int(text)
    return number if number <= MOST else None
