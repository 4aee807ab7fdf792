"""S22: a mail server drops the connection at each phase; the class is exactly that of the table, and nothing is taken twice."""

import pytest

from tests.faults import crash_points

ROUNDS = 110


@pytest.mark.parametrize("place", crash_points.MATRIX, ids="-".join)
def test_the_class_is_that_of_the_table(place: tuple[str, str]) -> None:
    told = crash_points.handed_over(place, ROUNDS)
    assert not crash_points.broken(place, told, ROUNDS)
