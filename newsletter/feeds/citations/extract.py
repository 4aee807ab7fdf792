"""Extract source lines from an article: `Source: Voice of America, May 5, 2020`, with its URL behind or below."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from newsletter.feeds.citations.continuation import read_below
from newsletter.feeds.citations.rows import CERTAIN_CAP, LINE_CAP, UNCERTAIN_CAP, Row, to_blocks, to_rows
from newsletter.feeds.citations.source_line import CitedSource, join_segments, segments
from newsletter.feeds.html.blocks import Block, Run, shorten, tail, tidy_line
from newsletter.feeds.html.source_labels import BRACKETED, LABEL, has_colon, is_plural

_AFTERWORD = re.compile(r"The post .{1,600} appeared first on .{1,300}", re.IGNORECASE | re.DOTALL)
#: What a sentence has and a name has not: a question mark, a full stop with more behind it, many words.
_SENTENCE = re.compile(r"[?!？！。؟]|(?<=[^\W\d_A-Z])\.\s+\S+\s+\S|(?:\S+\s+){10}\S")


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
class _Match:
    """Rows from `start` to before `end` are a source line, but for the first `text` characters."""

    start: int
    end: int
    text: int
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
            kept[-1:] = _rejoin(kept[-1], part.blocks)
        else:
            kept += part.blocks
    return tuple(dict.fromkeys(cited)), tuple(kept)


def _rejoin(before: Block, after: Sequence[Block]) -> list[Block]:
    """A block with what was taken off the end of its last line."""
    line = tidy_line((*before.lines[-1], Run(" "), *after[0].lines[0]))
    return [replace(before, lines=(*before.lines[:-1], line, *after[0].lines[1:])), *after[1:]]


def mark_source_lines(blocks: Sequence[Block]) -> tuple[Part, ...]:
    """`blocks` with each source line taken out of its block and put between what stood before and after it."""
    rows = to_rows(blocks)
    parts: list[Part] = []
    index = done = 0
    while index < len(rows):
        match = _match(rows, index)
        if match is None:
            index += 1
            continue
        row = rows[index]
        before = [replace(row, line=shorten(row.line, match.text))] if match.text else []
        taken = [replace(row, line=tidy_line(tail(row.line, match.text))), *rows[index + 1 : match.end]]
        parts += to_blocks(blocks, [*rows[done:index], *before])
        parts.append(
            SourceLine(
                match.cited,
                _is_certain(match.cited),
                tuple(to_blocks(blocks, taken)),
                was_inline=bool(before and before[0].line),
                caption=row.is_caption,
            )
        )
        index = done = match.end
    return (*parts, *to_blocks(blocks, rows[done:]))


def _match(rows: Sequence[Row], index: int) -> _Match | None:
    """The source line that begins in row `index`, if one does."""
    row = rows[index]
    if row.is_opaque or not row.text.strip():
        return None
    label = LABEL.match(row.text) if len(row.text) <= LINE_CAP else None
    if label is None:
        return _match_bracketed(row, index)
    plural = is_plural(label)
    own = segments(row.line, label.end(), plural=plural)
    end, below = read_below(rows, index, own, plural=plural)
    cited = join_segments((*own, *below))
    certain = _is_certain(cited)
    if not cited or row.size > (CERTAIN_CAP if certain else UNCERTAIN_CAP):
        return None
    # a dash or nothing at all behind the word may also be the beginning of a sentence or a heading
    return _Match(index, end, 0, cited) if certain or (has_colon(label) and _are_names(cited)) else None


def _match_bracketed(row: Row, index: int) -> _Match | None:
    """`… the end of the text. (Source: BBC, 5 November 2020)`"""
    begin = max(0, len(row.text) - LINE_CAP)
    hit = BRACKETED.search(row.text, begin)
    if hit is None or len(hit["rest"]) > CERTAIN_CAP:
        return None
    line = tail(row.line, begin)
    cited = join_segments(segments(line, hit.start("rest") - begin, hit.end("rest") - begin, plural=is_plural(hit)))
    is_source = _is_certain(cited) or (hit["mark"] and _are_names(cited))
    return _Match(index, index + 1, hit.start(), cited) if cited and is_source else None


def _is_certain(cited: Sequence[CitedSource]) -> bool:
    return any(source.url or source.published_on for source in cited)


def _are_names(cited: Sequence[CitedSource]) -> bool:
    return not any(_SENTENCE.search(source.publisher) for source in cited)


def _is_afterword(part: Part) -> bool:
    if not isinstance(part, Block):
        return False
    return part.kind == "rule" or bool(_AFTERWORD.fullmatch(part.text.strip()))
