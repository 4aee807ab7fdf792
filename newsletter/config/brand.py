"""The organisation's face on pages and in mails: its letter mark or logo, and its accent colour."""

import re
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from newsletter.lib import colors

#: Bytes of a logo: it is sent with every first visit.
LARGEST_LOGO = 100_000
_FORBIDDEN = {"script", "foreignobject", "iframe", "embed", "object", "audio", "video", "image", "feimage"}
_ELSEWHERE = re.compile(r"url\(\s*[\"']?(?!#)|@import|javascript:", re.IGNORECASE)


@dataclass(frozen=True)
class Brand:
    """What a page or mail shows beside the organisation's name."""

    #: One letter, for whoever has no logo.
    letter: str
    palette: colors.Palette
    #: An SVG file as it is served; None: the letter mark stands in its place.
    logo: bytes | None = None


def read(organisation: str, accent: str, logo: str) -> Brand:
    """Check the settings ORGANISATION, ACCENT and LOGO (a path, or empty).

    Raises:
        ValueError: (name of the setting, what is wrong and what to do).
    """
    return Brand(_letter(organisation), _palette(accent), read_logo(Path(logo)) if logo else None)


def read_logo(path: Path) -> bytes:
    """Read an SVG file that needs nothing from elsewhere and runs nothing.

    Raises:
        ValueError: ("LOGO", what is wrong and what to do).
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ValueError("LOGO", f"cannot read {str(path)!r} ({reason})") from error
    if len(content) > LARGEST_LOGO:
        raise ValueError("LOGO", f"the file has {len(content):,} bytes; at most {LARGEST_LOGO:,} are allowed")
    try:
        _check_svg(content)
    except expat.ExpatError as error:
        raise ValueError(
            "LOGO", f"the file is not an SVG picture: line {error.lineno}, column {error.offset}"
        ) from error
    return content


def _check_svg(content: bytes) -> None:
    elements: list[str] = []
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        element = name.rpartition(":")[2].lower()
        if not elements and element != "svg":
            raise ValueError("LOGO", f"the file is not an SVG picture: it begins with <{name}>")
        elements.append(element)
        if element in _FORBIDDEN:
            raise ValueError("LOGO", f"remove <{name}>: a logo may hold shapes and text only")
        for attribute, value in attributes.items():
            _check_attribute(attribute.rpartition(":")[2].lower(), value)

    def text(data: str) -> None:
        if elements and elements[-1] == "style" and _ELSEWHERE.search(data):
            raise ValueError("LOGO", "remove what its style loads from elsewhere")

    def doctype(*_: object) -> None:
        raise ValueError("LOGO", "remove the <!DOCTYPE …> line")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: elements.pop() if len(elements) > 1 else None
    parser.CharacterDataHandler = text
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = doctype
    parser.Parse(content, True)


def _check_attribute(name: str, value: str) -> None:
    if name.startswith("on"):
        raise ValueError("LOGO", f"remove the attribute {name}: a logo runs no script")
    if (name == "href" and not value.startswith("#")) or _ELSEWHERE.search(value):
        raise ValueError("LOGO", f"remove the attribute {name} that points elsewhere")


def _palette(accent: str) -> colors.Palette:
    try:
        return colors.palette(colors.parse(accent))
    except colors.LowContrast as error:
        raise ValueError(
            "ACCENT",
            f"{accent!r} is too pale to read on white (contrast {error.ratio:.1f}, {colors.TEXT_CONTRAST} is needed): "
            f"choose a darker colour, such as {error.suggestion}",
        ) from error
    except ValueError as error:
        raise ValueError("ACCENT", f"{accent!r} is not a colour: write it as #17594a") from error


def _letter(organisation: str) -> str:
    """The first letter or digit of the name, as a capital."""
    first = next((letter for letter in organisation if letter.isalnum()), "•")
    return first.upper()[:1]
