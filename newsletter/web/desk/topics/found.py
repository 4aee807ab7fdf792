"""The topic of an address, and what every page about it shows."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from django.http import Http404

from newsletter import wiring
from newsletter.lib import db
from newsletter.matching.topics.revisions import live_revision
from newsletter.matching.topics.topic_list import TopicRow, topic_rows
from newsletter.matching.workshop import followers as counting
from newsletter.matching.workshop.followers import Followers, ShownFollowers
from newsletter.models import Topic, TopicRevision
from newsletter.web.desk.charts import BarChart
from newsletter.web.desk.topics import charts
from newsletter.web.desk.topics.listing import TONES

#: The largest number that the column holds.
_MOST_ID: Final = 2**31 - 1


@dataclass
class FoundTopic:
    """A topic with its state, counts and followers at `now`."""

    topic: Topic
    live: TopicRevision
    row: TopicRow
    chart: BarChart
    tone: str
    now: datetime

    @cached_property
    def counted(self) -> Followers:
        """Who follows it. Counted only for pages that show it."""
        return counting.count_followers(self.topic.id, now=self.now)

    @cached_property
    def followers(self) -> ShownFollowers:
        """Who follows it, as it may be shown."""
        return counting.shown(self.counted, small_number=wiring.config().small_number)

    @property
    def name(self) -> str:
        """Its name; a curated topic always has one."""
        return self.topic.name or ""

    @property
    def is_live(self) -> bool:
        """Whether it is matched."""
        return self.topic.state == Topic.State.ACTIVE


def curated_topic(topic_id: int) -> Topic:
    """The curated topic of this number, retired or not.

    Raises:
        Http404: there is none; readers' keywords have no page.
    """
    known = topic_id <= _MOST_ID
    topic = Topic.objects.filter(id=topic_id, kind=Topic.Kind.CURATED).first() if known else None
    if topic is None:
        raise Http404
    return topic


def found_topic(topic_id: int) -> FoundTopic:
    """A curated topic with everything that its pages show above.

    Raises:
        Http404: there is none.
    """
    topic, now = curated_topic(topic_id), db.now()
    [row] = topic_rows(now=now, small_number=None, topic_ids=[topic_id])
    return FoundTopic(
        topic=topic,
        live=live_revision(topic),
        row=row,
        chart=charts.weeks_until(now, row.weeks),
        tone=TONES[row.condition.rank],
        now=now,
    )
