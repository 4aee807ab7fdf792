"""Shortened text: at a word where there is one near, and never longer than asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.lib.shorten import ELLIPSIS, shorten


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("one two three", 13, "one two three"),
        ("one two three", 9, "one two…"),
        ("hello, world", 8, "hello…"),
        ("onetwothree", 5, "onet…"),
        ("a bcdefghijklm", 10, "a bcdefgh…"),
    ],
)
def test_text_is_cut_at_a_near_word(text, length, expected):
    assert shorten(text, length) == expected


@given(st.text(), st.integers(1, 50))
def test_shortened_text_is_a_prefix_within_the_length(text, length):
    shortened = shorten(text, length)
    assert len(shortened) <= max(length, 1)
    assert shortened == text or text.startswith(shortened.removesuffix(ELLIPSIS))
