"""Counts of people with one topic in common: none is told that is small or exact."""

import pytest

from newsletter.lib.small_numbers import people_count


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "fewer than 10"), (9, "fewer than 10"), (10, "10"), (14, "10"), (15, "20"), (25, "30"), (3204, "3,200")],
)
def test_a_count_of_people_is_hidden_or_rounded(count, shown):
    assert str(people_count(count, threshold=10)) == shown


def test_the_smallest_threshold_still_shows_ten():
    assert people_count(5, threshold=5).shown == 10
