"""What one person was mailed: each mail that the ledger still has, and how many articles they were given."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from newsletter.delivery.ledger.given_items import GIVEN_ITEMS
from newsletter.lib import db
from newsletter.models import Notice

#: Who was given which item is kept for so long.
GIVEN: Final = timedelta(days=21)
# By occasion, because a person's deliveries have no index of their own; of notices only theirs.
_MAILS = """
SELECT d.id, o.kind, o.created_at, coalesce(d.state,b.state), coalesce(d.reason,b.reason), e.content
FROM occasion o JOIN delivery d ON d.occasion_id=o.id AND d.subscriber_id=%(who)s
JOIN batch b ON b.id=d.batch_id LEFT JOIN edition e ON e.id=d.edition_id
WHERE o.kind<>'notice' OR {own_notice} ORDER BY d.id DESC LIMIT %(limit)s"""
_GIVEN = f"""
SELECT d.item_id FROM delivery_item d JOIN item i ON i.id=d.item_id AND i.first_seen_at>%(since)s
WHERE d.subscriber_id=%(who)s AND d.item_id IN ({GIVEN_ITEMS})"""


@dataclass(frozen=True)
class PersonMail:
    """A mail: what for (alert, digest, notice, …), its state, how many articles, and the ids of the topics they match."""

    delivery_id: int
    kind: str
    planned_at: datetime
    state: str
    reason: str | None
    articles: int
    topic_ids: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True)
class GivenArticles:
    """How many articles of the last 21 days a person was given, and how many of them matched each topic."""

    count: int
    by_topic: Mapping[int, int] = field(repr=False)


def mails_of(subscriber_id: int, *, limit: int = 200) -> list[PersonMail]:
    """The newest mails of a person, the newest first. Deliveries are kept for 14 days."""
    own = Notice.objects.filter(subscriber=subscriber_id).values_list("id", flat=True)
    rows = db.rows(
        _MAILS.format(own_notice=db.in_list("o.key", "notices")),
        {"who": subscriber_id, "notices": [f"notice:{number}" for number in own], "limit": limit},
    )
    return [
        PersonMail(number, kind, _aware(at), state, reason, *_content(kind, content))
        for number, kind, at, state, reason, content in rows
    ]


def given_articles(subscriber_id: int, topic_ids: Collection[int], *, now: datetime) -> GivenArticles:
    """What a person was given in 21 days, by those of these topics that matched it."""
    upto = db.rows("SELECT max(item_id) FROM delivery_item")[0][0] or 0
    items = [number for (number,) in db.rows(_GIVEN, {"who": subscriber_id, "since": now - GIVEN, "upto": upto})]
    matched = db.rows(
        f"SELECT topic_id, count(*) FROM match WHERE withdrawn_at IS NULL AND {db.in_list('item_id', 'items')} "
        f"AND {db.in_list('topic_id', 'topics')} GROUP BY 1",
        {"items": items, "topics": list(topic_ids)},
    )
    return GivenArticles(len(items), {topic_id: int(count) for topic_id, count in matched})


def _aware(moment: datetime) -> datetime:
    """A moment as SQLite returns it is without its zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _content(kind: str, content: str | None) -> tuple[int, tuple[int, ...]]:
    """How many articles an edition has, and the topics they are for."""
    items = json.loads(content) if content and kind in ("alert", "digest") else []
    return len(items), tuple(sorted({topic_id for _, _, topic_ids in items for topic_id in topic_ids}))
