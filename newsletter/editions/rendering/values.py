"""The values that wording takes in and gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property


@dataclass(frozen=True)
class Frame:
    """Who the mails come from. `contact` is the address of a human, `sender` the name in From."""

    organisation: str
    postal_address: str
    contact: str
    sender: str
    base_url: str


@dataclass(frozen=True)
class Look:
    """What makes two people's mail differ, besides the items. `format` is `both` (HTML and text) or `text`."""

    locale: str
    format: str
    #: True: subject and preview say nothing of the content.
    discreet: bool


@dataclass(frozen=True)
class Source:
    """Where an item comes from; each part may be missing. `page` is equal for two URLs of the same page."""

    publisher: str
    published_on: date | None
    url: str
    page: bytes = b""


@dataclass(frozen=True)
class Span:
    """Matched words: offsets in code points into the piece's title or plain text (`field` is `title` or `text`).

    `stands_for` is the query's word that they are another spelling of; empty where they are that word itself.
    """

    field: str
    start: int
    end: int
    stands_for: str = ""


@dataclass(frozen=True)
class Reason:
    """Why an item is told: a topic's name or one's own keyword, and the words as they stand in the item.

    `stands_for` says of a word which word of the topic's query it is another spelling of. `objection` is the URL that counts
    one "not about this topic"; empty for an own keyword, whose URL would be the secret.
    """

    name: str = field(repr=False)
    own: bool
    words: tuple[str, ...] = field(repr=False)
    stands_for: Mapping[str, str] = field(default_factory=dict, repr=False)
    objection: str = field(default="", repr=False)


@dataclass(frozen=True)
class Piece:
    """One item in one version, as it is worded. `url` is the post's."""

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
class Block:
    """One place in a mail, rendered once for everybody who shares it: one item, or one story told by several."""

    html: str = field(repr=False)
    text: str = field(repr=False)
    title: str = field(repr=False)

    @cached_property
    def size(self) -> int:
        """Bytes of the HTML, or of the text where there is no HTML."""
        return len((self.html or self.text).encode())


@dataclass(frozen=True)
class Words:
    """A mail's wording, with places for what is personal. `html` is empty for people who want text only."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
