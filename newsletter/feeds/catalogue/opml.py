"""OPML 1.0 and 2.0 (opml.org): bytes of a file in, the feeds that it names out; and back."""

import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from newsletter.feeds.html.sanitize_text import single_line, strip_invalid_xml
from newsletter.feeds.parsing.encoding import decode

#: Places at which broken XML is skipped in one file.
MOST_BREAKS = 100
_DECLARATION = re.compile(r"\A[\s\ufeff]*<\?xml\b[^<>]*\?>")
_REFERENCE = re.compile(r"&(?:#?\w{1,32};)?")
_QUOTES = {'"': "&quot;", "'": "&apos;"}
#: What follows from an earlier break: tags that no longer pair, or a file that ends too early.
_FOLLOWS = frozenset(
    expat.errors.codes[text]
    for text in (
        expat.errors.XML_ERROR_TAG_MISMATCH,
        expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT,
        expat.errors.XML_ERROR_NO_ELEMENTS,
    )
)


@dataclass(frozen=True)
class Outline:
    """A feed in an OPML file: `url` as it stands on line `line` there, `title` its name.

    The rest is what this service's own files say besides (namespace `newsletter`): `title_given`: the title is the operator's,
    not the feed's own; `cut`, `only`, `paused` as in the feed's row. `cut` is empty where nothing is said.
    """

    url: str
    title: str = ""
    line: int = 0
    title_given: bool = False
    cut: str = ""
    only: dict[str, list[str]] = field(default_factory=dict)
    paused: bool = False


@dataclass(frozen=True)
class Problem:
    """Why something on line `line` is left out, in words."""

    line: int
    reason: str


@dataclass(frozen=True)
class Outlines:
    """The feeds of a file, in its order, folders dissolved; and what had to be left out."""

    feeds: tuple[Outline, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class NotOpml:
    """The file is something else, or must not be read; `reason` says what to do."""

    reason: str


class _Refused(Exception):
    """Raised out of expat's handlers: the whole file is refused."""


def read(data: bytes) -> Outlines | NotOpml:
    """The feeds that an OPML file names. An outline that cannot be read is a problem, and does not stop the others."""
    # the declaration says how the bytes were encoded; without it white space may come first
    text = _DECLARATION.sub(_line_ends, strip_invalid_xml(decode(data, "")), count=1)
    if not text.strip():
        return NotOpml("it is empty")
    body = _REFERENCE.sub(_mended, text).encode()
    found = _Found()
    try:
        start: int | None = 0
        while start is not None:
            start = found.parse_from(body, start)
    except _Refused as refused:
        return NotOpml(str(refused))
    return Outlines(tuple(found.feeds), tuple(sorted(found.problems, key=lambda one: one.line)))


def write(feeds: Iterable[Outline], title: str, now: datetime) -> str:
    """An OPML 2.0 file of `feeds`, which `read` turns into the same feeds."""
    head = f"<title>{escape(strip_invalid_xml(title))}</title><dateCreated>{format_datetime(now)}</dateCreated>"
    outlines = "".join(f"    <outline {_attributes(one)}/>\n" for one in feeds)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0" xmlns:newsletter="urn:newsletter:opml">\n'
        f"  <head>{head}</head>\n  <body>\n{outlines}  </body>\n</opml>\n"
    )


def _attributes(one: Outline) -> str:
    name = one.title or one.url
    said = {"type": "rss", "text": name, "title": name, "xmlUrl": one.url}
    said["newsletter:title"] = "given" if one.title_given else ""
    said["newsletter:cut"] = one.cut
    said["newsletter:only"] = json.dumps(one.only, ensure_ascii=False) if one.only else ""
    said["newsletter:state"] = "paused" if one.paused else ""
    return " ".join(f"{name}={quoteattr(strip_invalid_xml(value))}" for name, value in said.items() if value)


def _line_ends(part: re.Match[str]) -> str:
    return "\n" * part[0].count("\n")


def _mended(reference: re.Match[str]) -> str:
    """References that expat would stop at: bare ampersands (as in URLs), HTML's names, characters that XML forbids."""
    char = html.unescape(reference[0])
    return escape(strip_invalid_xml(char), _QUOTES) if char != reference[0] else "&amp;" + reference[0][1:]


class _Found:
    """Collects outlines from one or more passes of expat over one file."""

    def __init__(self) -> None:
        self.feeds = list[Outline]()
        self.problems = list[Problem]()
        self._breaks = 0

    def parse_from(self, body: bytes, start: int) -> int | None:
        """Read `body` from byte `start`; the byte at which to go on after broken XML, None at the end.

        Raises:
            _Refused: the whole file is refused.
        """
        prefix = b"<opml><body>" if start else b""
        lines_before = body.count(b"\n", 0, start)
        parser: Any = expat.ParserCreate("utf-8")
        first = True

        def element(name: str, attributes: dict[str, str]) -> None:
            nonlocal first
            if first and name.lower() != "opml":
                raise _Refused(_something_else(name))
            first = False
            if name.lower() == "outline":
                self._outline(lines_before + parser.CurrentLineNumber, attributes)

        parser.StartElementHandler = element
        parser.StartDoctypeDeclHandler = _doctype
        try:
            parser.Parse(prefix)
            parser.Parse(memoryview(body)[start:], True)
        except expat.ExpatError as error:
            if first and not start:
                raise _Refused(f"it is no OPML file: {expat.ErrorString(error.code)} on line {error.lineno}") from None
            self._broken(error, lines_before + error.lineno)
            after = body.find(b"<outline", start + parser.ErrorByteIndex - len(prefix) + 1)
            return after if after > start and self._breaks < MOST_BREAKS else None
        return None

    def _broken(self, error: expat.ExpatError, line: int) -> None:
        self._breaks += 1
        if self._breaks == MOST_BREAKS:
            self.problems.append(Problem(line, "so much of its XML is broken that the rest is not read"))
        elif self._breaks == 1 or error.code not in _FOLLOWS:
            self.problems.append(Problem(line, f"its XML is broken here: {expat.ErrorString(error.code)}"))

    def _outline(self, line: int, attributes: dict[str, str]) -> None:
        said = {name.lower(): value.strip() for name, value in reversed(attributes.items())}
        url = re.sub(r"\Afeed:(?://)?(?=https?:)", "", said.get("xmlurl", ""), flags=re.IGNORECASE)
        url = re.sub(r"\Afeed://", "http://", url, flags=re.IGNORECASE)
        if not url:
            if said.get("type", "").lower() in ("rss", "atom"):
                self.problems.append(Problem(line, "it has no xmlUrl"))
            return
        title = single_line(said.get("text") or said.get("title", ""))
        only = _only(said.get("newsletter:only", "") or "{}")
        if only is None:
            self.problems.append(Problem(line, "what it is narrowed to (newsletter:only) cannot be read"))
            return
        given = said.get("newsletter:title") == "given" and bool(title)
        self.feeds.append(
            Outline(
                url=url,
                title=title if given or title != url else "",
                line=line,
                title_given=given,
                cut=said.get("newsletter:cut", ""),
                only=only,
                paused=said.get("newsletter:state") == "paused",
            )
        )


def _doctype(*_declared: object) -> None:
    raise _Refused("it has a DOCTYPE, which can blow up or reach for other files: remove that line")


def _something_else(name: str) -> str:
    if name.lower() in ("rss", "feed", "rdf:rdf"):
        return "it is a feed itself: 'newsletter feeds add URL' adds one"
    return f"it is no OPML file, but begins with <{single_line(name, cap=40)}>: export it from a feed reader as OPML"


def _only(text: str) -> dict[str, list[str]] | None:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.keys() - {"authors", "categories", "languages"}:
        return None
    lists = all(isinstance(one, list) and all(isinstance(word, str) for word in one) for one in said.values())
    return said if lists else None
