"""Choices: the round trip through a notice, and what they refuse."""

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.models import Cadence
from newsletter.subscribers.choices import Choices, MailTime, from_json, to_json

ANY = st.builds(
    Choices,
    topic_ids=st.lists(st.integers(1, 2**31 - 1)).map(tuple),
    keywords=st.lists(st.text(max_size=50)).map(tuple),
    cadence=st.sampled_from(Cadence),
    mail_time=st.builds(
        MailTime, zone=st.sampled_from(["UTC", "Asia/Urumqi"]), hour=st.integers(0, 23), weekday=st.integers(0, 6)
    ),
    discreet=st.booleans(),
    format=st.sampled_from(["both", "text"]),
)


@given(ANY)
def test_json_round_trip(choices):
    again = from_json(to_json(choices))
    assert again == choices
    assert type(again.cadence) is Cadence and all(
        type(getattr(again, field.name)) is not list for field in fields(again)
    )


def test_stored_json_is_flat():
    """Notices and requests that an older version stored are still read."""
    text = to_json(Choices((1,), ("Zzyzx",), Cadence.WEEKLY, MailTime("Asia/Urumqi", 19, 4)))
    assert json.loads(text) == {
        "topic_ids": [1], "words": ["Zzyzx"], "cadence": 3, "zone": "Asia/Urumqi", "hour": 19, "weekday": 4,
        "discreet": True, "locale": "en", "format": "both",
    }  # fmt: skip


@pytest.mark.parametrize("wrong", [{"hour": 24}, {"hour": -1}, {"weekday": 7}, {"weekday": -1}])
def test_mail_time_out_of_range_raises(wrong):
    with pytest.raises(ValueError, match="must be"):
        MailTime(**wrong)


def test_unknown_format_raises():
    with pytest.raises(ValueError, match="must be"):
        Choices(format="pdf")


def test_repr_hides_topics_and_keywords():
    shown = repr(Choices(topic_ids=(4711,), keywords=("Zzyzx",)))
    assert "4711" not in shown and "Zzyzx" not in shown
