"""Who is told the same: the followers of each match in, a small number for each set of matches that somebody met out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Alike:
    """`sets` maps each person to the number of their set; a set is told by the one without its last match, and that match.

    Numbers, because a million people are then a million small integers, whatever they met.
    """

    sets: Mapping[int, int]
    _before: list[int]
    _last: list[int]

    def matches(self, number: int) -> tuple[int, ...]:
        """The ids of the matches of a set, in order."""
        found: list[int] = []
        while number:
            found.append(self._last[number])
            number = self._before[number]
        return tuple(reversed(found))


def alike(followers: Mapping[int, Iterable[int]]) -> Alike:
    """`followers` maps the id of a match to the people whom it concerns, each of them once."""
    sets: dict[int, int] = {}
    before, last = [0], [0]
    for match_id in sorted(followers):
        after: dict[int, int] = {}
        for person in followers[match_id]:
            was = sets.get(person, 0)
            number = after.get(was)
            if number is None:
                after[was] = number = len(before)
                before.append(was)
                last.append(match_id)
            sets[person] = number
    return Alike(sets, before, last)
