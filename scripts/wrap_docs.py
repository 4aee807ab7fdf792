"""Wrap paragraphs and list items of the docs that have a line of more than 100 characters (`make docs`)."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDTH = 100
_ITEM = re.compile(r"( *)((?:[-*]|\d+\.) )?")
#: Not prose: tables, headings, comments, pictures and the lines around front matter.
_WHOLE_LINE = ("|", "#", "<!--", "![", "---")
_STARTS_ITEM = re.compile(r" *(?:[-*]|\d+\.) |\*\w")
_SPACE = "\0"


def pages() -> list[Path]:
    """Every Markdown file that people write."""
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")]


def wrap(text: str) -> str:
    """Return `text` with over-long paragraphs wrapped. Commands and names in backticks stay on one line."""
    return "\n".join(line for block, is_prose in _blocks(text) for line in (_wrapped(block) if is_prose else block))


def _blocks(text: str) -> Iterator[tuple[list[str], bool]]:
    """Yield paragraphs and list items, which are prose, and each line of anything else by itself."""
    block: list[str] = []
    fenced = False
    for line in text.split("\n"):
        fence = line.startswith("```")
        is_prose = not (fenced or fence or not line.strip() or line.startswith(_WHOLE_LINE))
        fenced ^= fence
        if block and (not is_prose or _STARTS_ITEM.match(line)):
            yield block, True
            block = []
        if is_prose:
            block.append(line)
        else:
            yield [line], False
    if block:
        yield block, True


def _wrapped(block: list[str]) -> list[str]:
    if all(len(line) <= WIDTH for line in block):
        return block
    indent, mark = (part or "" for part in _ITEM.match(block[0]).groups())  # type: ignore[union-attr]
    words = re.sub(r"`[^`]{1,78}`", lambda code: code[0].replace(" ", _SPACE), " ".join(line.strip() for line in block))
    lines = textwrap.wrap(
        words.removeprefix(mark),
        WIDTH,
        initial_indent=indent + mark,
        subsequent_indent=indent + " " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_SPACE, " ") for line in lines]


def main() -> None:
    """Wrap all pages."""
    for page in pages():
        page.write_text(wrap(page.read_text()))


if __name__ == "__main__":
    main()
