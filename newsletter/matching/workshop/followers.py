"""Count who follows a topic: who is mailed, and who is not and why. Shown only as `people_count` allows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from newsletter.lib import db
from newsletter.lib.small_numbers import PeopleCount, people_count
from newsletter.models import Cadence

_BY_CADENCE: Final = """
SELECT s.cadence, count(*),
  count(CASE WHEN b.state='pending' THEN 1 END),
  count(CASE WHEN b.state<>'pending' AND x.address_index IS NOT NULL THEN 1 END),
  count(CASE WHEN b.state<>'pending' AND x.address_index IS NULL AND b.paused_until>%(now)s THEN 1 END)
FROM subscription s JOIN subscriber b ON b.id=s.subscriber_id
LEFT JOIN suppression x ON x.address_index=b.address_index AND x.lifted_at IS NULL
WHERE s.topic_id=%(topic)s AND s.ended_at IS NULL GROUP BY s.cadence"""


@dataclass(frozen=True)
class Followers:
    """How many people follow a topic: all = mailed + paused + suppressed + waiting for confirmation. Exact: not to be shown."""

    mailed: dict[Cadence, int]
    paused: int = 0
    suppressed: int = 0
    waiting: int = 0

    @property
    def all_mailed(self) -> int:
        """Those who would be mailed now."""
        return sum(self.mailed.values())

    @property
    def total(self) -> int:
        """Everybody who follows it."""
        return self.all_mailed + self.paused + self.suppressed + self.waiting


@dataclass(frozen=True)
class ShownFollowers:
    """The same as it may be shown."""

    total: PeopleCount
    mailed: PeopleCount
    paused: PeopleCount
    suppressed: PeopleCount
    waiting: PeopleCount


def count_followers(topic_id: int, *, now: datetime) -> Followers:
    """Who follows a topic, in one statement."""
    rows = db.rows(_BY_CADENCE, {"topic": topic_id, "now": now})
    return Followers(
        {
            Cadence(cadence): total - pending - suppressed - paused
            for cadence, total, pending, suppressed, paused in rows
        },
        paused=sum(row[4] for row in rows),
        suppressed=sum(row[3] for row in rows),
        waiting=sum(row[2] for row in rows),
    )


def shown(followers: Followers, *, small_number: int) -> ShownFollowers:
    """These counts as they may be shown."""

    def people(count: int) -> PeopleCount:
        return people_count(count, threshold=small_number)

    return ShownFollowers(
        people(followers.total),
        people(followers.all_mailed),
        people(followers.paused),
        people(followers.suppressed),
        people(followers.waiting),
    )
