"""Pages carry the organisation's face, and its colours can be read."""

import re
from dataclasses import replace

import pytest

from newsletter import wiring
from newsletter.config import brand
from newsletter.lib import colors

pytestmark = pytest.mark.django_db
LOGO = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9z"/></svg>'


@pytest.fixture
def with_brand(monkeypatch):
    def use(**values):
        config = wiring.config()
        changed = replace(config, brand=replace(config.brand, **values))
        monkeypatch.setattr(wiring, "config", lambda: changed)

    return use


def test_the_accent_of_the_settings_is_in_the_stylesheet(client, with_brand):
    palette = colors.palette("#6b21a8")
    with_brand(palette=palette)
    sheet = client.get("/brand/colors.css")
    assert sheet.headers["Content-Type"] == "text/css; charset=utf-8"
    assert sheet.headers["Cache-Control"] == "public, max-age=86400"
    light, dark = re.findall(r":root \{ ([^}]*) \}", sheet.content.decode())
    assert "--accent: #6b21a8;" in light and f"--accent: {palette.dark.accent};" in dark


def test_without_a_logo_the_icon_is_the_letter(client, with_brand):
    with_brand(letter="<")
    icon = client.get("/brand/icon.svg")
    assert icon.headers["Content-Type"] == "image/svg+xml" and ">&lt;</text>" in icon.content.decode()
    assert client.get("/brand/logo.svg").status_code == 404


def test_a_logo_is_shown_and_runs_nothing(client, with_brand):
    with_brand(logo=LOGO)
    for path in ("/brand/logo.svg", "/brand/icon.svg"):
        picture = client.get(path)
        assert picture.content == LOGO
        policy = picture.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'") and "sandbox" in policy and "script" not in policy


def test_the_page_links_a_new_address_when_the_brand_changes(client):
    page = client.get("/").content.decode()
    made = brand.read("Newsletter", "#17594a", "")
    assert '<span class="mark" aria-hidden="true">N</span>' in page
    hashes = set(re.findall(r"/brand/(?:colors\.css|icon\.svg)\?([0-9a-f]{8})", page))
    assert len(hashes) == 1
    from newsletter.web.brand import version

    assert version(made) != version(replace(made, letter="X"))


def schemes(settings):
    """The colours of the stylesheet, light and dark, with those of the accent."""
    css = (settings.STATIC_ROOT / "style.css").read_text()
    blocks = [dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in re.findall(r":root \{([^}]*)\}", css)]
    light, dark = (block for block in blocks if "paper" in block)
    palette = wiring.config().brand.palette
    for colour, scheme in ((light, palette.light), (light | dark, palette.dark)):
        accent = {"accent": scheme.accent, "accent-strong": scheme.accent_strong}
        yield colour | accent | {"on-accent": scheme.on_accent, "tint": scheme.tint}


def test_colours_can_be_read(settings):
    for colour in schemes(settings):
        for paper in ("paper", "card", "tint"):
            for ink in ("ink", "soft", "accent", "accent-strong", "bad", "warn"):
                assert colors.contrast(colour[ink], colour[paper]) >= 4.5, (ink, paper)
        for ink, paper in (
            ("on-accent", "accent"),
            ("on-accent", "accent-strong"),
            ("bad", "bad-tint"),
            ("ink", "bad-tint"),
            ("warn", "warn-tint"),
            ("ink", "warn-tint"),
        ):
            assert colors.contrast(colour[ink], colour[paper]) >= 4.5, (ink, paper)
        for paper in ("card", "paper"):
            assert colors.contrast(colour["edge"], colour[paper]) >= 3


def test_the_accent_is_checked_on_the_backgrounds_that_pages_have(settings):
    light, dark = schemes(settings)
    assert {light["paper"], light["card"]} == set(colors.LIGHT_BACKGROUNDS)
    assert {dark["paper"], dark["card"]} == set(colors.DARK_BACKGROUNDS)


def test_the_accent_is_checked_on_the_backgrounds_that_mails_have(settings):
    style = (settings.TEMPLATES_DIR / "email" / "style.css").read_text()
    screen = (settings.TEMPLATES_DIR / "email" / "screen.css").read_text()
    for css, backgrounds in ((style, colors.LIGHT_BACKGROUNDS), (screen, colors.DARK_BACKGROUNDS)):
        for name in ("paper", "card"):
            found = re.search(rf"\.{name}\b[^{{]*\{{[^}}]*background-color: (#\w{{6}})", css)
            assert found and found[1] in backgrounds


@pytest.mark.parametrize("accent", ["#000000", "#17594a", "#8a1c1c", "#0000ff", "#5b2a86"])
def test_soft_text_can_be_read_on_the_tint_of_any_accent(settings, accent):
    palette = colors.palette(accent)
    for scheme, colour in zip((palette.light, palette.dark), schemes(settings), strict=True):
        assert colors.contrast(colour["soft"], scheme.tint) >= 4.5


def test_mails_have_the_colours_of_the_pages(settings):
    """What follows from the accent is filled in; matched words are marked in a yellow of their own."""
    marker = {"#fdf0b8", "#54481a", "#fff3c4"}
    for name, colours in zip(("style.css", "screen.css"), schemes(settings), strict=True):
        css = (settings.TEMPLATES_DIR / "email" / name).read_text()
        assert set(re.findall(r"#[0-9a-f]{6}", css)) - marker <= set(colours.values())
