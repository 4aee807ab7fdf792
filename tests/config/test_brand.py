"""The organisation's face is checked when the service starts."""

import pytest

from newsletter.config import brand

pytestmark = pytest.mark.unit
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">{}</svg>'


def read_logo(tmp_path, text):
    path = tmp_path / "logo.svg"
    path.write_text(text, encoding="utf-8")
    return brand.read("Digest", "#17594a", str(path)).logo


@pytest.mark.parametrize(
    ("organisation", "letter"),
    [("digest", "D"), ("«Ülgü»", "Ü"), ("维吾尔", "维"), ("7 days", "7"), ("—", "•"), ("ßa", "S")],
)
def test_the_letter_mark(organisation, letter):
    assert brand.read(organisation, "#17594a", "").letter == letter


def test_a_pale_accent_is_refused_with_one_that_can_be_read():
    with pytest.raises(ValueError) as caught:
        brand.read("Digest", "#ffcc00", "")
    name, message = caught.value.args
    assert name == "ACCENT" and "'#ffcc00' is too pale" in message and "such as #" in message
    suggestion = message.rpartition(" ")[2]
    assert brand.read("Digest", suggestion, "").palette.light.accent == suggestion


def test_what_is_no_colour_says_how_to_write_one():
    with pytest.raises(ValueError) as caught:
        brand.read("Digest", "green", "")
    assert caught.value.args == ("ACCENT", "'green' is not a colour: write it as #17594a")


def test_a_logo_of_shapes_is_served_as_it_is(tmp_path):
    picture = SVG.format(
        '<style>path{fill:url(#g)}</style><linearGradient id="g"/><path d="M0 0h9v9z"/><use xlink:href="#g"/>'
    )
    assert read_logo(tmp_path, picture) == picture.encode()


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ("<script>alert(1)</script>", "remove <script>"),
        ("<g><SCRIPT/></g>", "remove <SCRIPT>"),
        ("<foreignObject/>", "remove <foreignObject>"),
        ('<image href="https://example.org/pixel.png"/>', "remove <image>"),
        ('<g onload="alert(1)"/>', "remove the attribute onload"),
        ('<a href="https://example.org/"><path/></a>', "attribute href that points elsewhere"),
        ('<use xlink:href="data:image/svg+xml,x"/>', "attribute href that points elsewhere"),
        ("<path style=\"fill: url( 'https://example.org/x')\"/>", "attribute style that points elsewhere"),
        ("<style>@import 'https://example.org/x.css';</style>", "remove what its style loads"),
        ("<style>" + " " * 8_188 + "@import 'https://example.org/x.css';</style>", "remove what its style loads"),
        ("<style><g>@import 'https://example.org/x.css';</g></style>", "remove what its style loads"),
        (r"<style>@\69 mport 'https://example.org/x.css';</style>", "remove what its style loads"),
        (r'<path fill="u\72l(https://example.org/x)"/>', "attribute fill that points elsewhere"),
        ("<path style=\"mask: image-set('https://example.org/x' 1x)\"/>", "attribute style that points elsewhere"),
        ('<a><set attributeName="href" to="java&#9;script:alert(1)"/></a>', "remove <set>"),
        ('<path><animate attributeName="onclick" values="alert(1)"/></path>', "remove <animate>"),
        ('<h:meta xmlns:h="http://www.w3.org/1999/xhtml" http-equiv="refresh" content="0"/>', "remove <meta>"),
        ('<g xml:base="https://example.org/"><use href="#a"/></g>', "attribute base that points elsewhere"),
    ],
)
def test_a_logo_that_runs_or_loads_something_is_refused(tmp_path, inside, message):
    with pytest.raises(ValueError) as caught:
        read_logo(tmp_path, SVG.format(inside))
    assert caught.value.args[0] == "LOGO" and message in caught.value.args[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html/>", "begins with <html>"),
        ("not a picture", "not an SVG picture: line 1"),
        ("", "not an SVG picture"),
        ("<svg/>", "and not with <svg xmlns="),
        (SVG.format("<g>"), "line 1"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', "DOCTYPE"),
        (f"<svg>{' ' * brand.LARGEST_LOGO}</svg>", "100,011 bytes"),
        ('<?xml version="1.0" encoding="nonsense"?>' + SVG.format(""), "the file is in nonsense: save it in UTF-8"),
        ('<?xml version="1.0" encoding="utf-7"?>' + SVG.format(""), "the file is in utf-7"),
        ('<?xml-stylesheet href="https://example.org/x.css"?>' + SVG.format(""), "remove the <?xml-stylesheet"),
    ],
)
def test_what_is_no_logo_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError) as caught:
        read_logo(tmp_path, text)
    assert caught.value.args[0] == "LOGO" and message in caught.value.args[1]


def test_a_logo_that_is_not_there(tmp_path):
    with pytest.raises(ValueError) as caught:
        brand.read("Digest", "#17594a", str(tmp_path / "none.svg"))
    assert "no such file" in caught.value.args[1]
