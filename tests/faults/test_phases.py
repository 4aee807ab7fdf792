"""S22: a mail server drops the connection at each phase; the class is exactly that of the table, and nothing is taken twice."""

import pytest

from tests.faults import phases

ROUNDS = 110


@pytest.mark.parametrize("place", phases.MATRIX, ids="-".join)
def test_the_class_is_that_of_the_table(place: tuple[str, str]) -> None:
    told = phases.handed_over(place, ROUNDS)
    assert not phases.broken(place, told, ROUNDS)
