"""An item's HTML made fit for a mail, and the matched words marked in it."""

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
#: What a brief may hold in a mail: no image, no style, no link but to the web.
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
_SEEN = re.compile(r"[^\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_MARK, _END = "<mark>", "</mark>"

#: Offsets (start, end) in code points.
Range = tuple[int, int]


def fit_for_mail(fragment: str) -> str:
    """`fragment` with nothing that a mail must not hold; its headings rank below the item's own."""
    return _TOP_HEADING.sub(r"\1h3", _CLEANER.clean(fragment))


def mark_html(fragment: str, text: str, ranges: Iterable[Range]) -> str:
    """`fragment` (as `fit_for_mail` gives it) with the words marked that stand at `ranges` of its plain form, `text`.

    A word is found again by counting: if both forms have it equally often, the n-th is the n-th. Else it stays unmarked:
    no mark is better than a wrong one.
    """
    nodes = _nodes(fragment)
    shown = _Seen("".join(node for node, is_text in nodes if is_text))
    plain = _Seen(text)
    found = [place for one in ranges if (place := _same_word(plain, shown, one)) is not None]
    return _marked(nodes, _joined(found)) if found else fragment


def mark_line(text: str, ranges: Iterable[Range]) -> str:
    """One line of plain text as HTML, with the words at `ranges` marked."""
    within = ((max(0, start), min(end, len(text))) for start, end in ranges)
    return _marked([(text, True)], _joined(one for one in within if one[0] < one[1]))


class _Seen:
    """A text without white space, which knows where each of its characters came from."""

    def __init__(self, text: str) -> None:
        self.origin: list[int] = []
        runs = []
        for run in _SEEN.finditer(text):
            runs.append(run.group())
            self.origin.extend(range(run.start(), run.end()))
        self.text = "".join(runs)

    def inside(self, one: Range) -> Range:
        """The same range, counted without white space."""
        return bisect_left(self.origin, one[0]), bisect_left(self.origin, one[1])

    def places(self, word: str) -> list[int]:
        """Every place where `word` begins, overlapping ones as well."""
        found, at = [], self.text.find(word)
        while at >= 0:
            found.append(at)
            at = self.text.find(word, at + 1)
        return found


def _same_word(plain: _Seen, shown: _Seen, one: Range) -> Range | None:
    start, end = plain.inside(one)
    word = plain.text[start:end]
    here, there = (plain.places(word), shown.places(word)) if word else ([], [])
    if not here or len(here) != len(there) or start not in here:
        return None
    at = there[here.index(start)]
    return shown.origin[at], shown.origin[at + len(word) - 1] + 1


def _nodes(fragment: str) -> list[tuple[str, bool]]:
    """Tags as they are (False), and texts between them without entities (True)."""
    nodes: list[tuple[str, bool]] = []
    at = 0
    for tag in _TAG.finditer(fragment):
        nodes += [(entities.unescape(fragment[at : tag.start()]), True), (tag.group(), False)]
        at = tag.end()
    return [*nodes, (entities.unescape(fragment[at:]), True)]


def _joined(ranges: Iterable[Range]) -> list[Range]:
    """In order, with overlapping and touching ranges made one."""
    joined: list[Range] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _marked(nodes: Iterable[tuple[str, bool]], ranges: Sequence[Range]) -> str:
    """The nodes put together; a range that crosses a tag is marked on both sides of it."""
    out: list[str] = []
    at = 0
    for node, is_text in nodes:
        if not is_text:
            out.append(node)
            continue
        done = 0
        for start, end in ranges:
            first, last = max(start - at, done), min(end - at, len(node))
            if first < last:
                out += [_escape(node[done:first]), _MARK, _escape(node[first:last]), _END]
                done = last
        out.append(_escape(node[done:]))
        at += len(node)
    return "".join(out)


def _escape(text: str) -> str:
    return entities.escape(text, quote=False)
