"""Mails in a real browser: no overflow, readable in light and dark, nothing fetched, every link known.

With TEST_SHOTS=DIRECTORY the screenshots are kept there, to be looked at.
"""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

sync_api = pytest.importorskip("playwright.sync_api")

from newsletter.editions.rendering.renderer import Renderer  # noqa: E402
from newsletter.editions.rendering.size_limit import TITLE  # noqa: E402
from tests.editions import stories  # noqa: E402
from tests.editions.stories import FRAME, QUIET, TEMPLATES  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = "needs Debian's chromium"
pytestmark = pytest.mark.skipif(CHROMIUM is None and not os.environ.get("REQUIRE_SERVICES"), reason=MISSING)
SHOTS = os.environ.get("TEST_SHOTS")

PERSONAL = {
    "ask": "https://news.example/ask/MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
    "unsubscribe": "https://news.example/unsubscribe/MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
    "link": "https://news.example/confirm/MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
    "reference": "7K3F-09QA-M2",
}
LETTERS, NOTICES = ("alert", "digest", "titles"), ("confirm", "add", "manage", "resumed", "moved")
MAILS = LETTERS + NOTICES
#: Shown by their titles only.
TITLED = (stories.UYGHUR, stories.ENGLISH, stories.CHINESE)
#: Our own pages, and where the samples' articles are.
HOSTS = {
    "news.example", "digest.example", "example.net", "sub.domain.example", "quaytimes.example", "www.minutes.example",
    "www.coastalwire.example", "zh.coastalwire.example", "ug.coastalwire.example", "ru.coastalwire.example",
}  # fmt: skip

#: WCAG 2.2, relative luminance: every text, hidden or not, against the nearest painted background behind it.
CONTRASTS = """() => {
  const rgb = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => rgb(colour).slice(0, 3).map(part => part / 255)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (rgb(colour)[3] !== 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || element.closest('style')) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), text.slice(0, 40), element.tagName]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator["sync_api.Browser"]:
    assert CHROMIUM, MISSING
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def mails() -> dict[str, str]:
    renderer = Renderer(TEMPLATES, FRAME)
    blocks = stories.blocks(renderer, QUIET)
    titles = [renderer.render_block([item], [stories.UYGHUR_TOPIC], {}, QUIET, TITLE) for item in TITLED]
    made = {
        "alert": renderer.render_letter(stories.ALERT, QUIET, blocks).html,
        "digest": renderer.render_letter(stories.DAILY, QUIET, blocks[:1]).html,
        "titles": renderer.render_letter(stories.DAILY, QUIET, titles, left=2).html,
    } | {kind: renderer.render_notice(kind, QUIET).html for kind in NOTICES}
    for name, value in PERSONAL.items():
        made = {kind: html.replace(f"@@nl-{name}@@", value) for kind, html in made.items()}
    return made


@pytest.fixture
def show(chromium, mails):
    """Opens a mail; the test fails if it fetches anything."""
    fetched: list[str] = []
    contexts = []

    def open_mail(name: str, width: int, scheme: str = "light"):
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: fetched.append(request.url))
        page.set_content(mails[name])
        return page

    yield open_mail
    for context in contexts:
        context.close()
    assert not fetched


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800])
@pytest.mark.parametrize("name", MAILS)
def test_every_text_can_be_read(show, name: str, width: int, scheme: str) -> None:
    page = show(name, width, scheme)
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 8
    assert [one for one in contrasts if one[0] < 4.5] == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == (scheme == "dark")
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"mail-{name}-{width}-{scheme}.png", full_page=True)


@pytest.mark.parametrize("width", [320, 360, 600, 800])
@pytest.mark.parametrize("name", MAILS)
def test_nothing_sticks_out(show, name: str, width: int) -> None:
    page = show(name, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.evaluate(
        "width => [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > width + 0.5)"
        ".map(e => e.tagName + ': ' + e.textContent.slice(0, 40))",
        width,
    )
    assert wide == []
    sheet = page.evaluate("document.querySelector('.sheet').getBoundingClientRect().width")
    assert sheet == min(600, width - 16)


@pytest.mark.parametrize("name", MAILS)
def test_links_lead_only_where_they_may(show, name: str) -> None:
    page = show(name, 800)
    links = page.evaluate("[...document.links].map(a => a.href)")
    assert links
    assert {urlsplit(link).hostname for link in links if not link.startswith("mailto:")} <= HOSTS
    assert {link for link in links if link.startswith("mailto:")} == {f"mailto:{FRAME.contact}"}
    own = {link for link in links if urlsplit(link).hostname == "news.example"}
    letter = {PERSONAL["ask"], PERSONAL["unsubscribe"], stories.OBJECTION}
    wanted = letter if name in LETTERS else {PERSONAL["link"]}
    assert own == wanted


def test_what_is_read_from_right_to_left_is_shown_so(show) -> None:
    page = show("alert", 360)
    title = page.locator("h2[lang=ug]")
    brief = page.locator(".words[lang=ug] p").first
    assert [one.evaluate("e => getComputedStyle(e).direction") for one in (title, brief)] == ["rtl", "rtl"]
    assert brief.evaluate("e => getComputedStyle(e).textAlign") in ("right", "start")
    assert page.locator(".about").nth(2).evaluate("e => getComputedStyle(e).direction") == "ltr"


def test_the_reason_below_a_title_from_right_to_left_is_read_from_left_to_right(show) -> None:
    page = show("titles", 360)
    title, reason = page.locator(".titled [lang=ug]"), page.locator(".titled:has([lang=ug]) .because")
    assert [one.evaluate("e => getComputedStyle(e).direction") for one in (title, reason)] == ["rtl", "ltr"]
    left = page.locator(".titled").first.bounding_box()["x"]
    assert reason.bounding_box()["x"] == left


def test_headings_have_an_order_that_ears_can_follow(show) -> None:
    levels = show("alert", 800).evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_layout_tables_are_not_read_as_tables(show) -> None:
    page = show("alert", 800)
    assert (
        page.evaluate("[...document.querySelectorAll('table:not(.words table):not([role=presentation])')].length") == 0
    )
    assert page.locator(".words table").count() == 1


def test_the_preview_is_hidden_from_the_eye(show) -> None:
    assert show("alert", 360).locator(".preview").evaluate("e => getComputedStyle(e).display") == "none"
