"""The fields of an entry made safe and brought to size, the same for every kind of feed."""

import hashlib
import html as entities
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from newsletter.feeds.chars import one_line, title_text
from newsletter.feeds.clean import BODY_CAP, safe
from newsletter.feeds.parsed import ParsedEntry

#: Entries of one fetch that are read; guids longer than this are stored as their hash; categories of one entry.
ENTRY_CAP, GUID_CAP, CATEGORY_CAP = 500, 500, 30
URL_CAP = 2000
_TAGS = re.compile(r"<[a-zA-Z!/][^<>]*>|&(?:lt|#60|#x3c);[a-zA-Z/]", re.IGNORECASE)


@dataclass(frozen=True)
class Window:
    """The time in which an entry can have been published: since 1995, and up to two days ahead of `now`."""

    now: datetime

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


def has_tags(text: str) -> bool:
    """True when `text` is HTML rather than plain text."""
    return _TAGS.search(text) is not None


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
) -> ParsedEntry:
    """An entry of raw fields. `title` is markup, `html` may be dangerous; `url` and `base` are absolute or empty."""
    plain_guid = one_line(guid, cap=20_000)
    if len(plain_guid) > GUID_CAP:
        plain_guid = "sha256:" + hashlib.sha256(plain_guid.encode()).hexdigest()
    return ParsedEntry(
        guid=plain_guid,
        url=url if len(url) <= URL_CAP else "",
        title=title_text(title),
        html=safe(html[:BODY_CAP]),
        base=base,
        author=title_text(author, cap=200),
        categories=tuple(dict.fromkeys(filter(None, (title_text(one, cap=100) for one in categories[:CATEGORY_CAP])))),
        published_at=published_at,
        lang=lang,
    )
