"""Subscribers whose mail had no room for all that they were owed, and what they still wait for."""

from collections.abc import Sequence
from datetime import datetime

from newsletter.editions.owed import LOOK_BACK
from newsletter.lib import db
from newsletter.lib.pruning import Rule, Table, days
from newsletter.models import LeftOver

_OVERDUE = """
SELECT count(*) FROM (SELECT DISTINCT m.item_id, s.subscriber_id FROM left_over l
JOIN subscriber b ON b.id=l.subscriber_id AND b.state='active'
JOIN subscription s ON s.subscriber_id=l.subscriber_id AND s.ended_at IS NULL
JOIN "match" m ON m.topic_id=s.topic_id AND m.withdrawn_at IS NULL AND m.owed_at>=s.owed_from
  AND m.owed_at>%(look_back)s AND m.owe_until<=%(now)s
WHERE NOT EXISTS (SELECT 1 FROM delivery_item d WHERE d.item_id=m.item_id AND d.subscriber_id=s.subscriber_id)) o"""


def remember(subscriber_ids: Sequence[int], *, now: datetime) -> None:
    """Record, in the transaction that plans their mail, that these subscribers are owed more than it contains."""
    LeftOver.objects.bulk_create(
        [LeftOver(subscriber_id=subscriber_id, at=now) for subscriber_id in sorted(subscriber_ids)],
        update_conflicts=True,
        unique_fields=["subscriber_id"],
        update_fields=["at"],
    )


def overdue(*, now: datetime) -> int:
    """Count the articles that wait for room in somebody's mail ten days after they were first seen. None is lost before 20."""
    count: int = db.rows(_OVERDUE, {"now": now, "look_back": now - LOOK_BACK})[0][0]
    return count


def prune(*, now: datetime) -> int:
    """Delete the rows of subscribers who have been owed nothing more for as long as an item can be mailed; returns rows."""
    return LeftOver.objects.filter(at__lt=now - LOOK_BACK).delete()[0]


RULES = (
    Rule(
        "who is owed items that had no room in a mail",
        "by number",
        days(LOOK_BACK),
        "to put them into the next mail",
        (Table(LeftOver, lambda now: LeftOver.objects.filter(at__lt=now - LOOK_BACK)),),
        lambda now, _: {"left_over": prune(now=now)},
    ),
)
