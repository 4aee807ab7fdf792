"""Shorten an item's HTML or text to a number of characters, at a word, with every tag closed."""

import html as entities
import re

from newsletter.lib.shorten import ELLIPSIS, shorten

#: A tag (with its slash and name), a character reference, or text.
_PART = re.compile(
    r"""<(/?)([a-zA-Z][a-zA-Z0-9]*)(?:[^<>"']|"[^"]*"|'[^']*')*>|&(?:#[0-9]+|#[xX][0-9a-fA-F]+|\w+);|[^<&]+|[<&]"""
)
#: HTML elements without an end tag (HTML Standard, "void elements"), as far as a mail may hold them.
_VOID = frozenset({"br", "hr"})


def shorten_text(text: str, length: int) -> str:
    """At most `length` characters of plain text, cut at a word, with an ellipsis where something is left out."""
    return shorten(text.strip(), length)


def shorten_html(fragment: str, length: int) -> str:
    """`fragment` (well-formed, as nh3 writes it) cut after `length` characters of its text, with an ellipsis.

    Tags do not count. Elements open at the cut are closed, so the result is well-formed as well.
    """
    parts: list[str] = []
    open_tags: list[str] = []
    left = length
    for part in _PART.finditer(fragment):
        name = part[2]
        if name is None:
            text = entities.unescape(part[0])
            if len(text) > left:
                cut = shorten(text, max(left, 1)).removesuffix(ELLIPSIS) if left > 1 else ""
                parts.append(entities.escape(cut, quote=False).rstrip(" \n.,;:–—-") + ELLIPSIS)
                break
            left -= len(text)
        elif part[1]:
            open_tags.pop()
        elif name.lower() not in _VOID:
            open_tags.append(name)
        parts.append(part[0])
    else:
        return fragment
    return "".join([*parts, *(f"</{name}>" for name in reversed(open_tags))])
