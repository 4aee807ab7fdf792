"""Split blocks into rows, one for each line, and make blocks of them again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from newsletter.feeds.html.blocks import HEADINGS, MARKS, Block, Line, is_bold, line_text

#: A source line has at most so many characters besides its URLs; a longer one is a sentence that begins with the word.
#: One without date and URL is believed only at the end of an article, and shorter.
CERTAIN_CAP, UNCERTAIN_CAP = 300, 120
#: And with its URLs: a longer line is not even read.
LINE_CAP = 4000


@dataclass(frozen=True)
class Row:
    """One line of one block; `block` is its index."""

    block: int
    line: Line
    text: str
    #: Inside a list, a table and so on: taken only with the whole block.
    is_opaque: bool
    is_list: bool
    #: In a heading, or bold from end to end.
    is_emphasized: bool
    #: A rule, or the start of an article: no source line goes on below it.
    is_boundary: bool
    #: Under a picture or chart.
    is_caption: bool

    @property
    def size(self) -> int:
        """Characters besides URLs."""
        return len(re.sub(r"https?://\S+", "", self.text))


def to_rows(blocks: Sequence[Block]) -> list[Row]:
    """The rows of all blocks. A block without lines has an empty one."""
    return [
        Row(
            block=index,
            line=line,
            text=line_text(line),
            is_opaque=bool(block.whole),
            is_list=block.kind in ("ul", "ol"),
            is_emphasized=block.kind in HEADINGS or is_bold(line),
            is_boundary=block.kind in MARKS,
            is_caption=block.caption,
        )
        for index, block in enumerate(blocks)
        for line in block.lines or ((),)
    ]


def to_blocks(blocks: Sequence[Block], rows: Sequence[Row]) -> list[Block]:
    """The blocks that consist of `rows`, which are of `blocks`. Empty lines at either end are dropped."""
    lines: dict[int, list[Line]] = {}
    for row in rows:
        lines.setdefault(row.block, []).append(row.line)
    out: list[Block] = []
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
