"""Contrast by the book, and a palette that can be read whatever the accent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.lib import colors

pytestmark = pytest.mark.unit
ANY = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [
        ("#ffffff", "#000000", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#0000ff", "#ffffff", 8.59),
        ("#abcdef", "#abcdef", 1.0),
    ],
)
def test_contrast_as_wcag_computes_it(first, second, ratio):
    assert round(colors.contrast(first, second), 2) == ratio
    assert colors.contrast(first, second) == colors.contrast(second, first)


@given(ANY)
def test_every_accent_is_readable_or_refused_with_one_that_is(accent):
    try:
        palette = colors.palette(accent)
    except colors.LowContrast as error:
        palette = colors.palette(error.suggestion)
    for scheme, backgrounds, least in (
        (palette.light, colors.LIGHT_BACKGROUNDS, colors.TEXT_CONTRAST),
        (palette.dark, colors.DARK_BACKGROUNDS, colors.DARK_CONTRAST),
    ):
        for background in (*backgrounds, scheme.tint):
            assert colors.contrast(scheme.accent, background) >= least
            assert colors.contrast(scheme.accent_strong, background) >= least
        assert colors.contrast(scheme.on_accent, scheme.accent) >= colors.TEXT_CONTRAST
        assert colors.contrast(scheme.on_accent, scheme.accent_strong) >= colors.TEXT_CONTRAST


def test_short_colours_are_written_in_full():
    assert colors.parse("#A5f") == "#aa55ff"


@pytest.mark.parametrize("text", ["", "17594a", "#17594", "#17594g", "green", "#17594a;", "rgb(1,2,3)"])
def test_invalid_colour_is_refused(text):
    with pytest.raises(ValueError, match="not a colour"):
        colors.parse(text)
