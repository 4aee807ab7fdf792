"""A feed's own CSS selector of what begins an article: is it one, and where does it match in a safe HTML?"""

import re

import soupsieve
from bs4 import BeautifulSoup

from newsletter.feeds.html.blocks import HEADINGS, INLINE, OPAQUE_PARTS, WRAPPERS

#: Where a tag begins: (line, column), as `html.parser` counts them.
Place = tuple[int, int]
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
        soupsieve.compile(plain)
    except (soupsieve.SelectorSyntaxError, NotImplementedError) as error:
        what = str(error).partition("\n")[0].rstrip(".")
        return f"'{plain}' is no CSS selector that we know ({what}): write one such as h3.entry-title"
    return ""


def places(safe_html: str, selector: str) -> frozenset[Place]:
    """Where the tags begin that `selector` matches; nowhere when it cannot be used."""
    if refusal(selector):
        return frozenset()
    # html.parser, because the reader of blocks is one as well: both find the same tags at the same places
    soup = BeautifulSoup(safe_html, "html.parser")
    found = (tag for tag in soupsieve.select(selector.strip(), soup))
    return frozenset((tag.sourceline, tag.sourcepos) for tag in found if tag.sourceline and tag.sourcepos is not None)
