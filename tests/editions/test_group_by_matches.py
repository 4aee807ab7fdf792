"""People who met the same are found by one walk over the followers of each match."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.editions.group_by_matches import alike


@given(st.dictionaries(st.integers(1, 30), st.sets(st.integers(1, 12)), max_size=8))
def test_everybody_is_found_with_exactly_what_they_met(followers: dict[int, set[int]]) -> None:
    found = alike(followers)
    met = {
        person: tuple(sorted(match for match, people in followers.items() if person in people))
        for person in set().union(*followers.values())
    }
    assert {person: found.matches(number) for person, number in found.sets.items()} == met
    assert len(set(found.sets.values())) == len(set(met.values()))


def test_nobody_met_anything() -> None:
    assert alike({}).sets == {}
    assert alike({7: []}).sets == {}
