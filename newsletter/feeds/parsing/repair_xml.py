"""Repair the usual faults of XML feeds: junk around the feed, HTML entities, stray ampersands, a missing end."""

import html
import re

import regex

_ROOT = r"<(?:rss|feed|(?:\w+:)?RDF)\b"
#: Whatever comes before the first element of a feed, comments as a whole. `re` of Python 3.11.2 fails at possessive groups.
_BEFORE = regex.compile(
    rf"\A(?:[^<]++|(?><!--.*?-->)|<(?!!--|(?:rss|feed|(?:\w+:)?RDF)\b)[^>]*+>)*+(?={_ROOT})",
    regex.DOTALL | regex.IGNORECASE,
)
#: Character data sections stay as they are; of what begins with an ampersand only that which XML does not know is changed.
_REFERENCE = re.compile(
    r"<!\[CDATA\[.*?\]\]>|&(?!(?:amp|lt|gt|quot|apos);)(?:#(?P<code>\d{1,7}|[xX][0-9a-fA-F]{1,6});|(?P<name>\w{2,31});)?",
    re.DOTALL,
)
_END = re.compile(r"</(?:rss|feed|(?:\w+:)?RDF)\s*>", re.IGNORECASE)
_ENTRY_END = re.compile(r"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)
_NAME = re.compile(r"<([\w:]+)")
#: A feed's root in a web page.
_INSIDE = re.compile(
    r"<(?:rss\b[^<>]*>\s*<channel\b|feed\b[^<>]*\bxmlns\s*=\s*[\"']http://(?:www\.w3\.org/2005/Atom|purl\.org/atom/)"
    r"|(?:\w+:)?RDF\b[^<>]*\bxmlns)",
    re.IGNORECASE,
)
#: A page that shows nothing but a feed's source.
_SHOWN = regex.compile(
    r"<body[^<>]*+>\s*+(?:<div[^<>]*+>\s*+)?<pre[^<>]*+>\s*+(&lt;(?:\?xml|rss|feed|rdf:RDF)\b[^<]*+)</pre>",
    regex.IGNORECASE,
)
#: What an HTML parser makes of an RSS link.
_EMPTY_LINK = regex.compile(r"<link\s*+/?>\s*+(https?://[^\s<]++)(?!\s*+</link)", regex.IGNORECASE)


def repair(text: str) -> str:
    """`text` (without characters that XML forbids) as XML of the same meaning that is more likely to be well-formed.

    Of a feed that breaks off the complete entries stay.
    """
    before = _BEFORE.match(text)
    return _complete(_REFERENCE.sub(_reference, text[before.end() :] if before else text))


def embedded_feed(page: str) -> str:
    """The source of a feed in a web page, empty without one. Only parsing it shows whether it is a feed."""
    shown = _SHOWN.search(page)
    if shown:
        return html.unescape(shown[1])
    root = _INSIDE.search(page)
    before = page[: root.start()].lower() if root else ""
    if root is None or any(before.rfind(f"<{name}") > before.rfind(f"</{name}") for name in ("script", "style")):
        return ""
    inside = page[root.start() :].replace("<!--[CDATA[", "<![CDATA[").replace("]]-->", "]]>")
    return _EMPTY_LINK.sub(r"<link>\1</link>", inside)


def _reference(hit: re.Match[str]) -> str:
    if hit[0].startswith("<"):
        return hit[0]
    if hit["code"]:
        code = int(hit["code"][1:], 16) if hit["code"][0] in "xX" else int(hit["code"])
        return hit[0] if _is_xml(code) else ""
    if hit["name"]:
        known = html.unescape(hit[0])
        return html.escape(known) if known != hit[0] else f"&amp;{hit[0][1:]}"
    return "&amp;"


def _is_xml(code: int) -> bool:
    return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF


def _complete(text: str) -> str:
    """`text` up to the end of its root element, or up to its last complete entry, with the missing end tags."""
    ends = list(_END.finditer(text, max(len(text) - 100_000, 0)))
    if ends:
        return text[: ends[-1].end()]
    entries = list(_ENTRY_END.finditer(text))
    root = _NAME.match(text)
    if not entries or root is None:
        return text
    inside = "</channel>" if root[1].lower() == "rss" and text.rfind("</channel>", entries[-1].end()) < 0 else ""
    return f"{text[: entries[-1].end()]}{inside}</{root[1]}>"
