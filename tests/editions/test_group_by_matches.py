"""People who met the same are found by one walk over the followers of each match."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.editions.group_by_matches import group_by_matches


@given(st.dictionaries(st.integers(1, 30), st.sets(st.integers(1, 12)), max_size=8))
def test_everybody_is_found_with_exactly_what_they_met(followers: dict[int, set[int]]) -> None:
    found = group_by_matches(followers)
    met = {
        person: tuple(sorted(match for match, people in followers.items() if person in people))
        for person in set().union(*followers.values())
    }
    assert {person: found.match_ids(number) for person, number in found.group_of.items()} == met
    assert len(set(found.group_of.values())) == len(set(met.values()))


def test_nobody_met_anything() -> None:
    assert group_by_matches({}).group_of == {}
    assert group_by_matches({7: []}).group_of == {}
