"""The source line of an article, taken out of its text: `Source: Voice of America, May 5, 2020`, its URL behind or below."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from newsletter.feeds.citations.source_line import CitedSource, Segment, joined, segments
from newsletter.feeds.html.blocks import (
    HEADINGS,
    MARKS,
    Block,
    Line,
    Run,
    is_bold,
    line_text,
    links,
    shorten,
    tail,
    tidy_line,
)
from newsletter.feeds.html.source_labels import BRACKETED, LABEL, PLURAL, has_colon

_AFTERWARDS = re.compile(r"The post .{1,600} appeared first on .{1,300}", re.IGNORECASE | re.DOTALL)
#: A source line has at most so many characters besides its URLs; a longer one is a sentence that begins with the word.
#: One without date and URL is believed only at the end of an article, and shorter.
SURE_CAP, UNSURE_CAP = 300, 120
#: And with its URLs: a longer line is not even read.
LINE_CAP = 4000
#: What a name has not, but a sentence has: a question, a full stop with more behind it, many words.
_SENTENCE = re.compile(r"[?!？！。؟]|(?<=[^\W\d_A-Z])\.\s+\S+\s+\S|(?:\S+\s+){10}\S")
_LISTS = ("ul", "ol")


@dataclass(frozen=True)
class SourceLine:
    """A source line, with the lines below it that belong to it. `is_certain`: it has a date or a URL, so it is no sentence."""

    cited: tuple[CitedSource, ...]
    is_certain: bool
    #: What stood there, to be put back when it turns out to be text.
    blocks: tuple[Block, ...]
    #: It followed other words of a block, in their line.
    was_inline: bool = False
    #: It is of a picture or chart.
    caption: bool = False


Part = Block | SourceLine


@dataclass(frozen=True)
class _Row:
    """One line of one block."""

    block: int
    line: Line
    text: str
    #: Inside a list, a table and so on: taken only with the whole block.
    opaque: bool
    is_list: bool
    #: In a heading, or bold from end to end.
    loud: bool
    #: A rule, or where an article begins: no source line goes on below it.
    stop: bool
    #: Under a picture or chart.
    caption: bool


@dataclass(frozen=True)
class _Taken:
    """Rows from `start` to before `end` are a source line; `keep` is how much of the first one is not."""

    start: int
    end: int
    keep: int
    cited: tuple[CitedSource, ...]


def take_citations(parts: Sequence[Part]) -> tuple[tuple[CitedSource, ...], tuple[Block, ...]]:
    """Take the sources out of one article, as `mark_source_lines` gave it: (sources, blocks without source lines).

    The closing source line comes first, then every certain one before it. WordPress's line after it ("The post … appeared first
    on …") goes as well.
    """
    end = len(parts)
    while end and isinstance(parts[end - 1], Block) and _is_afterword(parts[end - 1]):
        end -= 1
    closing = parts[end - 1] if end and isinstance(parts[end - 1], SourceLine) else None
    if closing is None:
        end = len(parts)
    cited: list[CitedSource] = list(closing.cited) if isinstance(closing, SourceLine) else []
    kept: list[Block] = []
    for part in parts[:end]:
        if isinstance(part, Block):
            kept.append(part)
        elif part is closing or part.is_certain:
            cited += part.cited
        elif part.was_inline and kept:
            kept[-1:] = _rejoined(kept[-1], part.blocks)
        else:
            kept += part.blocks
    return tuple(dict.fromkeys(cited)), tuple(kept)


def _rejoined(before: Block, behind: Sequence[Block]) -> list[Block]:
    """A block with what was taken off the end of its last line."""
    line = tidy_line((*before.lines[-1], Run(" "), *behind[0].lines[0]))
    return [replace(before, lines=(*before.lines[:-1], line, *behind[0].lines[1:])), *behind[1:]]


def mark_source_lines(blocks: Sequence[Block]) -> tuple[Part, ...]:
    """`blocks` with each source line taken out of its block and put between what stood before and after it."""
    rows = [row for index, block in enumerate(blocks) for row in _rows(index, block)]
    parts: list[Part] = []
    at = done = 0
    while at < len(rows):
        taken = _source_at(rows, at)
        if taken is None:
            at += 1
            continue
        before = [replace(rows[at], line=shorten(rows[at].line, taken.keep))] if taken.keep else []
        parts += _rebuilt(blocks, [*rows[done:at], *before])
        sure = any(one.url or one.published_on for one in taken.cited)
        own = [replace(rows[at], line=tidy_line(tail(rows[at].line, taken.keep))), *rows[at + 1 : taken.end]]
        parts.append(
            SourceLine(
                taken.cited,
                sure,
                tuple(_rebuilt(blocks, own)),
                was_inline=bool(before and before[0].line),
                caption=rows[at].caption,
            )
        )
        at = done = taken.end
    return (*parts, *_rebuilt(blocks, rows[done:]))


def _rows(index: int, block: Block) -> list[_Row]:
    heading = block.kind in HEADINGS
    return [
        _Row(
            block=index,
            line=line,
            text=line_text(line),
            opaque=bool(block.whole),
            is_list=block.kind in _LISTS,
            loud=heading or is_bold(line),
            stop=block.kind in MARKS,
            caption=block.caption,
        )
        for line in block.lines or ((),)
    ]


def _rebuilt(blocks: Sequence[Block], rows: Sequence[_Row]) -> list[Block]:
    """Rows as blocks again."""
    out: list[Block] = []
    lines: dict[int, list[Line]] = {}
    for row in rows:
        lines.setdefault(row.block, []).append(row.line)
    for index, kept in lines.items():
        block = blocks[index]
        if block.whole or block.kind in MARKS:
            out.append(block)
            continue
        while kept and not kept[-1]:
            kept.pop()
        while kept and not kept[0]:
            kept.pop(0)
        if kept:
            out.append(replace(block, lines=tuple(kept)))
    return out


def _source_at(rows: Sequence[_Row], at: int) -> _Taken | None:
    """The source line that begins at row `at`, if one does."""
    row = rows[at]
    if row.opaque or not row.text.strip():
        return None
    if len(row.text) > LINE_CAP:
        return _bracketed(row, at)
    label = LABEL.match(row.text)
    if label is None:
        return _bracketed(row, at)
    plural = PLURAL.match(label["word"]) is not None
    own = segments(row.line, label.end(), several=plural)
    end, below = _below(rows, at, own, plural)
    cited = joined((*own, *below))
    sure = any(one.url or one.published_on for one in cited)
    if not cited or len(_bare(row)) > (SURE_CAP if sure else UNSURE_CAP):
        return None
    # a dash or nothing at all behind the word may also be the beginning of a sentence or a heading
    return _Taken(at, end, 0, cited) if sure or (has_colon(label) and _are_names(cited)) else None


def _bracketed(row: _Row, at: int) -> _Taken | None:
    """`… the end of the text. (Source: BBC, 5 November 2020)`"""
    begin = max(0, len(row.text) - LINE_CAP)
    hit = BRACKETED.search(row.text, begin)
    if hit is None or len(hit["rest"]) > SURE_CAP:
        return None
    several = PLURAL.match(hit["word"]) is not None
    line = tail(row.line, begin)
    cited = joined(segments(line, hit.start("rest") - begin, hit.end("rest") - begin, several=several))
    sure = any(one.url or one.published_on for one in cited)
    return _Taken(at, at + 1, hit.start(), cited) if cited and (sure or (hit["mark"] and _are_names(cited))) else None


def _are_names(cited: Sequence[CitedSource]) -> bool:
    return not any(_SENTENCE.search(one.publisher) for one in cited)


def _below(rows: Sequence[_Row], label_at: int, own: Sequence[Segment], plural: bool) -> tuple[int, list[Segment]]:
    """(end, sources) of what below a label belongs to it: URLs, a date, more labels, names where names are expected."""
    end = at = label_at + 1
    found = list[Segment]()
    while at < len(rows):
        row, near = rows[at], rows[at].block == rows[label_at].block
        expects = (plural and near) or not own
        if row.stop or row.caption != rows[label_at].caption:
            break
        if row.opaque:
            listed = _listed(rows, at) if (plural or not own) and row.is_list else None
            if listed is None:
                break
            at = end = listed[0]
            found += listed[1]
            continue
        if row.text.strip():
            parts = _belonging(rows, at, (*own, *found), expects=expects, near=near, several=plural)
            if not parts:
                break
            found += parts
            end = at + 1
        at += 1
    return end, found


def _belonging(
    rows: Sequence[_Row], at: int, before: Sequence[Segment], *, expects: bool, near: bool, several: bool
) -> tuple[Segment, ...]:
    """The sources of one row below a label; none when it is text again. `expects`: a name may stand there."""
    row = rows[at]
    if len(row.text) > LINE_CAP:
        return ()
    label = LABEL.match(row.text)
    if label is not None:
        plural = PLURAL.match(label["word"]) is not None
        return segments(row.line, label.end(), several=plural) if has_colon(label) else ()
    parts = segments(row.line, several=several)
    if all(not part.publisher for part in parts):
        fresh_date = not any(part.dated for part in before)
        return parts if fresh_date or any(part.urls for part in parts) else ()
    if expects and not row.loud and len(_bare(row)) <= UNSURE_CAP and (_known(parts) or _urls_only(rows, at + 1)):
        return parts
    if near and _is_link(row) and not any(part.urls for part in before):
        return tuple(replace(part, publisher="") for part in parts)
    return ()


def _listed(rows: Sequence[_Row], at: int) -> tuple[int, tuple[Segment, ...]] | None:
    """(end, sources) of a list of which every item is a source."""
    end = at
    while end < len(rows) and rows[end].block == rows[at].block:
        end += 1
    if any(len(row.text) > LINE_CAP for row in rows[at:end]):
        return None
    found = [segments(row.line) for row in rows[at:end]]
    if all(_known(parts) for parts in found) and all(len(_bare(row)) <= SURE_CAP for row in rows[at:end]):
        return end, tuple(part for parts in found for part in parts)
    return None


def _known(parts: Sequence[Segment]) -> bool:
    return any(part.urls or part.dated for part in parts)


def _urls_only(rows: Sequence[_Row], at: int) -> bool:
    if at >= len(rows) or rows[at].opaque or not rows[at].text:
        return False
    parts = segments(rows[at].line)
    return bool(parts) and all(part.urls and not part.publisher for part in parts)


def _is_link(row: _Row) -> bool:
    spans = list(links(row.line))
    return len(spans) == 1 and spans[0][1] - spans[0][0] >= len(row.text)


def _bare(row: _Row) -> str:
    """The text of a row without URLs."""
    return re.sub(r"https?://\S+", "", row.text)


def _is_afterword(part: Part) -> bool:
    if not isinstance(part, Block):
        return False
    return part.kind == "rule" or bool(_AFTERWARDS.fullmatch(part.text.strip()))
