"""Markdown (CommonMark) as HTML and plain text, for what admins type. HTML in it is text: it is shown as it was typed."""

from collections.abc import Iterator, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token


def to_html(text: str) -> str:
    """The text as HTML. Whoever shows it cleans it for its purpose: links are still as they were typed."""
    html: str = _parser().render(text)
    return html


def to_text(text: str) -> str:
    """The text without marks, for the text part of a mail: links follow their words, lists keep their dashes and numbers."""
    return "\n\n".join(_blocks(_parser().parse(text)))


def links(text: str) -> tuple[str, ...]:
    """Where the links of the text lead, each once, in order."""
    found: dict[str, None] = {}
    for token in _parser().parse(text):
        for child in token.children or ():
            if child.type == "link_open":
                found[str(child.attrs.get("href", ""))] = None
    return tuple(found)


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    """The paragraphs; the items of a list are one."""
    lists: list[int | None] = []  # of each open list the next number, None without numbers
    mark, items = "", list[str]()
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            lists.append(int(token.attrs.get("start", 1)) if token.type == "ordered_list_open" else None)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
            if not lists:
                yield "\n".join(items)
                items = []
        elif token.type == "list_item_open":
            number = lists[-1]
            mark = "- " if number is None else f"{number}. "
            lists[-1] = None if number is None else number + 1
        elif token.type in ("inline", "fence", "code_block"):
            words = _inline(token.children or ()) if token.type == "inline" else token.content.rstrip()
            if lists:
                items.append("  " * (len(lists) - 1) + (mark or "  ") + words.replace("\n", " "))
                mark = ""
            else:
                yield words
        elif token.type == "hr":
            yield "* * *"


def _inline(tokens: Sequence[Token]) -> str:
    words: list[str] = []
    opened: list[tuple[int, str]] = []
    for token in tokens:
        if token.type in ("text", "code_inline"):
            words.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            words.append("\n")
        elif token.type == "link_open":
            opened.append((len(words), str(token.attrs.get("href", ""))))
        elif token.type == "link_close":
            start, url = opened.pop()
            if "".join(words[start:]) not in (url, url.removeprefix("mailto:")):
                words.append(f" ({url})")
    return "".join(words)
