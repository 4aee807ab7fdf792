"""Subscribers are grouped by exactly the matches they are owed."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.editions.group_by_matches import group_by_matches


@given(st.dictionaries(st.integers(1, 30), st.sets(st.integers(1, 12)), max_size=8))
def test_every_subscriber_is_grouped_with_exactly_their_matches(followers: dict[int, set[int]]) -> None:
    groups = group_by_matches(followers)
    expected = {
        person: tuple(sorted(match for match, people in followers.items() if person in people))
        for person in set().union(*followers.values())
    }
    assert {person: groups.match_ids(group) for person, group in groups.group_of.items()} == expected
    assert len(set(groups.group_of.values())) == len(set(expected.values()))


def test_no_followers_no_groups() -> None:
    assert group_by_matches({}).group_of == {}
    assert group_by_matches({7: []}).group_of == {}
