"""The topics that need somebody, as far as the topics themselves tell: cheap enough for every page. The list counts more."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.matching.topics import topic_state
from newsletter.matching.topics.lookup import live_revisions
from newsletter.matching.topics.topic_state import TopicCondition, TopicFacts
from newsletter.models import Topic


@dataclass(frozen=True)
class TopicNeed:
    """A topic that is broken or on hold."""

    topic_id: int
    name: str
    condition: TopicCondition


def topic_needs(*, now: datetime) -> list[TopicNeed]:
    """The active topics that can never match, and those on hold, in this order. Two statements."""
    active = list(Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE).order_by("name"))
    live = live_revisions(active)
    needs = [
        TopicNeed(topic.id, topic.name or "", _condition(topic, live[topic.id].query or "", now)) for topic in active
    ]
    return sorted((need for need in needs if need.condition.rank.needs_somebody), key=lambda need: need.condition.rank)


def _condition(topic: Topic, query: str, now: datetime) -> TopicCondition:
    """The state without counting what matched."""
    return topic_state.condition(topic, TopicFacts(query, now, 0, 0, items_came=False), now=now)
