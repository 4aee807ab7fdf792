"""Move the followers of a topic to another one: nobody loses or doubles a subscription, and each is told once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from newsletter.lib import db
from newsletter.lib.crypto import new_nonce
from newsletter.models import Notice, Subscriber, Subscription, Topic
from newsletter.subscribers.notices import VALID

#: Notices written at once.
_AT_ONCE: Final = 2_000
# What matched before is owed by the subscription that ends (`editions/owed.py`), so the new one begins now.
_BEGIN: Final = """
INSERT INTO subscription (subscriber_id, topic_id, cadence, owed_from, changed_at, created_at, source)
SELECT s.subscriber_id, %(target)s, s.cadence, %(now)s, %(now)s, s.created_at, s.source FROM subscription s
WHERE s.topic_id=%(source)s AND s.ended_at IS NULL {person}
AND NOT EXISTS
  (SELECT 1 FROM subscription t WHERE t.topic_id=%(target)s AND t.subscriber_id=s.subscriber_id AND t.ended_at IS NULL)
ON CONFLICT DO NOTHING"""
_END: Final = """
UPDATE subscription AS s SET ended_at=%(now)s, ended_reason='merged', changed_at=%(now)s
WHERE s.topic_id=%(source)s AND s.ended_at IS NULL {person}"""


@dataclass(frozen=True)
class MovedFollowers:
    """Exact numbers, not to be shown. `moved` follow the other topic now; `both` did already; `told` get a mail about it."""

    moved: int
    both: int
    told: int


def move_followers(source_id: int, target_id: int, *, now: datetime) -> MovedFollowers:
    """Move everybody who follows a topic, with their frequency; who follows both keeps the other subscription as it is.

    Call it in the transaction that retires the topic, whose row is locked. Who is told: people who are confirmed, by one mail for
    all topics that were merged until it is planned.
    """
    values = {"source": source_id, "target": target_id, "now": now}
    moved = db.execute(_BEGIN.format(person=""), values)
    ended = db.execute(_END.format(person=""), values)
    return MovedFollowers(moved, ended - moved, _tell(source_id, now))


def move_person(subscriber_id: int, *, now: datetime) -> None:
    """Move what somebody follows again of topics that were merged meanwhile: they took back that they had left."""
    live = Subscription.objects.filter(subscriber_id=subscriber_id, ended_at=None)
    gone = live.filter(topic__state=Topic.State.RETIRED, topic__merged_into__isnull=False)
    for source_id, target_id in list(gone.values_list("topic_id", "topic__merged_into_id")):
        values: dict[str, Any] = {"source": source_id, "target": target_id, "now": now, "person": subscriber_id}
        db.execute(_BEGIN.format(person="AND s.subscriber_id=%(person)s"), values)
        db.execute(_END.format(person="AND s.subscriber_id=%(person)s"), values)


def _tell(source_id: int, now: datetime) -> int:
    """Write the notice to everybody who was moved now and waits for none already; returns how many are to be told."""
    moved = Subscription.objects.filter(
        topic_id=source_id,
        ended_at=now,
        ended_reason=Subscription.EndedReason.MERGED,
        subscriber__state=Subscriber.State.ACTIVE,
    )
    waiting = Notice.objects.filter(kind=Notice.Kind.MOVED, planned_at=None, used_at=None, expires_at__gt=now)
    told = 0
    for ids in _chunks(moved.order_by("subscriber_id").values_list("subscriber_id", flat=True).iterator()):
        known = set(waiting.filter(subscriber_id__in=ids).values_list("subscriber_id", flat=True))
        Notice.objects.bulk_create(
            Notice(
                subscriber_id=subscriber_id,
                kind=Notice.Kind.MOVED,
                nonce=new_nonce(),
                created_at=now,
                expires_at=now + VALID[Notice.Kind.MOVED],
            )
            for subscriber_id in ids
            if subscriber_id not in known
        )
        told += len(ids)
    return told


def _chunks(ids: Iterator[int]) -> Iterator[list[int]]:
    chunk: list[int] = []
    for subscriber_id in ids:
        chunk.append(subscriber_id)
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
