"""Alias groups: all spellings of one name, which of them find the others, and which count only near certain words."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from newsletter.matching.text import keys

#: Words between a contextual spelling and one of its words, unless the pack says otherwise.
NEARBY = 30


@dataclass(frozen=True)
class Near:
    """A spelling that counts only where one of `words` stands within `within` words of it."""

    spelling: str
    words: tuple[str, ...]
    within: int = NEARBY


@dataclass(frozen=True)
class Group:
    """All spellings of one name, and where they were taken from.

    Each of `spellings` and `near` finds every other spelling of the group; those of `one_way` are found, and find nothing.
    """

    id: str
    pack: str
    name: str
    spellings: tuple[str, ...]
    source: str
    one_way: tuple[str, ...] = ()
    near: tuple[Near, ...] = ()

    @property
    def everything(self) -> tuple[str, ...]:
        """Every spelling, in the pack's order."""
        return (*self.spellings, *(one.spelling for one in self.near), *self.one_way)


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
            near=tuple(one for one in group.near if keys(one.spelling) not in gone),
        )
        for group in groups
    )


def as_query(group: Group) -> str:
    """A bare word that finds every spelling of the group: its first spelling that is one word, else the first as a phrase."""
    finding = [*group.spellings, *(one.spelling for one in group.near)]
    return next((one for one in finding if " " not in one and "-" not in one), f'"{finding[0]}"')
