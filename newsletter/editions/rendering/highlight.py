"""Clean an item's HTML for mail, and mark the matched words in it."""

import html as entities
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import nh3

# fmt: off
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "dl", "dt", "em", "h1", "h2",
    "h3", "h4", "h5", "h6", "hr", "i", "ins", "li", "ol", "p", "pre", "q", "s", "small", "strong", "sub", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}
# fmt: on
#: What an item may contain in a mail: no image, no style, only http and https links.
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes={"a": {"href"}, "ol": {"start"}, "td": {"colspan"}, "th": {"colspan"}},
    tag_attribute_values={tag: {"dir": {"rtl", "ltr", "auto"}} for tag in _TAGS},
    url_schemes={"http", "https"},
    url_relative="deny",
    link_rel="noopener noreferrer",
    strip_comments=True,
)
_TAG = re.compile(r"""<(?:[^<>"']|"[^"]*"|'[^']*')*>""")
_TOP_HEADING = re.compile(r"(</?)h[12](?=[\s>])")
#: White space and characters of no width: an HTML text and its plain form differ in these.
_VISIBLE = re.compile(r"[^\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_MARK, _END = "<mark>", "</mark>"

#: Offsets (start, end) in code points.
Range = tuple[int, int]


def fit_for_mail(fragment: str) -> str:
    """`fragment` without anything unsuitable for a mail; its headings rank below the item's own."""
    return _TOP_HEADING.sub(r"\1h3", _CLEANER.clean(fragment))


def mark_html(fragment: str, text: str, ranges: Iterable[Range]) -> str:
    """`fragment` (as `fit_for_mail` gives it) with the words marked that stand at `ranges` of its plain form, `text`.

    A word is found again by counting: if both forms have it equally often, the n-th is the n-th. Else it stays unmarked:
    no mark is better than a wrong one.
    """
    nodes = _nodes(fragment)
    shown = _VisibleText("".join(node for node, is_text in nodes if is_text))
    plain = _VisibleText(text)
    positions = (_same_word(plain, shown, word_range) for word_range in ranges)
    found = [position for position in positions if position is not None]
    return _marked(nodes, _joined(found)) if found else fragment


def mark_line(text: str, ranges: Iterable[Range]) -> str:
    """One line of plain text as HTML, with the words at `ranges` marked."""
    within = ((max(0, start), min(end, len(text))) for start, end in ranges)
    return _marked([(text, True)], _joined((start, end) for start, end in within if start < end))


class _VisibleText:
    """A text without white space, with the offset that each of its characters had before."""

    def __init__(self, text: str) -> None:
        self.origin: list[int] = []
        runs = []
        for run in _VISIBLE.finditer(text):
            runs.append(run.group())
            self.origin.extend(range(run.start(), run.end()))
        self.text = "".join(runs)

    def inside(self, word_range: Range) -> Range:
        """The same range, counted without white space."""
        return bisect_left(self.origin, word_range[0]), bisect_left(self.origin, word_range[1])

    def positions(self, word: str) -> list[int]:
        """Every position where `word` begins, overlapping ones as well."""
        positions, position = [], self.text.find(word)
        while position >= 0:
            positions.append(position)
            position = self.text.find(word, position + 1)
        return positions


def _same_word(plain: _VisibleText, shown: _VisibleText, word_range: Range) -> Range | None:
    start, end = plain.inside(word_range)
    word = plain.text[start:end]
    in_plain, in_shown = (plain.positions(word), shown.positions(word)) if word else ([], [])
    if not in_plain or len(in_plain) != len(in_shown) or start not in in_plain:
        return None
    position = in_shown[in_plain.index(start)]
    return shown.origin[position], shown.origin[position + len(word) - 1] + 1


def _nodes(fragment: str) -> list[tuple[str, bool]]:
    """Tags as they are (False), and texts between them without entities (True)."""
    nodes: list[tuple[str, bool]] = []
    offset = 0
    for tag in _TAG.finditer(fragment):
        nodes += [(entities.unescape(fragment[offset : tag.start()]), True), (tag.group(), False)]
        offset = tag.end()
    return [*nodes, (entities.unescape(fragment[offset:]), True)]


def _joined(ranges: Iterable[Range]) -> list[Range]:
    """In order, with overlapping and touching ranges merged."""
    joined: list[Range] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _marked(nodes: Iterable[tuple[str, bool]], ranges: Sequence[Range]) -> str:
    """Join the nodes; a range that crosses a tag is marked on both sides of it."""
    parts: list[str] = []
    offset = 0
    for node, is_text in nodes:
        if not is_text:
            parts.append(node)
            continue
        done = 0
        for start, end in ranges:
            first, last = max(start - offset, done), min(end - offset, len(node))
            if first < last:
                parts += [_escape(node[done:first]), _MARK, _escape(node[first:last]), _END]
                done = last
        parts.append(_escape(node[done:]))
        offset += len(node)
    return "".join(parts)


def _escape(text: str) -> str:
    return entities.escape(text, quote=False)
