"""Make the fields of an entry safe and cut them to size, the same for every kind of feed."""

import hashlib
import html as entities
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from newsletter.feeds.html.sanitize_html import BODY_CAP, sanitize
from newsletter.feeds.html.sanitize_text import TITLE_CAP, single_line, title_to_text
from newsletter.feeds.parsing.fingerprints import fingerprint
from newsletter.feeds.parsing.model import ParsedEntry

#: Guids longer than this are stored as their hash; categories of one entry; characters of a URL.
GUID_CAP, CATEGORY_CAP, URL_CAP = 500, 30, 2000
_EARLIEST, _AHEAD = datetime(1995, 1, 1, tzinfo=UTC), timedelta(hours=48)


@dataclass(frozen=True)
class DateBounds:
    """The time in which an entry can have been published: since 1995, and up to two days ahead of `now`."""

    now: datetime

    def check(self, moment: datetime | None) -> datetime | None:
        """`moment` in UTC, or None when it is out of bounds."""
        if moment is None:
            return None
        try:
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except OverflowError:
            return None
        return moment if _EARLIEST <= moment <= self.now + _AHEAD else None


def paragraphs(text: str) -> str:
    """Plain text as HTML: blank lines separate paragraphs, line ends stay."""
    parts = (part.strip() for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")[:BODY_CAP]))
    return "".join("<p>" + entities.escape(part, quote=False).replace("\n", "<br>") + "</p>" for part in parts if part)


def language_tag(text: str) -> str:
    """A language tag (BCP 47) of a sensible form, or an empty string."""
    plain = text.strip().replace("_", "-")
    return plain if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}", plain) else ""


@dataclass(frozen=True, slots=True)
class EntryFields:
    """An entry as its feed has it. `title`, `author` and `categories` are text, `html` may be dangerous; `url` and `base` are
    absolute or empty.
    """

    guid: str
    url: str
    title: str
    html: str
    base: str
    author: str
    categories: Sequence[str]
    published_at: datetime | None
    lang: str


def make_entry(fields: EntryFields, known: frozenset[str] = frozenset()) -> ParsedEntry:
    """Make the fields safe and cut them to size. An entry whose fingerprint is in `known` is returned without its HTML."""
    guid = single_line(fields.guid, cap=20_000)
    if len(guid) > GUID_CAP:
        guid = "sha256:" + hashlib.sha256(guid.encode()).hexdigest()
    html, categories = fields.html[:BODY_CAP], fields.categories[:CATEGORY_CAP]
    mark = fingerprint(fields.guid, fields.url, fields.title, html, fields.author, fields.lang, *categories)
    # without a date, or guid and title, an entry is recognised by its HTML (see `entry_identity`)
    unchanged = mark in known and bool(fields.published_at or (guid and fields.title.strip()))
    names = (_line(category, 100) for category in categories)
    return ParsedEntry(
        guid=guid,
        url=fields.url if len(fields.url) <= URL_CAP else "",
        title=_line(fields.title, TITLE_CAP),
        html="" if unchanged else sanitize(html),
        base=fields.base,
        author=_line(fields.author, 200),
        categories=tuple(dict.fromkeys(filter(None, names))),
        published_at=fields.published_at,
        lang=fields.lang,
        fingerprint=mark,
        unchanged=unchanged,
    )


def _line(text: str, cap: int) -> str:
    return title_to_text(entities.escape(text[:20_000], quote=False), cap=cap)
