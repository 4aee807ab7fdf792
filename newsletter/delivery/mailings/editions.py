"""The editions of a mailing: how many get each, what is in it, and what became of its mails.

An edition that few people get is nearly personal: it says what they follow. Who may see such an edition is decided by the caller,
with `least`.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from newsletter.delivery.mailings.edition_items import StoryItem, content_of, edition_items, has_keywords, items_of_all
from newsletter.delivery.mailings.sums import MailingSums, field_of
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.models import Edition, EditionBody

# The first row is about all of them, whether they are listed or not.
_SIZED = """
WITH sized AS MATERIALIZED (SELECT edition_id, count(*) AS people FROM delivery WHERE occasion_id=%(occasion)s GROUP BY 1)
SELECT 0, 0, count(*), coalesce(sum(CASE WHEN people<%(least)s THEN 1 END), 0),
  coalesce(sum(CASE WHEN people<%(least)s THEN people END), 0) FROM sized
UNION ALL SELECT * FROM (
  SELECT edition_id, people, 0, 0, 0 FROM sized WHERE people>=%(least)s ORDER BY people DESC, edition_id
  LIMIT %(limit)s) listed"""
_STATES = """
SELECT d.state, b.state, b.held_at IS NOT NULL, count(*) FROM delivery d JOIN batch b ON b.id=d.batch_id
WHERE d.occasion_id=%(occasion)s AND d.edition_id=%(edition)s GROUP BY 1, 2, 3"""


@dataclass(frozen=True)
class EditionRow:
    """An edition in the list of a mailing."""

    id: int
    people: int
    items: tuple[StoryItem, ...]
    held_at: datetime | None


@dataclass(frozen=True)
class EditionList:
    """The largest editions of a mailing, those with at least `least` people, and the others in sum."""

    rows: tuple[EditionRow, ...]
    #: How many editions there are in all.
    total: int
    #: Editions with fewer people, and their people together.
    small: int
    small_people: int

    @property
    def more(self) -> int:
        """Editions that are neither listed nor small."""
        return self.total - self.small - len(self.rows)


@dataclass(frozen=True)
class EditionDetail:
    """One edition of a mailing."""

    id: int
    occasion_id: int
    sums: MailingSums
    items: tuple[StoryItem, ...]
    held_at: datetime | None
    #: Why it could not be worded.
    parked_reason: str | None
    #: Some of its items are there for keywords of subscribers, which are shown to nobody.
    has_keywords: bool
    has_body: bool

    @property
    def people(self) -> int:
        """How many get it."""
        return self.sums.planned


def editions_of(occasion_id: int, *, least: int = 1, limit: int = 50) -> EditionList:
    """The editions of a mailing by size."""
    rows = db.rows(_SIZED, {"occasion": occasion_id, "least": least, "limit": limit})
    _, _, total, small, small_people = rows[0]
    sizes = {edition_id: people for edition_id, people, *_ in rows[1:]}
    editions = Edition.objects.in_bulk(list(sizes))
    contents = [content_of(editions[edition_id]) for edition_id in sizes]
    listed = zip(sizes.items(), items_of_all(contents), strict=True)
    return EditionList(
        tuple(EditionRow(number, people, items, editions[number].held_at) for (number, people), items in listed),
        total,
        int(small),
        int(small_people),
    )


def edition_detail(occasion_id: int, edition_id: int, *, least: int = 1) -> EditionDetail | Refused:
    """One edition, if at least `least` people get it."""
    edition = Edition.objects.filter(id=edition_id).first()
    sums = _states(occasion_id, edition_id) if edition else MailingSums()
    if edition is None or not sums.planned:
        return Refused("there is no such edition: records are kept for 14 days")
    if sums.planned < least:
        return Refused("few people get this edition, and it shows what they follow: only owners may open it")
    return EditionDetail(
        id=edition.id,
        occasion_id=occasion_id,
        sums=sums,
        items=edition_items(content_of(edition)),
        held_at=edition.held_at,
        parked_reason=edition.parked_reason,
        has_keywords=has_keywords(edition),
        has_body=EditionBody.objects.filter(edition=edition).exists(),
    )


def _states(occasion_id: int, edition_id: int) -> MailingSums:
    counts: Counter[str] = Counter()
    for own, batch_state, is_held, mails in db.rows(_STATES, {"occasion": occasion_id, "edition": edition_id}):
        field = field_of(own or batch_state)
        counts[field] += mails
        if field == "parked" and is_held:
            counts["held"] += mails
    return MailingSums(**counts)
