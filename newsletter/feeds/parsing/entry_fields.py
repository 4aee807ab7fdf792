"""The fields of an entry made safe and brought to size, the same for every kind of feed."""

import hashlib
import html as entities
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from newsletter.feeds.html.sanitize_html import BODY_CAP, sanitize
from newsletter.feeds.html.sanitize_text import TITLE_CAP, single_line, title_to_text
from newsletter.feeds.parsing.model import ParsedEntry

#: Entries of one fetch that are read; guids longer than this are stored as their hash; categories of one entry.
ENTRY_CAP, GUID_CAP, CATEGORY_CAP = 500, 500, 30
URL_CAP = 2000
#: Raised when what becomes of an entry (safe HTML, cut, citations) changes so much that stored entries should be read again.
REVISION = 3
#: Bytes of a mark, which are few: a chance of one in a billion billions that an edit is overlooked is small enough.
MARK = 8


@dataclass(frozen=True)
class Window:
    """What entries are held against: the time in which one can have been published (since 1995, and up to two days ahead of
    `now`), and the `marks` of those that are stored as they are."""

    now: datetime
    marks: frozenset[str] = frozenset()

    def checked(self, moment: datetime | None) -> datetime | None:
        """`moment` in UTC, or None when it is outside."""
        if moment is None:
            return None
        try:
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except OverflowError:
            return None
        return moment if datetime(1995, 1, 1, tzinfo=UTC) <= moment <= self.now + timedelta(hours=48) else None


def paragraphs(text: str) -> str:
    """Plain text as HTML: blank lines part paragraphs, line ends stay."""
    parts = (part.strip() for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")[:BODY_CAP]))
    return "".join("<p>" + entities.escape(part, quote=False).replace("\n", "<br>") + "</p>" for part in parts if part)


def is_feed_language(text: str) -> str:
    """A language tag (BCP 47) of a sensible form, or an empty string."""
    plain = text.strip().replace("_", "-")
    return plain if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}", plain) else ""


def entry(
    *,
    guid: str,
    url: str,
    title: str,
    html: str,
    base: str,
    author: str,
    categories: Sequence[str],
    published_at: datetime | None,
    lang: str,
    marks: frozenset[str] = frozenset(),
) -> ParsedEntry:
    """An entry of raw fields. `title`, `author` and `categories` are text, `html` may be dangerous; `url` and `base` are absolute
    or empty.

    One whose mark is among `marks` is not made safe: it comes without its HTML.
    """
    plain_guid = single_line(guid, cap=20_000)
    if len(plain_guid) > GUID_CAP:
        plain_guid = "sha256:" + hashlib.sha256(plain_guid.encode()).hexdigest()
    mark = _mark(guid, url, title, html[:BODY_CAP], author, lang, *categories[:CATEGORY_CAP])
    # without these it is known by its HTML (see `identity`)
    same = mark in marks and bool(published_at or (plain_guid and title.strip()))
    return ParsedEntry(
        guid=plain_guid,
        url=url if len(url) <= URL_CAP else "",
        title=_line(title, TITLE_CAP),
        html="" if same else sanitize(html[:BODY_CAP]),
        base=base,
        author=_line(author, 200),
        categories=tuple(dict.fromkeys(filter(None, (_line(one, 100) for one in categories[:CATEGORY_CAP])))),
        published_at=published_at,
        lang=lang,
        mark=mark,
        same=same,
    )


def _line(text: str, cap: int) -> str:
    return title_to_text(entities.escape(text[:20_000], quote=False), cap=cap)


def packed(marks: Sequence[str]) -> bytes:
    """`marks` as they are stored, those of as many entries as one fetch can have."""
    return bytes.fromhex("".join(marks[:ENTRY_CAP]))


def unpacked(marks: bytes) -> frozenset[str]:
    """The opposite of `packed`."""
    return frozenset(marks[at : at + MARK].hex() for at in range(0, len(marks), MARK))


def _mark(*words: str) -> str:
    said = f"{REVISION}" + "".join(f" {len(word)}:{word}" for word in words)
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=MARK).hexdigest()
