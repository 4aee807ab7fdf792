"""Group subscribers by the exact set of matches they are owed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MatchGroups:
    """Which subscriber is in which group. Groups are numbers, so a million subscribers are a million small integers.

    A group is stored as the number of the group without its last match, and that match.
    """

    #: Subscriber id → number of their group.
    group_of: Mapping[int, int]
    _parent: list[int]
    _last_match: list[int]

    def match_ids(self, group: int) -> tuple[int, ...]:
        """The ids of the matches of a group, in order."""
        ids: list[int] = []
        while group:
            ids.append(self._last_match[group])
            group = self._parent[group]
        return tuple(reversed(ids))


def group_by_matches(followers: Mapping[int, Iterable[int]]) -> MatchGroups:
    """Group the subscribers in `followers`: match id → ids of the subscribers it concerns, each of them once."""
    group_of: dict[int, int] = {}
    parent, last_match = [0], [0]
    for match_id in sorted(followers):
        with_match: dict[int, int] = {}
        for subscriber_id in followers[match_id]:
            before = group_of.get(subscriber_id, 0)
            group = with_match.get(before)
            if group is None:
                with_match[before] = group = len(parent)
                parent.append(before)
                last_match.append(match_id)
            group_of[subscriber_id] = group
    return MatchGroups(group_of, parent, last_match)
