"""The source line of an article, taken out of its text: `Source: Voice of America, May 5, 2020`, its URL behind or below."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from newsletter.feeds.blocks import Block, Line, line_text, links, shorten
from newsletter.feeds.sourceline import Cited, Segment, joined, segments

_WORDS = (
    r"(?:original\s+|news\s+)?sources?|quellen?|fuentes?|(?:первоисточник|источник)и?|"
    r"(?:消息|资料|資料|文章|新闻|新聞|信息)?[来來]源|出[处處]|原文链接|原文|المصادر|المصدر|مەنبەلەر|مەنبەسى|مەنبە"
)
_LABEL = re.compile(
    rf"[\s\-–—•*·▪]*[(（\[【]?\s*(?P<word>{_WORDS})\s*(?P<mark>[:：]|\s[-–—]+\s|[–—]|[)）\]】]?$)\s*", re.IGNORECASE
)
_BRACKETED = re.compile(rf"[(（\[【]\s*(?:{_WORDS})\s*[:：](?P<rest>.*?)[)）\]】]\s*[.。]?\s*$", re.IGNORECASE)
_PLURAL = re.compile(r"(?:original\s+|news\s+)?sources|quellen|fuentes|.*источники|المصادر|مەنبەلەر", re.IGNORECASE)
_AFTERWARDS = re.compile(r"The post .{1,600} appeared first on .{1,300}", re.IGNORECASE | re.DOTALL)
#: A source line has at most so many characters besides its URLs; a longer one is a sentence that begins with the word.
#: One without date and URL is believed only at the end of an article, and shorter.
SURE_CAP, UNSURE_CAP = 300, 120
_LISTS = ("ul", "ol")


@dataclass(frozen=True)
class SourceLine:
    """A source line, with the lines below it that belong to it. `sure`: it has a date or a URL, so it is no sentence."""

    cited: tuple[Cited, ...]
    sure: bool
    #: What stood there, to be put back when it turns out to be text.
    blocks: tuple[Block, ...]


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


@dataclass(frozen=True)
class _Taken:
    """Rows from `start` to before `end` are a source line; `keep` is how much of the first one is not."""

    start: int
    end: int
    keep: int
    cited: tuple[Cited, ...]


def find(blocks: Sequence[Block]) -> tuple[tuple[Cited, ...], tuple[Block, ...]]:
    """(sources, blocks without source lines) of one article: the closing source line first, then any sure one before it."""
    return collect(split(blocks))


def collect(parts: Sequence[Part]) -> tuple[tuple[Cited, ...], tuple[Block, ...]]:
    """`find` on what `split` gave. A line of WordPress's after the source ("The post … appeared first on …") goes as well."""
    end = len(parts)
    while end and isinstance(parts[end - 1], Block) and _is_afterword(parts[end - 1]):
        end -= 1
    closing = parts[end - 1] if end and isinstance(parts[end - 1], SourceLine) else None
    if closing is None:
        end = len(parts)
    cited: list[Cited] = list(closing.cited) if isinstance(closing, SourceLine) else []
    kept: list[Block] = []
    for part in parts[:end]:
        if isinstance(part, Block):
            kept.append(part)
        elif part is closing or part.sure:
            cited += part.cited
        else:
            kept += part.blocks
    return tuple(dict.fromkeys(cited)), tuple(kept)


def split(blocks: Sequence[Block]) -> tuple[Part, ...]:
    """`blocks` with each source line taken out of its block and put between what stood before and after it."""
    rows = [row for index, block in enumerate(blocks) for row in _rows(index, block)]
    parts: list[Part] = []
    at = 0
    while at < len(rows):
        taken = _source_at(rows, at)
        if taken is None:
            end = next((n for n in range(at + 1, len(rows)) if _begins(rows, n)), len(rows))
            parts += _rebuilt(blocks, rows[at:end])
            at = end
            continue
        first = rows[at]
        if taken.keep:
            parts += _rebuilt(blocks, [replace(first, line=shorten(first.line, taken.keep))])
        sure = any(one.url or one.published_on for one in taken.cited)
        parts.append(SourceLine(taken.cited, sure, tuple(_rebuilt(blocks, rows[at : taken.end]))))
        at = taken.end
    return tuple(parts)


def _rows(index: int, block: Block) -> list[_Row]:
    opaque = bool(block.whole)
    lines = block.lines or ((),)
    return [_Row(index, line, line_text(line).strip(), opaque, block.kind in _LISTS) for line in lines]


def _rebuilt(blocks: Sequence[Block], rows: Sequence[_Row]) -> list[Block]:
    """Rows as blocks again."""
    out: list[Block] = []
    lines: dict[int, list[Line]] = {}
    for row in rows:
        lines.setdefault(row.block, []).append(row.line)
    for index, kept in lines.items():
        block = blocks[index]
        if block.whole or block.kind == "rule":
            out.append(block)
            continue
        while kept and not kept[-1]:
            kept.pop()
        while kept and not kept[0]:
            kept.pop(0)
        if kept:
            out.append(replace(block, lines=tuple(kept)))
    return out


def _begins(rows: Sequence[_Row], at: int) -> bool:
    return _source_at(rows, at) is not None


def _source_at(rows: Sequence[_Row], at: int) -> _Taken | None:
    """The source line that begins at row `at`, if one does."""
    row = rows[at]
    if row.opaque or not row.text:
        return None
    label = _LABEL.match(row.text)
    if label is None:
        return _bracketed(row, at)
    offset = len(line_text(row.line)) - len(line_text(row.line).lstrip())
    own = segments(row.line, offset + label.end())
    open_ended = not own or _PLURAL.match(label["word"]) is not None
    end, below = _below(rows, at + 1, open_ended, any(part.urls for part in own), row.block)
    cited = joined((*own, *below))
    sure = any(one.url or one.published_on for one in cited)
    if not cited or len(_bare(row)) > (SURE_CAP if sure else UNSURE_CAP):
        return None
    # a dash or nothing at all behind the word may also be the beginning of a sentence or a heading
    return _Taken(at, end, 0, cited) if sure or label["mark"][:1] in (":", "：") else None


def _bracketed(row: _Row, at: int) -> _Taken | None:
    """`… the end of the text. (Source: BBC, 5 November 2020)`"""
    text = line_text(row.line)
    hit = _BRACKETED.search(text)
    if hit is None or len(hit["rest"]) > SURE_CAP:
        return None
    cited = joined(segments(row.line, hit.start("rest"), hit.end("rest")))
    return _Taken(at, at + 1, hit.start(), cited) if cited else None


def _below(
    rows: Sequence[_Row], at: int, open_ended: bool, has_url: bool, block: int
) -> tuple[int, tuple[Segment, ...]]:
    """(end, sources) of the lines below a label that belong to it: URLs, dates, further labels; names if it is open-ended."""
    end, found = at, list[Segment]()
    while at < len(rows):
        row = rows[at]
        if row.opaque:
            taken = _listed(rows, at) if open_ended and row.is_list else None
            if taken is None:
                break
            at = end = taken[0]
            found += taken[1]
            continue
        label = _LABEL.match(row.text) if row.text else None
        parts = segments(row.line, label.end() if label else 0) if row.text else ()
        if not row.text:
            at += 1
            continue
        wordless = bool(parts) and not any(part.publisher for part in parts)
        whole_link = row.block == block and not has_url and _is_link(row)
        named = open_ended and len(_bare(row)) <= UNSURE_CAP and (_known(parts) or _urls_only(rows, at + 1))
        if label is not None and label["mark"][:1] in (":", "：") and parts:
            open_ended = open_ended or _PLURAL.match(label["word"]) is not None
        elif not (wordless or whole_link or named):
            break
        if whole_link and not named:
            parts = tuple(replace(part, publisher="") for part in parts)
        has_url = has_url or any(part.urls for part in parts)
        found += parts
        at += 1
        end = at
    return end, tuple(found)


def _listed(rows: Sequence[_Row], at: int) -> tuple[int, tuple[Segment, ...]] | None:
    """(end, sources) of a list of which every item is a source."""
    end = at
    while end < len(rows) and rows[end].block == rows[at].block:
        end += 1
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
