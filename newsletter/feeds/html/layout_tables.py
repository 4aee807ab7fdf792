"""Find tables, lists and quotations that only lay out: a newsletter's frame, or a list of whole articles."""

from dataclasses import dataclass, field

from newsletter.feeds.html.blocks import HEADINGS, OPAQUE
from newsletter.feeds.html.source_labels import begins_with_label
from newsletter.feeds.html.tree import Element

#: A list item with a source line is an article from so many characters before that line on.
ARTICLE = 60
#: Characters at the beginning of a line that may be the label of a source line.
LABEL = 100
_LISTS = ("ul", "ol")
_DATA = ("th", "caption", "thead", "tfoot")
_LINE_STARTS = ("br", "p", "div", "li", "td", "hr", *HEADINGS)


@dataclass
class _Cell:
    """What stands in a table cell or list item."""

    size: int = 0
    paragraphs: int = 0
    headings: int = 0
    #: It has a source line with text above it.
    is_article: bool = False


@dataclass
class _Container:
    tag: str
    cells: list[_Cell] = field(default_factory=lambda: [_Cell()])
    #: Cells of the present row, and of the widest one.
    row: int = 0
    widest: int = 0
    is_data: bool = False
    #: It holds a rule, a table or a start of an article.
    is_frame: bool = False
    has_start: bool = False

    def is_layout(self) -> bool:
        if self.has_start or self.tag == "pre":
            return self.has_start and self.tag != "pre"
        articles = sum(cell.is_article for cell in self.cells)
        headings = sum(cell.headings for cell in self.cells)
        if self.tag in _LISTS:
            items = len(self.cells) - 1
            return 2 <= items <= 2 * max(articles, sum(cell.headings > 0 for cell in self.cells))
        if self.tag == "table":
            # a table with headers is data, whatever else is in it
            alone = self.widest <= 1 and len(self.cells) > 1
            rich = any(cell.paragraphs > 1 for cell in self.cells)
            return not self.is_data and (self.is_frame or headings > 0 or articles > 0 or rich or alone)
        return self.tag == "blockquote" and (headings > 1 or articles > 1 or self.is_frame)


class _LayoutFinder:
    def __init__(self) -> None:
        self._open: list[_Container] = []
        self._line = ""
        self.layout: set[Element] = set()

    def walk(self, parent: Element) -> None:
        for child in parent.children:
            if isinstance(child, str):
                self._text(child)
            else:
                self._element(child)

    def _element(self, element: Element) -> None:
        tag = element.tag
        if tag in _LINE_STARTS:
            self._line = ""
        for container in self._open:
            container.has_start |= element.is_start
            container.is_frame |= tag == "table" and container.tag in ("table", "blockquote")
        if tag not in OPAQUE:
            if self._open:
                self._count(self._open[-1], tag)
            self.walk(element)
            return
        self._open.append(_Container(tag, has_start=element.is_start))
        self.walk(element)
        if self._open.pop().is_layout():
            self.layout.add(element)

    def _count(self, inner: _Container, tag: str) -> None:
        if tag == "tr":
            inner.row = 0
        elif tag in ("td", "th", "li"):
            inner.cells.append(_Cell())
            inner.row += 1
            inner.widest = max(inner.widest, inner.row)
        inner.is_data |= tag in _DATA
        for container in self._open:
            container.cells[-1].headings += tag in HEADINGS
            container.is_frame |= tag == "hr"
        inner.cells[-1].paragraphs += tag in ("p", "div")

    def _text(self, text: str) -> None:
        self._line = (self._line + text)[:LABEL]
        for container in self._open:
            cell = container.cells[-1]
            cell.is_article |= cell.size >= ARTICLE and begins_with_label(self._line)
            cell.size += len(text.strip())


def find_layout_containers(body: Element) -> frozenset[Element]:
    """The containers that are to be dissolved into what they hold.

    A table without headers is a frame when it has one column, or holds headings, several paragraphs in a cell, rules or other
    tables; a list when at least half of its items are articles with a heading or source line; a quotation when it holds
    several of these; and any of them (but pre) when an article starts in it.
    """
    finder = _LayoutFinder()
    finder.walk(body)
    return frozenset(finder.layout)
