"""Markdown (CommonMark) as HTML, for what admins type. HTML in it is shown as it was typed, and is never HTML."""

from functools import cache

from markdown_it import MarkdownIt


def to_html(text: str) -> str:
    """The text as HTML. Whoever shows it cleans it for its purpose: links are still as they were typed."""
    html: str = _parser().render(text)
    return html


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
