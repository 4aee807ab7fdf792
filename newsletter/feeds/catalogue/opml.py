"""Read and write OPML 1.0 and 2.0 (opml.org), the format in which feed readers exchange their lists of feeds."""

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
from newsletter.lib.refused import Refused

_DECLARATION = re.compile(r"\A[\s\ufeff]*<\?xml\b[^<>]*\?>")
_REFERENCE = re.compile(r"&(?:#?\w{1,32};)?")
_QUOTES = {'"': "&quot;", "'": "&apos;"}


@dataclass(frozen=True)
class Outline:
    """A feed in an OPML file, with its URL as it stands there.

    From `title_given` on, the fields are attributes of this service's own files (namespace `newsletter`).
    """

    url: str
    title: str = ""
    line: int = 0
    #: The title is the operator's, not the feed's own.
    title_given: bool = False
    #: As in the feed's row; `cut` is empty if the file has none.
    cut: str = ""
    only: dict[str, list[str]] = field(default_factory=dict)
    paused: bool = False


@dataclass(frozen=True)
class OpmlProblem:
    """Why something on line `line` is left out."""

    line: int
    reason: str


@dataclass(frozen=True)
class Outlines:
    """The feeds of a file in its order, without its folders, and the outlines that were no feeds."""

    feeds: tuple[Outline, ...]
    problems: tuple[OpmlProblem, ...]


class _NotOpml(Exception):
    """Raised out of expat's handlers. The message says what to do."""


def read(data: bytes) -> Outlines | Refused:
    """Return the feeds that an OPML file lists. An outline that cannot be read is a problem, and does not stop the others.

    At the first error in its XML reading stops: the feeds before it are returned, and the last problem is its line.
    """
    # the declaration is of the bytes, which are decoded here; without it white space may come first
    text = _DECLARATION.sub(_line_breaks, strip_invalid_xml(decode(data, "")), count=1)
    if not text.strip():
        return Refused("it is empty")
    reader = _Reader()
    try:
        reader.read(_REFERENCE.sub(_repaired, text))
    except _NotOpml as error:
        return Refused(str(error))
    return Outlines(tuple(reader.feeds), tuple(reader.problems))


def write(feeds: Iterable[Outline], title: str, now: datetime) -> str:
    """Return an OPML 2.0 file of `feeds`, which `read` turns into the same feeds."""
    head = f"<title>{escape(strip_invalid_xml(title))}</title><dateCreated>{format_datetime(now)}</dateCreated>"
    outlines = "".join(f"    <outline {_attributes(feed)}/>\n" for feed in feeds)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0" xmlns:newsletter="urn:newsletter:opml">\n'
        f"  <head>{head}</head>\n  <body>\n{outlines}  </body>\n</opml>\n"
    )


def _attributes(feed: Outline) -> str:
    name = feed.title or feed.url
    attributes = {
        "type": "rss",
        "text": name,
        "title": name,
        "xmlUrl": feed.url,
        "newsletter:title": "given" if feed.title_given else "",
        "newsletter:cut": feed.cut,
        "newsletter:only": json.dumps(feed.only, ensure_ascii=False) if feed.only else "",
        "newsletter:state": "paused" if feed.paused else "",
    }
    return " ".join(f"{name}={quoteattr(strip_invalid_xml(value))}" for name, value in attributes.items() if value)


def _line_breaks(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")


def _repaired(reference: re.Match[str]) -> str:
    """Replace what readers write although it is no XML: bare ampersands (as in URLs), and HTML's names of characters."""
    char = html.unescape(reference[0])
    return escape(strip_invalid_xml(char), _QUOTES) if char != reference[0] else "&amp;" + reference[0][1:]


class _Reader:
    """Collects the outlines of one file."""

    def __init__(self) -> None:
        self.feeds = list[Outline]()
        self.problems = list[OpmlProblem]()
        self._parser: Any = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._element
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._in_opml = False

    def read(self, text: str) -> None:
        """Raises _NotOpml if this is no OPML file, or one that must not be read."""
        try:
            self._parser.Parse(text.encode(), True)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            if not self._in_opml:
                raise _NotOpml(f"it is no OPML file: {reason} on line {error.lineno}") from None
            advice = "nothing from here on is read. Correct this line and import the file again"
            self.problems.append(OpmlProblem(error.lineno, f"its XML is broken ({reason}): {advice}"))

    def _doctype(self, *_declared: object) -> None:
        raise _NotOpml("it has a DOCTYPE, which can blow up or reach for other files: remove that line")

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        if not self._in_opml and name.lower() != "opml":
            raise _NotOpml(_something_else(name))
        self._in_opml = True
        if name.lower() == "outline":
            line = self._parser.CurrentLineNumber
            outline = _outline(line, {key.lower(): value.strip() for key, value in reversed(attributes.items())})
            if isinstance(outline, OpmlProblem):
                self.problems.append(outline)
            elif outline is not None:
                self.feeds.append(outline)


def _outline(line: int, attributes: dict[str, str]) -> Outline | OpmlProblem | None:
    """Return the feed of an outline; None if it is a folder or a link."""
    url = re.sub(r"\Afeed:(?://)?(?=https?:)", "", attributes.get("xmlurl", ""), flags=re.IGNORECASE)
    url = re.sub(r"\Afeed://", "http://", url, flags=re.IGNORECASE)
    if not url:
        is_feed = attributes.get("type", "").lower() in ("rss", "atom")
        return OpmlProblem(line, "it has no xmlUrl") if is_feed else None
    title = single_line(attributes.get("text") or attributes.get("title", ""))
    only = _only(attributes.get("newsletter:only", "") or "{}")
    if only is None:
        return OpmlProblem(line, "what it is narrowed to (newsletter:only) cannot be read")
    given = attributes.get("newsletter:title") == "given" and bool(title)
    return Outline(
        url=url,
        title=title if given or title != url else "",
        line=line,
        title_given=given,
        cut=attributes.get("newsletter:cut", ""),
        only=only,
        paused=attributes.get("newsletter:state") == "paused",
    )


def _something_else(name: str) -> str:
    if name.lower() in ("rss", "feed", "rdf:rdf"):
        return "it is a feed itself: 'newsletter feeds add URL' adds one"
    return f"it is not an OPML file: it begins with <{single_line(name, cap=40)}>: export it from a feed reader as OPML"


def _only(text: str) -> dict[str, list[str]] | None:
    try:
        lists = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(lists, dict) or lists.keys() - {"authors", "categories", "languages"}:
        return None
    valid = all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists.values())
    return lists if valid else None
