"""Tell plain text from markup: as the feed declares it (RFC 4287 section 3.1), else by a guess."""

import html
import re
from dataclasses import dataclass
from typing import Literal

from newsletter.feeds.html.sanitize_text import title_to_text
from newsletter.feeds.parsing.entry_fields import paragraphs

#: `text` and `html` are said; `atom` is text by default (Atom without a type), `unsaid` either (RSS says nothing).
Kind = Literal["text", "html", "atom", "unsaid"]


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: Elements that stand inside a line, those that make lines, and those that stand alone.
_INLINE = _names(
    "a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup tt u var"
)
_BLOCKS = _names(
    "address article aside audio blockquote body button center dd details div dl dt figcaption figure footer form h1 h2 h3 h4 h5"
    " h6 header html iframe label li main math nav noscript object ol p picture pre script section style summary svg table tbody"
    " td tfoot th thead tr ul video"
)
_ALONE = _names("br wbr hr img input link meta source embed")
_ANY = _INLINE | _BLOCKS | _ALONE
#: Tags that are certainly markup, even without an end.
_SURE = _names("br wbr hr p")
_IN_TITLES = _INLINE | _names("p div h1 h2 h3 h4 h5 h6")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s[^<>]*)?/?)>")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TAG_OR_SIGN = re.compile(rf"{_TAG.pattern}|<!--.*?-->|<", re.DOTALL)
#: Begins and ends with a tag.
_WRAPPED = re.compile(r"\s*<[a-z][a-z0-9]*\b[^<>]*>.*</?[a-z][^<>]*>\s*", re.IGNORECASE | re.DOTALL)
_PART = re.compile(r"<!--|-->|<[^<>]*>|[^<-]+|[<-]")
_BLANK = re.compile(r"[\s\u00ad\u200b-\u200f\u2060\ufeff<>-]*")
#: Characters of a text, and of a title, that are read.
LOOKED_AT, TITLE = 50_000, 8_000


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a feed as it stands there, its XML undone."""

    value: str = ""
    kind: Kind = "unsaid"


def as_line(text: Text, *, cap: int = 500) -> str:
    """`text` on one line, at most `cap` characters, safe to put in a header."""
    value = _BREAK.sub(" ", text.value[:TITLE]) if text.kind in ("html", "unsaid") else text.value[:TITLE]
    if text.kind in ("text", "atom"):
        return title_to_text(html.escape(value, quote=False), cap=cap)
    if text.kind == "unsaid":
        value = _without_markup(value)
    return title_to_text(value, cap=cap)


def as_html(text: Text) -> str:
    """`text` as HTML, not made safe."""
    value = text.value
    if text.kind == "html" or (text.kind == "unsaid" and is_markup(value)):
        return value
    if text.kind == "atom" and _WRAPPED.fullmatch(value) and _paired(value) & (_BLOCKS | {"a"}):
        return value  # HTML without the type that it should have
    if text.kind != "unsaid":
        return paragraphs(value)
    plain = html.escape(html.unescape(value.strip()), quote=False)
    return re.sub(r"\n\s*\n", "<p>", plain).replace("\n", "<br>")


def is_markup(value: str) -> bool:
    """True for a text with tags that are there to be obeyed: `Vec<T>` has none, nor has "the <b> tag"."""
    if "<" not in value:
        return False
    if "<!--" in value and "-->" in value:
        return True
    opened = set[str]()
    for hit in _TAG.finditer(value[:LOOKED_AT]):
        name = hit[2].lower()
        if name in _SURE or (hit[1] and name in opened) or ("=" in hit[3] and name in _ANY):
            return True
        if not hit[1] and name in _ANY:
            opened.add(name)
    return False


def has_words(markup: str) -> bool:
    """True when anything of `markup` is to be read: not only tags, scripts, white space and invisible characters."""
    until = ""
    for hit in _PART.finditer(markup[:LOOKED_AT]):
        part = hit[0]
        if until:
            until = "" if part.lower().startswith(until) else until
        elif part == "<!--":
            until = "-->"
        elif hidden := re.match(r"<(script|style)\b", part, re.IGNORECASE):
            until = f"</{hidden[1].lower()}"
        elif not part.startswith("<") and not _BLANK.fullmatch(html.unescape(part)):
            return True
    return False


def _paired(value: str) -> frozenset[str]:
    """Names of elements that are opened and closed."""
    tags = _TAG.findall(value[:LOOKED_AT])
    opened = frozenset(name.lower() for closing, name, _ in tags if not closing)
    return opened & frozenset(name.lower() for closing, name, _ in tags if closing)


def _without_markup(value: str) -> str:
    """A title without its tags, where they are tags; what else has angle brackets stays."""
    if "<" not in value:
        return value
    names = (_paired(value) & _IN_TITLES) | {"wbr"}

    def stripped(hit: re.Match[str]) -> str:
        name = (hit[2] or "").lower()
        is_tag = name in names or ("=" in (hit[3] or "") and name in _INLINE | _ALONE)
        return "" if is_tag or hit[0].startswith("<!--") else html.escape(hit[0], quote=False)

    return _TAG_OR_SIGN.sub(stripped, value)
