"""Count who follows a topic: who is mailed, and who is not and why. Shown only as `people_count` allows."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from newsletter.lib import db
from newsletter.lib.small_numbers import PeopleCount, people_count
from newsletter.models import Cadence

#: An index has all of it.
_BY_CADENCE: Final = (
    "SELECT cadence, count(*) FROM subscription WHERE topic_id=%(topic)s AND ended_at IS NULL GROUP BY cadence"
)
# Few people are not mailed: they are found first, and not among all who follow the topic.
_NOT_MAILED: Final = """
SELECT s.cadence, p.why, count(*) FROM (
  SELECT b.id, 'waiting' AS why FROM subscriber b WHERE b.state='pending'
  UNION ALL SELECT b.id, 'suppressed' FROM suppression x JOIN subscriber b ON b.address_index=x.address_index
  WHERE x.lifted_at IS NULL AND b.state<>'pending'
  UNION ALL SELECT b.id, 'paused' FROM subscriber b WHERE b.paused_until>%(now)s AND b.state<>'pending'
  AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address_index=b.address_index AND x.lifted_at IS NULL)
) p JOIN subscription s ON s.subscriber_id=p.id AND s.topic_id=%(topic)s AND s.ended_at IS NULL GROUP BY s.cadence, p.why"""


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
    """Who follows a topic, in two statements."""
    values = {"topic": topic_id, "now": now}
    mailed = Counter({Cadence(cadence): count for cadence, count in db.rows(_BY_CADENCE, values)})
    others: Counter[str] = Counter()
    for cadence, why, count in db.rows(_NOT_MAILED, values):
        mailed[Cadence(cadence)] -= count
        others[why] += count
    return Followers(dict(mailed), others["paused"], others["suppressed"], others["waiting"])


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
