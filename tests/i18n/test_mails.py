"""Mails are worded in the language of the reader's look: a made-up language shows every text that would stay English."""

import re
from gettext import NullTranslations
from html import unescape

import pytest

from newsletter.editions.rendering import notice_texts, template_environment, text_format
from newsletter.editions.rendering.renderer import Renderer
from newsletter.editions.rendering.size_limit import TITLE
from newsletter.editions.rendering.values import Dateline, MailOptions, Reason, RenderedMail
from newsletter.lib.mail.placeholders import resolve_second_copy
from tests.editions.stories import ALERT, DAILY, FRAME, TEMPLATES, WEEKLY, item_content

pytestmark = pytest.mark.unit

REASONS = [
    Reason("Ttt", False, tuple("abcdefghijk"), {"a": "Sss"}, "https://news.example/objection/x"),
    Reason("Kkk", True, ("k",)),
]
#: Names and what items say: these are never translated.
DATA = {
    "Ttt",
    "Sss",
    "Kkk",
    "Xxx",
    "Coastal",
    "Wire",
    "November",
    *re.findall(r"\w+", f"{FRAME.organisation} {FRAME.postal_address}"),
}


class Bracketed(NullTranslations):
    """Translates each message into itself, in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


@pytest.fixture
def renderer(monkeypatch) -> Renderer:
    def translations(language: str) -> NullTranslations:
        return Bracketed() if language == "xx" else NullTranslations()

    monkeypatch.setattr(text_format, "translations", translations)
    for module in (template_environment, notice_texts):
        monkeypatch.setattr(module.i18n, "translations", translations)
    return Renderer(TEMPLATES, FRAME)


def untranslated(text: str) -> set[str]:
    """The words of a text or an HTML page outside brackets."""
    text = re.sub(r"<!--.*?-->|<style.*?</style>|<[^>]*>", " ", resolve_second_copy(text, second=True), flags=re.S)
    while re.search("⟦[^⟦⟧]*⟧", text):
        text = re.sub("⟦[^⟦⟧]*⟧", " ", text)
    text = re.sub(r"@@\S+@@|https?://\S+|\S+@\S+|\S+\.example", " ", text)
    return set(re.findall(r"[^\W\d_]{2,}", unescape(text))) - DATA


def letter(renderer: Renderer, dateline: Dateline, look: MailOptions) -> RenderedMail:
    item = item_content(title="Xxx", html="<p>Xxx</p>")
    blocks = [renderer.render_block([item], REASONS, {}, look, length) for length in (-1, TITLE, TITLE)]
    return renderer.render_letter(dateline, look, blocks, left=2)


@pytest.mark.parametrize("discreet", [True, False])
@pytest.mark.parametrize("dateline", [ALERT, DAILY, WEEKLY], ids=lambda dateline: dateline.cadence)
def test_every_text_of_a_letter_is_translated(renderer, dateline, discreet):
    mail = letter(renderer, dateline, MailOptions("xx", "both", discreet))
    for part in (mail.subject, mail.text, mail.html):
        assert "⟦" in part
        assert untranslated(part) == set()
    assert '<html lang="xx"' in mail.html


@pytest.mark.parametrize("kind", ["confirm", "add", "manage", "resumed", "moved"])
def test_every_text_of_a_notice_is_translated(renderer, kind):
    mail = renderer.render_notice(kind, MailOptions("xx", "both", True))
    for part in (mail.subject, mail.text, mail.html):
        assert "⟦" in part
        assert untranslated(part) == set()


def test_languages_do_not_mix(renderer):
    letter(renderer, DAILY, MailOptions("xx", "both", True))
    english = letter(renderer, DAILY, MailOptions("en", "both", True))
    assert "⟦" not in english.subject + english.text + english.html
