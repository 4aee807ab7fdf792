"""From tags to blocks: the parser behind `clean.read`. It writes allowed tags only, whatever it is given."""

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser

from newsletter.feeds.html.blocks import FLOW, INLINE, OPAQUE, OPAQUE_PARTS, WRAPPERS, Block, Line, Run, tidy_line
from newsletter.feeds.html.css_selector import Place

#: Deeper nesting than this keeps its text and loses its tags.
INLINE_DEPTH, OPAQUE_DEPTH = 8, 24
#: Classes of captions: WordPress's wp-caption-text, Substack's image-caption.
_CAPTION = re.compile(r"(?:^|[\s_-])caption(?:s|ed|-text)?(?:$|[\s_-])", re.IGNORECASE)
_CELLS = frozenset(("td", "th"))
_ITEMS = frozenset(("li", "dt", "dd", "tr", "caption", "pre", *OPAQUE))
_Attributes = list[tuple[str, str | None]]


class Reader(HTMLParser):
    """Fed well-formed HTML; `blocks` gives what it read.

    Articles begin at `starts`; `dissolved` are the tables, lists and quotations that only lay out.
    """

    def __init__(
        self,
        resolve: Callable[[str], str],
        starts: frozenset[Place] = frozenset(),
        dissolved: frozenset[Place] = frozenset(),
    ) -> None:
        super().__init__(convert_charrefs=True)
        self._resolve = resolve
        self._starts, self._dissolved = starts, dissolved
        self._blocks: list[Block] = []
        self._kind, self._attributes = "p", ""
        self._lines: list[Line] = []
        self._runs: list[Run] = []
        #: (tag, opening tag, link) of open inline tags; a tag that is not written has an empty opening tag.
        self._inline: list[tuple[str, str, str]] = []
        #: Tag, lang and dir of open wrappers, and whether they hold a caption.
        self._around: list[tuple[str, str, bool]] = []
        self._caption = False
        #: Open tags of an opaque block, and its HTML so far; a tag that is not written is kept as an empty string.
        self._nest: list[tuple[str, str]] = []
        self._whole: list[str] = []
        #: Open lists: the next number, None for a list without numbers. `_lead` is what the next line begins with.
        self._numbers: list[int | None] = []
        self._lead = ""

    def blocks(self) -> tuple[Block, ...]:
        """What was read; called after `close`."""
        while self._nest:
            self._close_opaque(self._nest[-1][0])
        self._flush()
        return tuple(self._blocks)

    def handle_starttag(self, tag: str, attrs: _Attributes) -> None:
        """An opening tag, or one without an end."""
        if self.getpos() in self._starts:
            self._begin(tag)
        if tag == "span":
            return
        if tag == "br":
            self._break()
            if self._nest:
                self._whole.append("<br>")
        elif tag in INLINE:
            self._open_inline(tag, attrs)
        elif self._nest or (tag in OPAQUE and self.getpos() not in self._dissolved):
            self._open_opaque(tag, attrs)
        elif tag == "hr":
            self._flush()
            self._blocks.append(Block("rule"))
        elif tag in FLOW or tag in WRAPPERS or tag in OPAQUE_PARTS:
            self._flush()
            self._attributes = self._language(attrs)
            self._caption |= tag == "figcaption" or _CAPTION.search(dict(attrs).get("class") or "") is not None
            if tag in FLOW:
                self._kind = tag
            else:
                self._around.append((tag, self._attributes, self._caption))

    def handle_endtag(self, tag: str) -> None:
        """A closing tag; one that was never opened is ignored."""
        if tag == "span":
            return
        if tag in INLINE:
            self._close_inline(tag)
        elif self._nest:
            if any(tag == name for name, _ in self._nest):
                self._close_opaque(tag)
        elif tag in FLOW or tag in WRAPPERS or tag in OPAQUE_PARTS:
            self._flush()
            if tag not in FLOW and any(name == tag for name, _, _ in self._around):
                while self._around.pop()[0] != tag:
                    pass
            self._inherit()

    def handle_data(self, data: str) -> None:
        """Text, its character references undone."""
        if self._nest:
            self._whole.append(html.escape(data, quote=False))
        marks = tuple(mark for _, mark, _ in self._inline if mark)
        href = next((href for _, _, href in reversed(self._inline) if href), "")
        if any(name == "pre" for name, _ in self._nest):
            for number, part in enumerate(data.split("\n")):
                if number:
                    self._break()
                self._runs.append(Run(part, marks, href))
        else:
            self._runs.append(Run(data, marks, href))

    def _begin(self, tag: str) -> None:
        """An article begins with this tag; inside a list or table that is kept, or amid the words of a line, none can."""
        amid = tag in INLINE or tag == "span"
        if self._nest or (amid and any(run.text.strip() for run in self._runs)):
            return
        if not amid or self._lines:
            self._flush()
        self._blocks.append(Block("start"))

    def _open_inline(self, tag: str, attrs: _Attributes) -> None:
        given = dict(attrs).get("href") if tag == "a" else None
        href = self._resolve(given) if given else ""
        mark = ""
        if (
            (tag != "a" or href)
            and len(self._inline) < INLINE_DEPTH
            and all(tag != name for name, _, _ in self._inline)
        ):
            mark = f'<a href="{html.escape(href)}">' if href else f"<{tag}>"
        self._inline.append((tag, mark, href if mark else ""))
        if self._nest:
            self._whole.append(mark)

    def _close_inline(self, tag: str) -> None:
        for index in range(len(self._inline) - 1, -1, -1):
            if self._inline[index][0] == tag:
                if self._nest and self._inline[index][1]:
                    self._whole.append(f"</{tag}>")
                del self._inline[index]
                return

    def _open_opaque(self, tag: str, attrs: _Attributes) -> None:
        outermost = not self._nest
        if outermost:
            self._flush()
            self._kind = tag
        else:
            self._separate(tag)
        if tag in ("ul", "ol"):
            self._numbers.append(_start(attrs) if tag == "ol" else None)
        if tag == "li":
            self._lead = "  " * (len(self._numbers) - 1) + self._bullet()
        written = ""
        if (tag in OPAQUE_PARTS or tag in FLOW) and len(self._nest) < OPAQUE_DEPTH:
            start = f' start="{_start(attrs)}"' if tag == "ol" and _start(attrs) != 1 else ""
            written = f"<{tag}{start}{self._language(attrs) if outermost else _language(attrs)}>"
        self._whole.append(written)
        self._nest.append((tag, written))

    def _close_opaque(self, tag: str) -> None:
        while self._nest:
            name, written = self._nest[-1]
            if name in FLOW or name in WRAPPERS or name in _ITEMS:
                self._break(keep_empty=False)
            self._nest.pop()
            if name in ("ul", "ol"):
                self._numbers.pop()
            if written:
                self._whole.append(f"</{name}>")
            if name in FLOW and not self._numbers and self._lines and self._lines[-1]:
                self._lines.append(())
            if name == tag:
                break
        if not self._nest:
            self._flush()

    def _separate(self, tag: str) -> None:
        """What a tag inside an opaque block means for its text."""
        if tag in _CELLS:
            if any(run.text.strip() for run in self._runs):
                self._runs.append(Run(" | "))
        elif tag in FLOW or tag in WRAPPERS or tag in _ITEMS:
            self._break(keep_empty=False)

    def _bullet(self) -> str:
        if not self._numbers or self._numbers[-1] is None:
            return "- "
        number = self._numbers[-1]
        self._numbers[-1] = number + 1
        return f"{number}. "

    def _break(self, *, keep_empty: bool = True) -> None:
        """The end of a line."""
        line = tidy_line(self._runs, collapse=not any(name == "pre" for name, _ in self._nest))
        self._runs = []
        if line and self._lead:
            line, self._lead = (Run(self._lead), *line), ""
        if line or keep_empty:
            self._lines.append(line)

    def _flush(self) -> None:
        """The end of a block."""
        self._break(keep_empty=False)
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        while self._lines and not self._lines[0]:
            self._lines.pop(0)
        if self._lines:
            whole = "".join(self._whole)
            self._blocks.append(Block(self._kind, tuple(self._lines), whole, self._attributes, self._caption))
        self._kind, self._lines, self._whole, self._lead = "p", [], [], ""
        self._inherit()

    def _inherit(self) -> None:
        _, self._attributes, self._caption = self._around[-1] if self._around else ("", "", False)

    def _language(self, attrs: _Attributes) -> str:
        """lang and dir of a tag, else of what is around it."""
        return _language(attrs) or (self._around[-1][1] if self._around else "")


def _language(attrs: _Attributes) -> str:
    """The attributes lang and dir, checked, ready to be put in a tag."""
    values = {name: value or "" for name, value in attrs}
    lang, direction = values.get("lang", ""), values.get("dir", "").lower()
    lang = lang if 1 < len(lang) < 20 and lang.replace("-", "").isalnum() and lang.isascii() else ""
    direction = direction if direction in ("ltr", "rtl", "auto") else ""
    return (f' lang="{lang}"' if lang else "") + (f' dir="{direction}"' if direction else "")


def _start(attrs: _Attributes) -> int:
    value = dict(attrs).get("start") or ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 1
