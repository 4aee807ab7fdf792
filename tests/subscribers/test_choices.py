"""Choices: the round trip through a notice, and what they refuse."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.models import Cadence
from newsletter.subscribers.choices import Choices, from_json, to_json

ANY = st.builds(
    Choices,
    topic_ids=st.lists(st.integers(1, 2**31 - 1)).map(tuple),
    words=st.lists(st.text(max_size=50)).map(tuple),
    cadence=st.sampled_from(Cadence),
    zone=st.sampled_from(["UTC", "Asia/Urumqi"]),
    hour=st.integers(0, 23),
    weekday=st.integers(0, 6),
    discreet=st.booleans(),
    format=st.sampled_from(["both", "text"]),
)


@given(ANY)
def test_what_is_written_is_read(choices):
    again = from_json(to_json(choices))
    assert again == choices
    assert type(again.cadence) is Cadence and all(type(getattr(again, one.name)) is not list for one in fields(again))


@pytest.mark.parametrize("wrong", [{"hour": 24}, {"hour": -1}, {"weekday": 7}, {"weekday": -1}, {"format": "pdf"}])
def test_what_no_form_offers_is_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        Choices(**wrong)


def test_what_is_followed_is_not_in_the_repr():
    shown = repr(Choices(topic_ids=(4711,), words=("Zzyzx",)))
    assert "4711" not in shown and "Zzyzx" not in shown
