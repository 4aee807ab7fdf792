"""Whom a message goes to: everybody, or who follows its topic; of these nobody who left, paused their mail or is suppressed."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from newsletter.lib import db

_MAY_BE_MAILED = """
FROM subscriber b WHERE b.state='active' AND (b.paused_until IS NULL OR b.paused_until<=%(now)s)
AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address_index=b.address_index AND x.lifted_at IS NULL)"""
_FOLLOWS = (
    " AND b.id IN (SELECT s.subscriber_id FROM subscription s WHERE s.topic_id=%(topic)s AND s.ended_at IS NULL"
    " AND s.subscriber_id>%(lo)s)"
)


@dataclass(frozen=True)
class AudienceChunk:
    """Some people with ids up to `hi`, by the id of their look, each sorted."""

    by_look: dict[int, list[int]]
    hi: int

    @property
    def people(self) -> int:
        """How many they are."""
        return sum(map(len, self.by_look.values()))


def count_people(topic_id: int | None, *, now: datetime) -> int:
    """How many people a message to the followers of this topic, None: to everybody, would go to now."""
    ((people,),) = db.rows(f"SELECT count(*) {_query(topic_id)}", {"now": now, "topic": topic_id, "lo": 0})
    return int(people)


def next_chunk(topic_id: int | None, *, after: int, size: int, now: datetime) -> AudienceChunk | None:
    """The next `size` people with an id above `after`. Returns None if there are no more."""
    rows = db.rows(
        f"SELECT b.look_id, b.id {_query(topic_id)} AND b.id>%(lo)s ORDER BY b.id LIMIT %(size)s",
        {"now": now, "topic": topic_id, "lo": after, "size": size},
    )
    if not rows:
        return None
    by_look: dict[int, list[int]] = defaultdict(list)
    for look_id, subscriber_id in rows:
        by_look[look_id].append(subscriber_id)
    return AudienceChunk(dict(by_look), rows[-1][1])


def _query(topic_id: int | None) -> str:
    return _MAY_BE_MAILED + (_FOLLOWS if topic_id is not None else "")
