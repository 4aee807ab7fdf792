"""Render mails from templates: each block once, then joined. What is personal stays a placeholder, filled in when it is sent."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from css_inline import CSSInliner
from markupsafe import Markup, escape

from newsletter.editions.rendering import highlight, size_limit, text_format
from newsletter.editions.rendering.notice_texts import notice_text
from newsletter.editions.rendering.presenters import present_item, present_reasons, present_sources, without_duplicates
from newsletter.editions.rendering.template_environment import environment
from newsletter.editions.rendering.values import (
    Dateline,
    Frame,
    ItemContent,
    MailOptions,
    Reason,
    RenderedBlock,
    RenderedMail,
    Span,
)
from newsletter.lib.mail import placeholders
from newsletter.lib.shorten import shorten

_PREVIEW, _BLOCKS = "<!-- preview -->", "<!-- blocks -->"
#: Mail programs preview the beginning. For discreet looks this fills the preview, so that no headline appears in it.
_FILLER = "\u034f\u2007" * 110
_LONGEST_PREVIEW = 160
#: With this many articles a mail opens with a list of their titles. With more, the list would be as long as the mail.
_CONTENTS = range(3, 26)
#: Bytes around a title in that list.
_LISTED = 200
#: Reasons under a title without text, and words of each.
_TITLE_REASONS, _TITLE_WORDS = 3, 3


class Renderer:
    """Renders mails. Reads templates and styles once, when it is created."""

    def __init__(self, templates_dir: Path, frame: Frame) -> None:
        self._frame = frame
        self._templates = environment(templates_dir, frame)
        colors = {"light": frame.palette.light, "dark": frame.palette.dark}
        self._style = self._templates.get_template("style.css").render(colors)
        self._screen = self._templates.get_template("screen.css").render(colors)
        self._inliner = CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)
        self._page_inliner = CSSInliner(load_remote_stylesheets=False, keep_style_tags=True, extra_css=self._style)
        # these are rendered for every mail, so their styles are inlined into the template, once
        opening = (templates_dir / "opening.html.j2").read_text(encoding="utf-8")
        self._opening = self._templates.from_string(self._inliner.inline_fragment(opening, self._style))
        left = (templates_dir / "left_over.html.j2").read_text(encoding="utf-8")
        self._left = self._templates.from_string(self._inliner.inline_fragment(left, self._style))
        self._page = lru_cache(maxsize=16)(self._new_page)
        self._frame_size = lru_cache(maxsize=256)(self._new_frame_size)
        self._foot = lru_cache(maxsize=16)(partial(self._text, "letter.txt.j2"))
        #: Changes with the templates, the styles and the frame. Part of an edition's key.
        self.revision = _revision(templates_dir, frame)

    def render_block(
        self,
        items: Sequence[ItemContent],
        reasons: Sequence[Reason],
        spans: Mapping[int, Sequence[Span]],
        look: MailOptions,
        length: size_limit.Length = size_limit.WHOLE,
    ) -> RenderedBlock:
        """Render one item, or one story that several items tell: each different text once, and all sources.

        `spans` has the matched words by item id; those that cannot be found in the HTML are not marked. `length` is the number
        of characters shown of each text; see `size_limit`.

        Raises:
            ValueError: there is no item.
        """
        if not items:
            raise ValueError("a block needs at least one item")
        if length == size_limit.TITLE:
            return self._render_title_block(items[0], reasons, look)
        story = [
            present_item(item, spans.get(item.item_id, ()), look.locale, length) for item in without_duplicates(items)
        ]
        sources, shown_reasons = present_sources(items, look.locale), present_reasons(reasons)
        html = ""
        if look.format != "text":
            html = self._html("block.html.j2", look.locale, story=story, sources=sources, reasons=shown_reasons)
        text = self._text("block.txt.j2", look.locale, story=story, sources=sources, reasons=shown_reasons)
        return RenderedBlock(html=html, text=text, title=story[0].title)

    def _render_title_block(self, item: ItemContent, reasons: Sequence[Reason], look: MailOptions) -> RenderedBlock:
        """Title, link and reasons in a few lines, for a mail with too many articles to show more of each."""
        shown = present_item(item, (), look.locale)
        shown_reasons = present_reasons(reasons[:_TITLE_REASONS], _TITLE_WORDS)
        values = {"item": shown, "reasons": shown_reasons, "more": max(0, len(reasons) - _TITLE_REASONS)}
        html = "" if look.format == "text" else self._html("title.html.j2", look.locale, **values)
        return RenderedBlock(html=html, text=self._text("title.txt.j2", look.locale, **values), title=shown.title)

    def render_letter(
        self, dateline: Dateline, look: MailOptions, blocks: Sequence[RenderedBlock], *, left: int = 0
    ) -> RenderedMail:
        """Join the blocks of an alert or digest, with head and foot.

        `left` is the number of articles that did not fit, and come with a later mail.

        Raises:
            KeyError: there is no such cadence.
        """
        language = look.locale
        titles = [block.title for block in blocks]
        discreet = look.discreet or not titles
        neutral = text_format.neutral_subject(dateline, language)
        subject = neutral if discreet else text_format.headline_subject(titles, language)
        count = text_format.articles(len(blocks), language)
        rest = text_format.left_over(left, dateline.cadence, language) if left else ""
        opening = {
            "heading": text_format.heading(dateline.cadence, language),
            "date": text_format.dated(dateline, language),
            "greeting": text_format.articles_from(len(blocks), placeholders.defuse(self._frame.organisation), language),
            "count": count,
            "contents": [text_format.isolated(title) for title in titles] if len(titles) in _CONTENTS else [],
            "discreet": look.discreet,
        }
        text = "".join(
            [
                self._text("opening.txt.j2", language, **opening),
                *(block.text for block in blocks),
                f"\n* * *\n\n{rest}\n" if rest else "",
                self._foot(language),
            ]
        )
        if look.format == "text":
            return RenderedMail(subject, text, "")
        head, middle, foot = self._page(opening["heading"], language)
        preview = (
            f"{opening['greeting']}{_FILLER}"
            if look.discreet
            else shorten(" · ".join([count, *titles]), _LONGEST_PREVIEW)
        )
        first = self._opening.render(opening, language=language)
        more = self._left.render(words=rest, language=language) if rest else ""
        html = "".join([head, str(escape(preview)), middle, first, *(block.html for block in blocks), more, foot])
        return RenderedMail(subject, text, html)

    def available_bytes(self, dateline: Dateline, look: MailOptions, count: int, title: Callable[[int], str]) -> int:
        """Bytes that `count` blocks may have, so that the whole mail stays below `size_limit.LIMIT`.

        `title` returns the title of each, for mails that open with a list of them.
        """
        frame = self._frame_size(text_format.heading(dateline.cadence, look.locale), look.locale, look.format)
        listed = range(count) if count in _CONTENTS else ()
        contents = sum(_LISTED + len(escape(title(index)).encode()) for index in listed)
        return size_limit.LIMIT - size_limit.RESERVED - frame - contents

    def _new_frame_size(self, heading: str, language: str, format_: str) -> int:
        """Bytes of a mail without blocks."""
        if format_ == "text":
            return len(self._foot(language).encode())
        opening = self._opening.render(heading=heading, date="", count="", contents=[], language=language)
        return len("".join([*self._page(heading, language), opening]).encode())

    def render_notice(self, kind: str, look: MailOptions, moved: Sequence[tuple[str, str]] = ()) -> RenderedMail:
        """Render a mail about the subscription itself. It contains nothing that somebody typed.

        Only the kind `moved` names topics: those that were merged, each with the one that it is part of now.

        Raises:
            KeyError: there is no such notice.
        """
        notice = notice_text(kind, self._frame.organisation, look.locale, moved)
        html = ""
        if look.format != "text":
            page = self._templates.get_template("notice.html.j2")
            html = self._page_inliner.inline(page.render(notice=notice, screen=self._screen, language=look.locale))
        return RenderedMail(notice.subject, self._text("notice.txt.j2", look.locale, notice=notice), html)

    def neutral_message_subject(self, day: date, language: str) -> str:
        """The subject of a message for people whose subjects say nothing of the content."""
        return text_format.message_subject(placeholders.defuse(self._frame.organisation), day, language)

    def render_message(self, subject: str, html: str, text: str, day: date, look: MailOptions) -> RenderedMail:
        """Render what an admin wrote, with head and foot of every mail; `html` need not be clean.

        In discreet mails subject and preview say nothing of it: `subject` is their heading only.
        """
        language = look.locale
        heading = placeholders.defuse(text_format.one_line(subject))
        organisation = placeholders.defuse(self._frame.organisation)
        neutral = self.neutral_message_subject(day, language)
        values = {"heading": heading, "date": text_format.long_date(day, language)}
        plain = placeholders.defuse(text.strip())
        whole = self._text("message.txt.j2", language, **values, body=plain) + self._foot(language)
        line = neutral if look.discreet else shorten(heading, text_format.LONGEST_SUBJECT)
        if look.format == "text":
            return RenderedMail(line, whole, "")
        direction = text_format.direction(text)
        script = "rtl" if direction == "rtl" else "han" if text_format.is_han(text) else ""
        body = Markup(placeholders.defuse(highlight.fit_for_mail(html)))  # noqa: S704 - cleaned by nh3 in fit_for_mail
        block = self._html("message.html.j2", language, **values, body=body, dir=direction, script=script)
        head, middle, foot = self._page(organisation, language)
        preview = f"{neutral}{_FILLER}" if look.discreet else shorten(text_format.one_line(plain), _LONGEST_PREVIEW)
        return RenderedMail(line, whole, "".join([head, str(escape(preview)), middle, block, foot]))

    def _new_page(self, heading: str, language: str) -> tuple[str, str, str]:
        """The HTML before the preview, between it and the blocks, and after them."""
        page = self._templates.get_template("letter.html.j2")
        whole = self._page_inliner.inline(page.render(heading=heading, screen=self._screen, language=language))
        head, _, rest = whole.partition(_PREVIEW)
        middle, _, foot = rest.partition(_BLOCKS)
        return head, middle, foot

    def _html(self, name: str, language: str, **values: Any) -> str:
        fragment = self._templates.get_template(name).render(values, language=language)
        return self._inliner.inline_fragment(fragment, self._style)

    def _text(self, name: str, language: str, **values: Any) -> str:
        return self._templates.get_template(name).render(values, language=language)


def _revision(templates_dir: Path, frame: Frame) -> str:
    digest = hashlib.sha256(repr(astuple(frame)).encode())
    for path in sorted(templates_dir.iterdir()):
        if path.suffix in (".j2", ".css"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
