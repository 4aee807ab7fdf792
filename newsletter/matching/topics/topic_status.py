"""Curated topics as they stand: what they look for, how much they met, how many follow them."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count

from newsletter.matching.topics import lookup
from newsletter.models import Match, Subscription, Topic, TopicRevision

#: Below this many followers a number would say too much about somebody.
FEWEST_FOLLOWERS = 10


@dataclass(frozen=True)
class TopicStatus:
    """A curated topic. `state` is active, held or retired; `followers` is None while fewer than ten follow it."""

    topic_id: int
    name: str
    slug: str
    query: str
    packs: dict[str, int]
    without: tuple[str, ...]
    revision: int
    state: str
    matches: int
    followers: int | None


def list_topics() -> list[TopicStatus]:
    """All curated topics, by name."""
    topics = list(Topic.objects.filter(kind=Topic.Kind.CURATED).order_by("name"))
    return _shown(topics)


def find_status(name: str) -> TopicStatus | None:
    """The active topic of this name or slug, in any case; None when there is none."""
    topic = lookup.find_topic(name)
    return _shown([topic])[0] if topic is not None else None


def followers(topic_ids: Collection[int]) -> dict[int, int | None]:
    """How many follow each topic; None for fewer than ten."""
    live = Subscription.objects.filter(topic_id__in=topic_ids, ended_at=None)
    counted = dict(live.values_list("topic_id").annotate(Count("id")))
    return {
        topic_id: told if (told := counted.get(topic_id, 0)) >= FEWEST_FOLLOWERS else None for topic_id in topic_ids
    }


def _shown(topics: Collection[Topic]) -> list[TopicStatus]:
    ids = [topic.id for topic in topics]
    live = {row.id: row for row in TopicRevision.objects.filter(id__in=[topic.revision_id or 0 for topic in topics])}
    met = Match.objects.filter(topic_id__in=ids, withdrawn_at=None)
    matches, told = dict(met.values_list("topic_id").annotate(Count("id"))), followers(ids)
    return [_row(topic, live[topic.revision_id or 0], matches.get(topic.id, 0), told[topic.id]) for topic in topics]


def _row(topic: Topic, live: TopicRevision, matches: int, told: int | None) -> TopicStatus:
    held = topic.held_since is not None and topic.state == Topic.State.ACTIVE
    return TopicStatus(
        topic_id=topic.id,
        name=topic.name or "",
        slug=topic.slug or "",
        query=live.query or "",
        packs=live.packs,
        without=tuple(live.without),
        revision=live.n,
        state="held" if held else topic.state,
        matches=matches,
        followers=told,
    )
