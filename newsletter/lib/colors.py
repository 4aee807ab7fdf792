"""Colours as `#rrggbb`: contrast as in WCAG 2.2, and a palette for light and dark pages made from one accent colour."""

import colorsys
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: What text needs against its background (WCAG 2.2, 1.4.3 level AA), and what we aim at in the dark (level AAA).
TEXT_CONTRAST, DARK_CONTRAST = 4.5, 7.0
#: Backgrounds that the accent stands on: page and card. The style sheets of pages and of mails have the same values.
LIGHT_BACKGROUNDS = ("#faf8f4", "#ffffff")
DARK_BACKGROUNDS = ("#14171a", "#1c2024")
_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_STEPS = 200


@dataclass(frozen=True)
class Scheme:
    """The colours of one scheme that follow from the accent."""

    #: Links, and the background of buttons.
    accent: str
    #: The same under the pointer.
    accent_strong: str
    #: Text on the accent.
    on_accent: str
    #: The background of what is selected, pale enough to read the accent on it.
    tint: str


@dataclass(frozen=True)
class Palette:
    """An accent colour as it is used on light and on dark backgrounds."""

    light: Scheme
    dark: Scheme


class LowContrast(ValueError):
    """The accent cannot be read on a light background. `suggestion` is the nearest darker colour that can."""

    def __init__(self, ratio: float, suggestion: str) -> None:
        super().__init__(f"contrast {ratio:.1f} of {TEXT_CONTRAST}; {suggestion} would do")
        self.ratio = ratio
        self.suggestion = suggestion


def parse(text: str) -> str:
    """Return `#rgb` or `#rrggbb` as `#rrggbb` in lower case.

    Raises:
        ValueError: it is neither.
    """
    if not _HEX.fullmatch(text):
        raise ValueError("not a colour such as #17594a")
    digits = text[1:].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def mix(first: str, second: str, share: float) -> str:
    """`share` (0 to 1) of the first colour, the rest of the second."""
    pairs = zip(_channels(first), _channels(second), strict=True)
    return _hex([share * left + (1 - share) * right for left, right in pairs])


def palette(accent: str) -> Palette:
    """Derive both schemes from one accent colour as `parse` gives it.

    Raises:
        LowContrast: it is too pale for links on white, and for white text on a button.
    """
    if not _light(accent):
        raise LowContrast(_worst(accent, LIGHT_BACKGROUNDS), _nearest(accent, _light, darker=True))
    dark = _nearest(accent, _dark, darker=False)
    return Palette(
        light=Scheme(accent, mix(accent, "#000000", 0.75), "#ffffff", _light_tint(accent)),
        dark=Scheme(dark, mix(dark, "#ffffff", 0.7), mix(dark, "#000000", 0.12), _dark_tint(dark)),
    )


def _light(accent: str) -> bool:
    return _worst(accent, (*LIGHT_BACKGROUNDS, _light_tint(accent))) >= TEXT_CONTRAST


def _dark(accent: str) -> bool:
    return _worst(accent, (*DARK_BACKGROUNDS, _dark_tint(accent))) >= DARK_CONTRAST


def _light_tint(accent: str) -> str:
    return mix(accent, "#ffffff", 0.08)


def _dark_tint(accent: str) -> str:
    return mix(accent, DARK_BACKGROUNDS[0], 0.1)


def _worst(color: str, backgrounds: Sequence[str]) -> float:
    return min(contrast(color, background) for background in backgrounds)


def _nearest(color: str, accepted: Callable[[str], bool], *, darker: bool) -> str:
    """The colour of the same hue, nearest in lightness, that is accepted; black or white are the last ones tried."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(color))
    end = 0.0 if darker else 1.0
    for step in range(_STEPS + 1):
        lighter = lightness + (end - lightness) * step / _STEPS
        tried = _hex(colorsys.hls_to_rgb(hue, lighter, saturation if darker else saturation * 0.7))
        if accepted(tried):
            return tried
    raise AssertionError("black on white and white on black have contrast enough")


def _luminance(color: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in _channels(color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def _hex(channels: Sequence[float]) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)
