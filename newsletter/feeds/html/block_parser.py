"""Turn a tree of HTML into blocks. Writes allowed tags only, whatever the tree holds."""

import html
import re
from collections.abc import Callable, Container
from dataclasses import dataclass, replace

from newsletter.feeds.html.blocks import FLOW, INLINE, OPAQUE, OPAQUE_PARTS, WRAPPERS, Block, Line, Run, tidy_line
from newsletter.feeds.html.tree import Element

#: Deeper nesting than this keeps its text and loses its tags.
INLINE_DEPTH, OPAQUE_DEPTH = 8, 24
#: Classes of captions: WordPress's wp-caption-text, Substack's image-caption.
_CAPTION = re.compile(r"(?:^|[\s_-])caption(?:s|ed|-text)?(?:$|[\s_-])", re.IGNORECASE)
_CELLS = frozenset(("td", "th"))
_LISTS = frozenset(("ul", "ol"))
_SEPARATE = FLOW | WRAPPERS | OPAQUE | {"li", "dt", "dd", "tr", "caption"}


@dataclass(frozen=True)
class _Inline:
    """The inline tags around a text: their names, the opening tags of those that are written, and the link's URL."""

    names: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    href: str = ""


@dataclass(frozen=True)
class _Around:
    """What a wrapper passes on to the paragraphs in it: `lang` and `dir`, and whether it is a caption."""

    language: str = ""
    caption: bool = False


def to_blocks(body: Element, layout: Container[Element], resolve: Callable[[str], str]) -> tuple[Block, ...]:
    """The blocks of an element.

    `layout` are the tables, lists and quotations that only lay out: they are dissolved. `resolve` gives the absolute URL of a
    link, empty for one that is dropped.
    """
    parser = _BlockParser(layout, resolve)
    parser.walk(body, _Inline())
    parser.end_block()
    return tuple(parser.blocks)


class _BlockParser:
    def __init__(self, layout: Container[Element], resolve: Callable[[str], str]) -> None:
        self._layout, self._resolve = layout, resolve
        self.blocks: list[Block] = []
        #: The block being read: its kind, what is around it, its lines, and the runs of its last line.
        self._kind = "p"
        self._style = self._around = _Around()
        self._lines: list[Line] = []
        self._runs: list[Run] = []
        #: Of an opaque block: its HTML so far, and how many elements are open in it, `pre` among them.
        self._whole: list[str] = []
        self._depth = self._pre = 0
        #: Open lists: the next number, None for a list without numbers. `_lead` is what the next line begins with.
        self._numbers: list[int | None] = []
        self._lead = ""

    def walk(self, parent: Element, inline: _Inline) -> None:
        """Read what is in an element."""
        for child in parent.children:
            if isinstance(child, str):
                self._text(child, inline)
            else:
                self._element(child, inline)

    def end_block(self) -> None:
        """End the block being read, and add it to `blocks` if it has any words."""
        self._end_line(keep_empty=False)
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        while self._lines and not self._lines[0]:
            self._lines.pop(0)
        if self._lines:
            lines, whole = tuple(self._lines), "".join(self._whole)
            self.blocks.append(Block(self._kind, lines, whole, self._style.language, self._style.caption))
        self._kind, self._lines, self._whole, self._lead = "p", [], [], ""
        self._style = self._around

    def _element(self, element: Element, inline: _Inline) -> None:
        tag = element.tag
        if element.is_start:
            self._start_article(tag)
        if tag == "br":
            self._end_line()
            if self._depth:
                self._whole.append("<br>")
        elif tag in INLINE:
            self._inline(element, inline)
        elif tag != "span" and (self._depth or (tag in OPAQUE and element not in self._layout)):
            self._opaque(element, inline)
        elif tag == "hr":
            self.end_block()
            self.blocks.append(Block("rule"))
        elif tag in FLOW or tag in WRAPPERS or tag in OPAQUE_PARTS:
            self._block(element, inline)
        else:
            self.walk(element, inline)

    def _text(self, text: str, inline: _Inline) -> None:
        if self._depth:
            self._whole.append(html.escape(text, quote=False))
        first, *others = text.split("\n") if self._pre else (text,)
        self._runs.append(Run(first, inline.marks, inline.href))
        for line in others:
            self._end_line()
            self._runs.append(Run(line, inline.marks, inline.href))

    def _start_article(self, tag: str) -> None:
        """Mark that an article begins; inside a list or table that is kept, or amid the words of a line, none can."""
        is_inline = tag in INLINE or tag == "span"
        if self._depth or (is_inline and any(run.text.strip() for run in self._runs)):
            return
        if not is_inline or self._lines:
            self.end_block()
        self.blocks.append(Block("start"))

    def _inline(self, element: Element, inline: _Inline) -> None:
        tag, href = element.tag, ""
        if tag == "a" and element.attributes.get("href"):
            href = self._resolve(element.attributes["href"])
        inside = replace(inline, names=(*inline.names, tag))
        mark = ""
        if (tag != "a" or href) and len(inline.names) < INLINE_DEPTH and tag not in inline.names:
            mark = f'<a href="{html.escape(href)}">' if href else f"<{tag}>"
            inside = replace(inside, marks=(*inline.marks, mark), href=href or inline.href)
        if self._depth:
            self._whole.append(mark)
        self.walk(element, inside)
        if self._depth and mark:
            self._whole.append(f"</{tag}>")

    def _block(self, element: Element, inline: _Inline) -> None:
        """A paragraph, a heading, or something that is dissolved."""
        self.end_block()
        around, attributes = self._around, element.attributes
        is_caption = element.tag == "figcaption" or _CAPTION.search(attributes.get("class", "")) is not None
        self._style = _Around(_language(attributes) or around.language, around.caption or is_caption)
        if element.tag in FLOW:
            self._kind = element.tag
        else:
            self._around = self._style
        self.walk(element, inline)
        self._around = around
        self.end_block()

    def _opaque(self, element: Element, inline: _Inline) -> None:
        """A list, table or quotation that is kept whole, or an element in one."""
        tag, attributes, is_outermost = element.tag, element.attributes, self._depth == 0
        if is_outermost:
            self.end_block()
            self._kind = tag
        elif tag in _CELLS:
            if any(run.text.strip() for run in self._runs):
                self._runs.append(Run(" | "))
        elif tag in _SEPARATE:
            self._end_line(keep_empty=False)
        if tag in _LISTS:
            self._numbers.append(_first_number(attributes) if tag == "ol" else None)
        if tag == "li":
            self._lead = "  " * (len(self._numbers) - 1) + self._bullet()
        is_written = (tag in OPAQUE_PARTS or tag in FLOW) and self._depth < OPAQUE_DEPTH
        if is_written:
            start = f' start="{_first_number(attributes)}"' if tag == "ol" and _first_number(attributes) != 1 else ""
            language = _language(attributes) or (self._around.language if is_outermost else "")
            self._whole.append(f"<{tag}{start}{language}>")
        self._depth += 1
        self._pre += tag == "pre"
        self.walk(element, inline)
        if tag in _SEPARATE:
            self._end_line(keep_empty=False)
        self._depth -= 1
        self._pre -= tag == "pre"
        if tag in _LISTS:
            self._numbers.pop()
        if is_written:
            self._whole.append(f"</{tag}>")
        if tag in FLOW and not self._numbers and self._lines and self._lines[-1]:
            self._lines.append(())
        if is_outermost:
            self.end_block()

    def _bullet(self) -> str:
        if not self._numbers or self._numbers[-1] is None:
            return "- "
        number = self._numbers[-1]
        self._numbers[-1] = number + 1
        return f"{number}. "

    def _end_line(self, *, keep_empty: bool = True) -> None:
        line = tidy_line(self._runs, collapse=not self._pre) if self._runs else ()
        self._runs = []
        if line and self._lead:
            line, self._lead = (Run(self._lead), *line), ""
        if line or keep_empty:
            self._lines.append(line)


def _language(attributes: dict[str, str]) -> str:
    """The attributes lang and dir, checked, ready to be put in a tag."""
    lang, direction = attributes.get("lang", ""), attributes.get("dir", "").lower()
    lang = lang if 1 < len(lang) < 20 and lang.replace("-", "").isalnum() and lang.isascii() else ""
    direction = direction if direction in ("ltr", "rtl", "auto") else ""
    return (f' lang="{lang}"' if lang else "") + (f' dir="{direction}"' if direction else "")


def _first_number(attributes: dict[str, str]) -> int:
    value = attributes.get("start", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 1
