"""Render mails from templates: each block once, then joined. What is personal stays a placeholder, filled in when it is sent."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from functools import lru_cache
from pathlib import Path
from typing import Any

from css_inline import CSSInliner
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape

from newsletter.editions.rendering import size_limit, text_format
from newsletter.editions.rendering.notice_texts import NOTICES
from newsletter.editions.rendering.presenters import present_item, present_reasons, present_sources, without_duplicates
from newsletter.editions.rendering.values import Frame, ItemContent, Look, Reason, RenderedBlock, RenderedMail, Span
from newsletter.lib import i18n
from newsletter.lib.mail import placeholders
from newsletter.lib.shorten import shorten

_PREVIEW, _BLOCKS = "<!-- preview -->", "<!-- blocks -->"
#: Mail programs preview the beginning. For discreet looks this fills the preview, so that no headline appears in it.
_NEUTRAL = (
    "This mail opens with a few plain words, so that a preview on a locked screen shows nothing of what you read."
)
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
        self._style = (templates_dir / "style.css").read_text(encoding="utf-8")
        self._screen = (templates_dir / "screen.css").read_text(encoding="utf-8")
        self._inliner = CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)
        self._page_inliner = CSSInliner(load_remote_stylesheets=False, keep_style_tags=True, extra_css=self._style)
        self._templates = Environment(
            loader=FileSystemLoader(templates_dir),
            autoescape=lambda name: not (name or "").endswith(".txt.j2"),  # noqa: S701 - only plain text is not escaped
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            keep_trailing_newline=True,
            extensions=["jinja2.ext.i18n"],
        )
        self._templates.policies["ext.i18n.trimmed"] = True
        self._templates.install_gettext_translations(  # type: ignore[attr-defined]
            i18n.translations("en"), newstyle=True
        )
        self._templates.globals.update(
            frame=frame,
            placeholder=placeholders.placeholder,
            second_copy_begin=placeholders.SECOND_COPY_BEGIN,
            second_copy_end=placeholders.SECOND_COPY_END,
        )
        self._templates.filters["isolated"] = text_format.isolated
        # these are rendered for every mail, so their styles are inlined into the template, once
        opening = (templates_dir / "opening.html.j2").read_text(encoding="utf-8")
        self._opening = self._templates.from_string(self._inliner.inline_fragment(opening, self._style))
        left = (templates_dir / "left_over.html.j2").read_text(encoding="utf-8")
        self._left = self._templates.from_string(self._inliner.inline_fragment(left, self._style))
        self._page = lru_cache(maxsize=16)(self._new_page)
        self._frame_size = lru_cache(maxsize=256)(self._new_frame_size)
        self._foot = self._text("letter.txt.j2")
        #: Changes with the templates, the styles and the frame. Part of an edition's key.
        self.revision = _revision(templates_dir, frame)

    def render_block(
        self,
        items: Sequence[ItemContent],
        reasons: Sequence[Reason],
        spans: Mapping[int, Sequence[Span]],
        look: Look,
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
        story = [present_item(item, spans.get(item.item_id, ()), length) for item in without_duplicates(items)]
        sources, shown_reasons = present_sources(items, look.locale), present_reasons(reasons)
        html = ""
        if look.format != "text":
            html = self._html("block.html.j2", story=story, sources=sources, reasons=shown_reasons)
        text = self._text("block.txt.j2", story=story, sources=sources, reasons=shown_reasons)
        return RenderedBlock(html=html, text=text, title=story[0].title)

    def _render_title_block(self, item: ItemContent, reasons: Sequence[Reason], look: Look) -> RenderedBlock:
        """Title, link and reasons in a few lines, for a mail with too many articles to show more of each."""
        shown = present_item(item, ())
        shown_reasons = present_reasons(reasons[:_TITLE_REASONS], _TITLE_WORDS)
        values = {"item": shown, "reasons": shown_reasons, "more": max(0, len(reasons) - _TITLE_REASONS)}
        html = "" if look.format == "text" else self._html("title.html.j2", **values)
        return RenderedBlock(html=html, text=self._text("title.txt.j2", **values), title=shown.title)

    def render_letter(
        self, kind: str, look: Look, blocks: Sequence[RenderedBlock], *, cadence: str, left: int = 0
    ) -> RenderedMail:
        """Join the blocks of an alert or digest, with head and foot. `cadence` is immediate, daily or weekly.

        `left` is the number of articles that did not fit, and come with the next mail.

        Raises:
            KeyError: there is no such kind of letter with this cadence.
        """
        heading = text_format.SUBJECTS[kind, cadence]
        titles = [block.title for block in blocks]
        subject = text_format.subject(kind, cadence, titles, discreet=look.discreet)
        count = text_format.articles(len(blocks))
        greeting = f"{count} from {placeholders.defuse(self._frame.organisation)}." + (
            f" {_NEUTRAL}" if look.discreet else ""
        )
        contents = [text_format.isolated(title) for title in titles] if len(titles) in _CONTENTS else []
        rest = text_format.left_over(left, cadence) if left else ""
        opening = self._text("opening.txt.j2", heading=heading, opening=greeting, contents=contents)
        text = "".join([opening, *(block.text for block in blocks), f"\n* * *\n\n{rest}\n" if rest else "", self._foot])
        if look.format == "text":
            return RenderedMail(subject, text, "")
        head, middle, foot = self._page(heading)
        preview = greeting + _FILLER if look.discreet else shorten(" · ".join([count, *titles]), _LONGEST_PREVIEW)
        opening = self._opening.render(heading=heading, count=count, contents=contents)
        more = self._left.render(words=rest) if rest else ""
        html = "".join([head, str(escape(preview)), middle, opening, *(block.html for block in blocks), more, foot])
        return RenderedMail(subject, text, html)

    def available_bytes(self, kind: str, look: Look, count: int, title: Callable[[int], str], *, cadence: str) -> int:
        """Bytes that `count` blocks may have, so that the whole mail stays below `size_limit.LIMIT`.

        `title` returns the title of each, for mails that open with a list of them.
        """
        frame = self._frame_size(text_format.SUBJECTS[kind, cadence], look.format)
        listed = range(count) if count in _CONTENTS else ()
        contents = sum(_LISTED + len(escape(title(index)).encode()) for index in listed)
        return size_limit.LIMIT - size_limit.RESERVED - frame - contents

    def _new_frame_size(self, heading: str, format_: str) -> int:
        """Bytes of a mail without blocks."""
        if format_ == "text":
            return len(self._foot.encode())
        opening = self._opening.render(heading=heading, count="", contents=[])
        return len("".join([*self._page(heading), opening]).encode())

    def render_notice(self, kind: str, look: Look) -> RenderedMail:
        """Render a mail about the subscription itself. It contains no topic and nothing that somebody typed.

        Raises:
            KeyError: there is no such notice.
        """
        notice = NOTICES[kind]
        names = {"organisation": placeholders.defuse(self._frame.organisation)}
        filled = {
            "heading": notice.subject,
            "button": notice.button,
            "opening": [paragraph.format_map(names) for paragraph in notice.opening],
            "closing": [paragraph.format_map(names) for paragraph in notice.closing],
        }
        html = ""
        if look.format != "text":
            page = self._templates.get_template("notice.html.j2").render(screen=self._screen, **filled)
            html = self._page_inliner.inline(page)
        return RenderedMail(notice.subject, self._text("notice.txt.j2", **filled), html)

    def _new_page(self, heading: str) -> tuple[str, str, str]:
        """The HTML before the preview, between it and the blocks, and after them."""
        page = self._templates.get_template("letter.html.j2").render(heading=heading, screen=self._screen)
        head, _, rest = self._page_inliner.inline(page).partition(_PREVIEW)
        middle, _, foot = rest.partition(_BLOCKS)
        return head, middle, foot

    def _html(self, name: str, **values: Any) -> str:
        return self._inliner.inline_fragment(self._templates.get_template(name).render(**values), self._style)

    def _text(self, name: str, **values: Any) -> str:
        return self._templates.get_template(name).render(**values)


def _revision(templates_dir: Path, frame: Frame) -> str:
    digest = hashlib.sha256(repr(astuple(frame)).encode())
    for path in sorted(templates_dir.iterdir()):
        if path.suffix in (".j2", ".css"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
