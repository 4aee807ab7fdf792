"""Shorten text for a line: at a word where there is one near, with an ellipsis."""

from typing import Final

ELLIPSIS: Final = "…"


def shorten(text: str, length: int) -> str:
    """At most `length` characters of `text`; cut at a word unless that would lose more than a third of them."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > length * 2 // 3 else cut).rstrip(" \n.,;:–—-") + ELLIPSIS
