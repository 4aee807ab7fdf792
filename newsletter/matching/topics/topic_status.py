"""Report on curated topics: their query, how many items matched, how many people follow them."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count

from newsletter.lib.small_numbers import PeopleCount, people_count
from newsletter.matching.topics import lookup
from newsletter.matching.topics.lookup import live_revisions
from newsletter.models import Match, Subscription, Topic, TopicRevision


@dataclass(frozen=True)
class TopicStatus:
    """A curated topic. `state` is active, held or retired."""

    topic_id: int
    name: str
    slug: str
    description: str
    query: str
    packs: dict[str, int]
    without: tuple[str, ...]
    revision: int
    state: str
    matches: int
    followers: PeopleCount


def list_topics(*, small_number: int) -> list[TopicStatus]:
    """All curated topics, by name; fewer followers than `small_number` are not told."""
    topics = list(Topic.objects.filter(kind=Topic.Kind.CURATED).order_by("name"))
    return _statuses(topics, small_number)


def find_status(name: str, *, small_number: int) -> TopicStatus | None:
    """The active topic of this name or slug, in any case; as in `list_topics`. Returns None if there is none."""
    topic = lookup.find_topic(name)
    return _statuses([topic], small_number)[0] if topic is not None else None


def followers(topic_ids: Collection[int], *, small_number: int) -> dict[int, PeopleCount]:
    """How many follow each topic, as it may be shown."""
    live = Subscription.objects.filter(topic_id__in=topic_ids, ended_at=None)
    counted = dict(live.values_list("topic_id").annotate(Count("id")))
    return {topic_id: people_count(counted.get(topic_id, 0), threshold=small_number) for topic_id in topic_ids}


def _statuses(topics: Collection[Topic], small_number: int) -> list[TopicStatus]:
    ids = [topic.id for topic in topics]
    live = live_revisions(topics)
    matched = Match.objects.filter(topic_id__in=ids, withdrawn_at=None)
    matches = dict(matched.values_list("topic_id").annotate(Count("id")))
    followed_by = followers(ids, small_number=small_number)
    return [_status(topic, live[topic.id], matches.get(topic.id, 0), followed_by[topic.id]) for topic in topics]


def _status(topic: Topic, live: TopicRevision, matches: int, followers: PeopleCount) -> TopicStatus:
    held = topic.held_since is not None and topic.state == Topic.State.ACTIVE
    return TopicStatus(
        topic_id=topic.id,
        name=topic.name or "",
        slug=topic.slug or "",
        description=topic.description,
        query=live.query or "",
        packs=live.packs,
        without=tuple(live.without),
        revision=live.n,
        state="held" if held else topic.state,
        matches=matches,
        followers=followers,
    )
