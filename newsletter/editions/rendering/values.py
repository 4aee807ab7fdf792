"""The values that rendering takes and returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from datetime import time as clock_time
from functools import cached_property

from newsletter.lib.colors import Palette


@dataclass(frozen=True)
class Frame:
    """Who the mails come from."""

    organisation: str
    postal_address: str
    #: Address of a person who answers.
    contact: str
    #: Name in the From header.
    sender: str
    base_url: str
    #: One letter on the accent colour, beside the name.
    letter: str
    palette: Palette


@dataclass(frozen=True)
class Dateline:
    """Which alert or digest a mail is: it stands at the top and in a neutral subject."""

    #: `immediate`, `daily` or `weekly`.
    cadence: str
    #: Of a digest, in its readers' zone; of an alert in UTC.
    day: date
    #: Of an alert, in UTC: there may be several on one day.
    time: clock_time | None = None

    @property
    def key(self) -> str:
        """Differs where the mails of two occasions differ in their dateline."""
        return " ".join([self.cadence, self.day.isoformat(), *([f"{self.time:%H:%M}"] if self.time else [])])


@dataclass(frozen=True)
class MailOptions:
    """What makes two people's mail differ, besides the items."""

    locale: str
    #: `both` (HTML and text) or `text`.
    format: str
    #: True: subject and preview say nothing of the content.
    discreet: bool


@dataclass(frozen=True)
class Source:
    """Where an item comes from; each part may be missing."""

    publisher: str
    published_on: date | None
    url: str
    #: Equal for two URLs of the same page.
    page: bytes = b""


@dataclass(frozen=True)
class Span:
    """Where matched words stand: offsets in code points."""

    #: `title` or `text`: which of the item's two plain texts.
    field: str
    start: int
    end: int
    #: The query's word that these are another spelling of; empty where they are that word itself.
    stands_for: str = ""


@dataclass(frozen=True)
class Reason:
    """Why an item is in a mail."""

    #: A topic's name, or the reader's own keyword.
    name: str = field(repr=False)
    is_keyword: bool
    #: The matched words as they stand in the item.
    words: tuple[str, ...] = field(repr=False)
    #: Of some of these words: the word of the topic's query that they are another spelling of.
    stands_for: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: URL that counts one "not about this topic"; empty for a keyword, whose URL would reveal it.
    objection_url: str = field(default="", repr=False)


@dataclass(frozen=True)
class ItemContent:
    """One item in one version. `url` is the post's."""

    item_id: int
    version: int
    title: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    url: str
    sources: tuple[Source, ...]
    lang: str
    published_at: datetime


@dataclass(frozen=True)
class RenderedBlock:
    """One place in a mail, rendered once for everybody who shares it: one item, or one story that several items tell."""

    html: str = field(repr=False)
    text: str = field(repr=False)
    title: str = field(repr=False)

    @cached_property
    def size(self) -> int:
        """Bytes of the HTML, or of the text where there is no HTML."""
        return len((self.html or self.text).encode())


@dataclass(frozen=True)
class RenderedMail:
    """A mail with placeholders for what is personal. `html` is empty for people who want text only."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
