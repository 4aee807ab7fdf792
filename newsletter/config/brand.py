"""The organisation's face on pages and in mails: its letter mark or logo, and its accent colour."""

import re
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from newsletter.lib import colors

#: Bytes of a logo: it is sent with every first visit.
LARGEST_LOGO = 100_000
_FORBIDDEN = {
    *("script", "handler", "foreignobject", "iframe", "embed", "object", "audio", "video", "image", "feimage"),
    *("set", "animate", "animatetransform", "animatemotion", "discard"),  # they can give an element any attribute later
}
_ELSEWHERE = re.compile(r"url\(\s*[\"']?(?!#)|\b(?:image-set|image|src)\(|@import|javascript:", re.IGNORECASE)
#: A character of CSS, written by its number or as itself.
_CSS_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))", re.DOTALL)
_SVG = "http://www.w3.org/2000/svg"
_XHTML = "http://www.w3.org/1999/xhtml"


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
    open_elements: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")

    def declaration(_version: str, encoding: str | None, _standalone: int) -> None:
        # in another encoding a browser may read other signs than we do here
        if encoding and encoding.lower() not in ("utf-8", "utf-16", "us-ascii"):
            raise ValueError("LOGO", f"the file is in {encoding}: save it in UTF-8")

    def start(name: str, attributes: dict[str, str]) -> None:
        namespace, _, element = name.rpartition(" ")
        if not open_elements and (namespace, element) != (_SVG, "svg"):
            raise ValueError(
                "LOGO", f'the file is not an SVG picture: it begins with <{element}>, and not with <svg xmlns="{_SVG}">'
            )
        open_elements.append(element.lower())
        if element.lower() in _FORBIDDEN or namespace == _XHTML:
            raise ValueError("LOGO", f"remove <{element}>: a logo may hold shapes and text only")
        for attribute, value in attributes.items():
            _check_attribute(attribute.rpartition(" ")[2].lower(), value)

    def text(data: str) -> None:
        if "style" in open_elements and _loads(data):
            raise ValueError("LOGO", "remove what its style loads from elsewhere")

    def instruction(target: str, _data: str) -> None:
        if target == "xml-stylesheet":
            raise ValueError("LOGO", "remove the <?xml-stylesheet …?> line")

    def doctype(*_: object) -> None:
        raise ValueError("LOGO", "remove the <!DOCTYPE …> line")

    parser.XmlDeclHandler = declaration
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _name: open_elements.pop() if len(open_elements) > 1 else None
    parser.CharacterDataHandler = text
    parser.buffer_text = True
    parser.buffer_size = LARGEST_LOGO  # a text comes in one piece
    parser.ProcessingInstructionHandler = instruction
    parser.StartDoctypeDeclHandler = doctype
    parser.Parse(content, True)


def _check_attribute(name: str, value: str) -> None:
    if name.startswith("on"):
        raise ValueError("LOGO", f"remove the attribute {name}: a logo runs no script")
    if (name in ("href", "base") and not value.startswith("#")) or _loads(value):
        raise ValueError("LOGO", f"remove the attribute {name} that points elsewhere")


def _loads(css: str) -> bool:
    return _ELSEWHERE.search(_CSS_ESCAPE.sub(_character, css)) is not None


def _character(escape: re.Match[str]) -> str:
    return chr(min(int(escape[1], 16), 0x10FFFF)) if escape[1] else escape[2]


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
