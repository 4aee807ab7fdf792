"""The list of curated topics with what an admin looks for: state, items per week, followers, last match, objections."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Max, Q, Sum

from newsletter.lib.small_numbers import PeopleCount
from newsletter.matching.topics import topic_state
from newsletter.matching.topics.limits import SILENT
from newsletter.matching.topics.lookup import live_revisions
from newsletter.matching.topics.topic_state import TopicCondition, TopicFacts
from newsletter.matching.topics.topic_status import followers
from newsletter.models import Item, Match, Topic, TopicRevision

#: Weeks of the small charts, and how far back the counts go.
WEEKS: Final = 13
LOOK_BACK: Final = timedelta(weeks=WEEKS)
#: `Match.owe_until` is so long after its item was first seen: no join is needed to know when that was.
_OWED_FOR: Final = timedelta(days=10)


@dataclass(frozen=True)
class TopicRow:
    """A curated topic in the list. `weeks`: items matched, by when they were first seen, the oldest week first."""

    topic_id: int
    name: str
    description: str
    query: str
    revision: int
    condition: TopicCondition
    weeks: tuple[int, ...]
    #: None: not counted.
    followers: PeopleCount | None
    last_match: datetime | None
    objections: int
    urgent: bool

    @property
    def per_week(self) -> float:
        """Items in an average week of the last four: what it brings now."""
        return round(sum(self.weeks[-4:]) / 4, 1)


def topic_rows(*, now: datetime, small_number: int | None, topic_ids: Collection[int] | None = None) -> list[TopicRow]:
    """Curated topics, all or these: those that need somebody first, then by name. A fixed number of statements.

    Without `small_number` followers are not counted.
    """
    chosen = Topic.objects.filter(kind=Topic.Kind.CURATED)
    topics = list(chosen if topic_ids is None else chosen.filter(id__in=topic_ids))
    ids = [topic.id for topic in topics]
    live = live_revisions(topics)
    counted = {row["topic_id"]: row for row in _counted(ids, now)}
    followed_by = {} if small_number is None else followers(ids, small_number=small_number)
    items_came = Item.objects.filter(first_seen_at__gte=now - SILENT).exists()
    rows = [
        _row(topic, live[topic.id], counted.get(topic.id, {}), followed_by.get(topic.id), items_came, now)
        for topic in topics
    ]
    return sorted(rows, key=lambda row: (row.condition.rank, row.name.casefold(), row.topic_id))


def _counted(ids: Collection[int], now: datetime) -> Iterable[Any]:
    """One row per topic that matched anything in the time."""
    since = now - LOOK_BACK
    recent = Match.objects.filter(
        topic_id__in=ids, withdrawn_at=None, matched_at__gte=since, owe_until__gte=since + _OWED_FOR
    )
    starts = [since + _OWED_FOR + timedelta(weeks=number) for number in range(WEEKS + 1)]
    weeks = {
        f"week{number}": Count("id", filter=Q(owe_until__gte=starts[number], owe_until__lt=starts[number + 1]))
        for number in range(WEEKS)
    }
    seven = now - timedelta(days=7) + _OWED_FOR
    return recent.values("topic_id").annotate(
        last=Max("owe_until"),
        recent=Count("id", filter=Q(owe_until__gte=seven)),
        objected=Sum("objections"),
        **weeks,
    )


def _row(
    topic: Topic,
    live: TopicRevision,
    counted: dict[str, Any],
    followed_by: PeopleCount | None,
    items_came: bool,
    now: datetime,
) -> TopicRow:
    last = counted["last"] - _OWED_FOR if counted else None
    objections = counted.get("objected") or 0
    facts = TopicFacts(live.query or "", last, counted.get("recent", 0), objections, items_came)
    return TopicRow(
        topic_id=topic.id,
        name=topic.name or "",
        description=topic.description,
        query=live.query or "",
        revision=live.n,
        condition=topic_state.condition(topic, facts, now=now),
        weeks=tuple(counted.get(f"week{number}", 0) for number in range(WEEKS)),
        followers=followed_by,
        last_match=last,
        objections=objections,
        urgent=topic.urgent,
    )
