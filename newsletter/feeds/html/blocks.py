"""The block model: safe HTML as a flat row of paragraphs, headings, lists …, each made of lines."""

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


INLINE = _names("a b strong i em u s del ins sub sup code small mark abbr cite q bdi")
#: Only lay out: dissolved, each begins and ends a paragraph.
WRAPPERS = _names(
    "div section article main header footer aside nav figure figcaption center address details summary fieldset form"
)
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
FLOW = frozenset(("p", *HEADINGS))
#: Kept whole, with what is in them.
OPAQUE = _names("ul ol dl blockquote pre table")
#: Kinds of blocks without text: a rule, and where an article begins by the feed's own selector (which is not shown).
MARKS = ("rule", "start")
OPAQUE_PARTS = OPAQUE | _names("li dt dd thead tbody tfoot tr th td caption")


@dataclass(frozen=True)
class Run:
    """Text under the same inline tags; `marks` are their opening tags, outermost first. `href` is of the link, if any."""

    text: str
    marks: tuple[str, ...] = ()
    href: str = ""


Line = tuple[Run, ...]


@dataclass(frozen=True)
class Block:
    """`kind` is p, h1 … h6, rule, start, or an opaque one (ul, ol, dl, blockquote, pre, table) whose HTML is `whole`."""

    kind: str
    lines: tuple[Line, ...] = ()
    whole: str = ""
    #: `lang` and `dir` of a paragraph or heading, ready to be put in its tag.
    attributes: str = ""
    #: It stands under a picture or chart.
    caption: bool = False

    @property
    def text(self) -> str:
        """Its lines as plain text."""
        return "\n".join(map(line_text, self.lines))

    @property
    def html(self) -> str:
        """Its HTML, safe."""
        if self.kind in MARKS:
            return "<hr>" if self.kind == "rule" else ""
        if self.whole:
            return self.whole
        return f"<{self.kind}{self.attributes}>{'<br>'.join(map(_line_html, self.lines))}</{self.kind}>"


def line_text(line: Line) -> str:
    """A line as plain text."""
    return "".join(run.text for run in line)


def links(line: Line) -> Iterator[tuple[int, int, str]]:
    """(start, end, URL) of each link in a line, offsets in its text."""
    start = 0
    for run in line:
        if run.href:
            yield start, start + len(run.text), run.href
        start += len(run.text)


def is_bold(line: Line) -> bool:
    """True when all words of a line are bold."""
    words = [run for run in line if run.text.strip()]
    return bool(words) and all("<b>" in run.marks or "<strong>" in run.marks for run in words)


def shorten(line: Line, length: int) -> Line:
    """The first `length` characters of a line."""
    kept: list[Run] = []
    for run in line:
        if length <= 0:
            break
        kept.append(replace(run, text=run.text[:length]))
        length -= len(run.text)
    return tidy_line(kept)


def tail(line: Line, begin: int) -> Line:
    """What of a line comes after its first `begin` characters, as it stands there."""
    kept: list[Run] = []
    for run in line:
        if begin < len(run.text):
            kept.append(replace(run, text=run.text[max(0, begin) :]))
        begin -= len(run.text)
    return tuple(kept)


def to_text(row: Iterable[Block]) -> str:
    """Blocks as plain text, each followed by a blank line; rules are left out."""
    texts = (block.text for block in row if block.kind not in MARKS)
    return "".join(f"{text}\n\n" for text in texts if text.strip())


def to_html(row: Iterable[Block]) -> str:
    """Blocks as HTML."""
    return "".join(block.html for block in row)


def tidy_line(runs: Iterable[Run], *, collapse: bool = True) -> Line:
    """A line with white space collapsed and trimmed, neighbours under the same marks joined, empty runs dropped."""
    joined: list[Run] = []
    blank = True
    for run in runs:
        text = run.text
        if collapse:
            words = " ".join(text.split())
            head = " " if text[:1].isspace() and words and not blank else ""
            text = head + words + (" " if text[-1:].isspace() and (words or not blank) else "")
            blank = text[-1:] == " " if text else blank
        if not text:
            continue
        if joined and joined[-1].marks == run.marks:
            text = joined.pop().text + text
        joined.append(Run(text, run.marks, run.href))
    if joined and collapse:
        last = joined.pop()
        if last.text.rstrip():
            joined.append(Run(last.text.rstrip(), last.marks, last.href))
    return tuple(joined)


def _line_html(line: Line) -> str:
    out: list[str] = []
    opened: tuple[str, ...] = ()
    for run in (*line, Run("")):
        same = 0
        while same < min(len(opened), len(run.marks)) and opened[same] == run.marks[same]:
            same += 1
        out += [f"</{_name(mark)}>" for mark in reversed(opened[same:])]
        out += run.marks[same:]
        out.append(html.escape(run.text, quote=False))
        opened = run.marks
    return "".join(out)


def _name(mark: str) -> str:
    return mark.strip("<>").partition(" ")[0]
