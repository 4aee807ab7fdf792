"""Alias groups: all spellings of one name, which of them find the others, and which need another word beside them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from newsletter.matching.text import keys


@dataclass(frozen=True)
class OnlyWith:
    """A spelling that counts only in an item where one of `words` stands as well: `Apple` beside `iPhone`."""

    spelling: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """All spellings of one name, and where they were taken from.

    Each of `spellings` finds every other spelling of the group; those of `one_way` and `only_with` are found, and find nothing.
    """

    id: str
    pack: str
    name: str
    spellings: tuple[str, ...]
    source: str
    one_way: tuple[str, ...] = ()
    only_with: tuple[OnlyWith, ...] = ()

    @property
    def everything(self) -> tuple[str, ...]:
        """Every spelling, in the pack's order."""
        return (*self.spellings, *(one.spelling for one in self.only_with), *self.one_way)


def same_spelling(one: str, other: str) -> bool:
    """Whether two spellings are one for the matcher: case, marks of width and the like make no difference."""
    return keys(one) == keys(other)


def without(groups: Iterable[Group], off: Iterable[str]) -> tuple[Group, ...]:
    """`groups` without the spellings that a topic switched off."""
    gone = {keys(spelling) for spelling in off}
    return tuple(
        replace(
            group,
            spellings=tuple(one for one in group.spellings if keys(one) not in gone),
            one_way=tuple(one for one in group.one_way if keys(one) not in gone),
            only_with=tuple(one for one in group.only_with if keys(one.spelling) not in gone),
        )
        for group in groups
    )


def as_query(group: Group) -> str:
    """A bare word that finds every spelling of the group; of several words it is written with hyphens."""
    return "-".join(group.spellings[0].split())
