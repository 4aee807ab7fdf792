"""A feed's own CSS selector of what begins an article."""

import re

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from newsletter.feeds.html.blocks import HEADINGS, INLINE, OPAQUE_PARTS, WRAPPERS

LONGEST = 300
_KNOWN = INLINE | WRAPPERS | OPAQUE_PARTS | {"p", "span", "hr", *HEADINGS}


def refusal(selector: str) -> str:
    """Why `selector` cannot be used, on one line with what to do; empty when it can."""
    plain = selector.strip()
    if not plain or len(plain) > LONGEST:
        return f"a CSS selector has 1 to {LONGEST} characters: write one such as h3.entry-title"
    if re.fullmatch(r"[\w-]+", plain) and plain.lower() not in _KNOWN:
        return (
            f"'{plain}' is neither auto, never or always nor an HTML tag: write a CSS selector such as h3.entry-title"
        )
    try:
        LexborHTMLParser("").css(plain)
    except SelectolaxError:
        return f"'{plain}' is no CSS selector that we know: write one such as h3.entry-title"
    return ""
