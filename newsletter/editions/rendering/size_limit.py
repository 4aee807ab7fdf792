"""Keep a mail below the size at which mail programs cut it off: shorten the longest articles, then show titles, then fewer.

Gmail shows the first 102 kB of a mail's HTML and hides the rest, the links to stop and to change among it.
"""

from collections.abc import Callable
from typing import Final

#: Bytes of a mail's HTML (of its text, where it has no HTML), decoded and with styles inlined.
LIMIT: Final = 90_000
#: Of these, reserved for what is filled in when it is sent: personal links, and the note on a second copy.
RESERVED: Final = 3_000

#: How an article is shown: whole, its first so many characters, or its title only.
Length = int
WHOLE: Final = -1
TITLE: Final = 0
#: Characters of an article, from long to short. Each step shortens only the articles that are longer.
STEPS: Final = (WHOLE, 4_000, 2_000, 1_200, 800, 500, 300)


def fit(count: int, size: Callable[[int, Length], int], room: int) -> tuple[Length, ...]:
    """The lengths at which the first articles of `count` fit into `room` bytes, in their order.

    `size(index, length)` is the size of an article in bytes. The longest are shortened first; when that is not enough, the last
    ones become titles; and when titles alone are too many, the last are left out: the result is shorter than `count` then.
    At least one is shown.
    """
    for length in STEPS:
        if _all_fit(count, size, length, room):
            return (length,) * count
    return _titles(count, size, room)


def _all_fit(count: int, size: Callable[[int, Length], int], length: Length, room: int) -> bool:
    """Whether all articles fit at this length. Stops early: each size means that a block is rendered."""
    for index in range(count):
        room -= size(index, length)
        if room < 0:
            return False
    return True


def _titles(count: int, size: Callable[[int, Length], int], room: int) -> tuple[Length, ...]:
    """As many titles as fit, and of these as many of the first as possible in their shortest form with text."""
    titles: list[int] = []
    used = 0
    for index in range(count):
        title = size(index, TITLE)
        if titles and used + title > room:
            break
        titles.append(title)
        used += title
    lengths = [TITLE] * len(titles)
    if len(titles) < count:
        return tuple(lengths)
    for index, title in enumerate(titles):
        longer = used - title + size(index, STEPS[-1])
        if longer > room:
            break
        lengths[index], used = STEPS[-1], longer
    return tuple(lengths)
