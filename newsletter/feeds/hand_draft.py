"""What an admin typed to publish an item by hand: checked, cleaned, and made into the one piece that is stored."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from newsletter.feeds.citations.source_line import PUBLISHER_CAP, CitedSource
from newsletter.feeds.cutting.cut import Piece, cut_entry
from newsletter.feeds.html import sanitize_html
from newsletter.feeds.html.sanitize_text import TITLE_CAP, single_line, strip_control_chars
from newsletter.feeds.html.web_url import absolute_url
from newsletter.feeds.parsing.model import ParsedEntry
from newsletter.lib.mail import markdown

#: Characters of a text; a feed's entry may have as many (`sanitize_html.BODY_CAP`).
LONGEST = 100_000


@dataclass(frozen=True)
class HandDraft:
    """An item as it was typed. `url`: where the original can be read. `language`: a code such as "en"; it decides which
    forms of a word are the same.
    """

    title: str = field(repr=False)
    markdown: str = field(repr=False)
    publisher: str = ""
    published_on: date | None = None
    url: str = ""
    language: str = "en"


def problems(draft: HandDraft, *, now: datetime) -> dict[str, str]:
    """What must be changed before this can be published: field → what is wrong with it, and what to do."""
    found: dict[str, str] = {}
    if not single_line(draft.title):
        found["title"] = "write a title: it is the headline in the mail"
    elif len(" ".join(draft.title.split())) > TITLE_CAP:
        found["title"] = f"the title is longer than {TITLE_CAP} characters: shorten it"
    if len(draft.markdown) > LONGEST:
        found["markdown"] = f"the text is longer than {LONGEST:,} characters: shorten it, or make it two items"
    elif not _html(draft).strip():
        found["markdown"] = "write a text: an item without one has nothing to match"
    if len(single_line(draft.publisher)) > PUBLISHER_CAP:
        found["publisher"] = f"the publisher's name is longer than {PUBLISHER_CAP} characters: shorten it"
    if draft.url.strip() and not absolute_url(draft.url.strip()):
        found["url"] = "this is not an address of a web page: it begins with https:// or http://"
    if draft.published_on and draft.published_on > now.astimezone(UTC).date() + timedelta(days=1):
        found["published_on"] = "this day is still to come: write when the original was published"
    return found


def entry_of(draft: HandDraft, guid: str, *, now: datetime) -> ParsedEntry:
    """A draft without problems as the entry of a feed."""
    return ParsedEntry(
        guid=guid,
        url=absolute_url(draft.url.strip()),
        title=single_line(draft.title).replace("=?", "= ?"),
        html=_html(draft),
        base=absolute_url(draft.url.strip()),
        author="",
        categories=(),
        published_at=now,
        lang=draft.language,
    )


def piece_of(draft: HandDraft, entry: ParsedEntry) -> Piece:
    """The one item of the entry: never cut; the source that was typed beside the text comes before those in it."""
    [piece] = cut_entry(entry, "never").pieces
    typed = CitedSource(single_line(draft.publisher), draft.published_on, entry.url)
    if not (typed.publisher or typed.published_on or typed.url):
        return piece
    others = tuple(source for source in piece.cited if not source.url or source.canonical != typed.canonical)
    return replace(piece, cited=(typed, *others))


def _html(draft: HandDraft) -> str:
    return sanitize_html.sanitize(markdown.to_html(strip_control_chars(draft.markdown)))
