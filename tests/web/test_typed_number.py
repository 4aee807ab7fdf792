"""Numbers that come as text: odd ones are no numbers, and a count that a form showed is compared with what it is now."""

import pytest

from newsletter.lib.small_numbers import people_count
from newsletter.web.typed_number import shown_moved, typed_number


@pytest.mark.parametrize("text", [None, "", "-1", " 1", "1.0", "²", "٣", str(2**63), "9" * 5000])
def test_what_is_no_number(text) -> None:
    assert typed_number(text) is None
    assert shown_moved(text or "", 3)


def test_a_number_that_a_form_showed_has_moved() -> None:
    assert typed_number("007") == 7
    assert not shown_moved("3200", people_count(3_209, threshold=10)) and not shown_moved("3200", 3_209)
    assert shown_moved("3200", people_count(3_260, threshold=10)) and shown_moved("3200", 3_260)


def test_few_people_are_carried_as_nobody_and_may_become_ten() -> None:
    few = people_count(3, threshold=10)
    assert few.carried == 0 and not shown_moved("0", few) and not shown_moved("0", people_count(11, threshold=10))
    assert shown_moved("0", people_count(20, threshold=10))
