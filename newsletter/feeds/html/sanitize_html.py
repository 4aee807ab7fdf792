"""Sanitise HTML: an allow-list by nh3, no images, styles, forms or scripts, only absolute http(s) links.

`class` and `id` survive `sanitize`, for a feed's own selector of what begins an article; `parse_blocks` drops them.
"""

import re
from collections import Counter

import nh3

from newsletter.feeds.html import blocks, css_selector, layout_tables, tree
from newsletter.feeds.html.block_parser import to_blocks
from newsletter.feeds.html.redirectors import unwrap_redirect
from newsletter.feeds.html.sanitize_text import strip_control_chars
from newsletter.feeds.html.web_url import absolute_url

#: Kept by nh3; `blocks` dissolves those of them that only lay out.
TAGS = blocks.INLINE | blocks.WRAPPERS | blocks.FLOW | blocks.OPAQUE_PARTS | {"br", "hr", "span"}
#: Dropped with all that is in them.
EMPTIED = {
    *("script", "style", "title", "textarea", "select", "button", "iframe", "object", "svg", "math", "template"),
    *("audio", "video", "canvas", "noembed", "noframes", "xmp", "head"),
}
#: Characters of one entry's HTML that are read; more is left out.
BODY_CAP = 200_000


#: Deeper nesting than this is no article; nh3 would need time that grows with its square.
DEPTH_CAP = 300
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
#: Shown where nothing runs, as in a mail; nh3 would take what is in it for text, for browsers with scripts do.
_NOSCRIPT = re.compile(r"</?noscript\b[^<>]*>|<plaintext\b[^<>]*>", re.IGNORECASE)
_SHALLOW = frozenset({"p", "br", "hr", "img", "input", "link", "meta", "wbr", "source", "col"})


_CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    clean_content_tags=EMPTIED,
    attributes={"a": {"href"}, "*": {"lang", "dir", "class", "id"}, "ol": {"start"}},
    url_schemes={"http", "https"},
    strip_comments=True,
    link_rel=None,
)


def _too_deep(html: str) -> bool:
    if html.count("<") <= DEPTH_CAP:
        return False
    opened = Counter[str]()
    for hit in _TAG.finditer(html):
        name = hit[2].lower()
        if not hit[1] and name not in _SHALLOW:
            opened[name] += 1
            if opened.total() > DEPTH_CAP and opened[name] > DEPTH_CAP / 10:
                return True
        elif opened[name]:
            opened[name] -= 1
    return False


def sanitize(html: str) -> str:
    """`html` reduced to well-formed, allowed tags. Links stay as they are until `parse_blocks` resolves them."""
    html = _NOSCRIPT.sub(" ", strip_control_chars(html)[:BODY_CAP])
    return _CLEANER.clean(_TAG.sub(" ", html) if _too_deep(html) else html)


def parse_blocks(safe_html: str, base: str = "", starts: str = "") -> tuple[blocks.Block, ...]:
    """Parse what `sanitize` returned into blocks. Links are resolved against `base`, and dropped when they lead nowhere.

    `starts` is a CSS selector: what it matches is preceded by a block of kind start. Tables and lists that only lay out are
    dissolved.
    """
    valid = starts and not css_selector.refusal(starts)
    body = tree.parse(strip_control_chars(safe_html), starts.strip() if valid else "")
    layout = layout_tables.find_layout_containers(body)
    return to_blocks(body, layout, lambda href: unwrap_redirect(absolute_url(href, base)))


def to_text(html: str) -> str:
    """The plain text of `html`: paragraphs end in a blank line, items of a list begin with a dash or their number."""
    return blocks.to_text(parse_blocks(sanitize(html)))
