"""Topics that need an admin: those that can never match, have long not, match too much, or use old spellings."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max

from newsletter.matching.live_index import topic_aliases
from newsletter.matching.query import language
from newsletter.matching.query.contradictions import contradiction
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics.preview import MANY_PER_DAY
from newsletter.models import Item, Match, Topic, TopicRevision

#: A topic that met nothing for so long is told of.
SILENT = timedelta(days=30)
#: Over so many days "too much" is counted.
RECENT = timedelta(days=7)


@dataclass(frozen=True)
class TopicProblem:
    """A topic, what is the matter with it and what to do. `broken`: it meets nothing, whatever comes."""

    topic_id: int
    name: str
    message: str
    broken: bool = False


def check_topics(*, now: datetime) -> list[TopicProblem]:
    """Every active curated topic that needs a look, by name."""
    topics = list(Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE).order_by("name", "id"))
    revisions = {
        row.id: row for row in TopicRevision.objects.filter(id__in=[topic.revision_id or 0 for topic in topics])
    }
    counts = _Counts(now)
    return [one for topic in topics for one in _of(topic, revisions[topic.revision_id or 0], counts, now)]


class _Counts:
    """What all topics' checks need of tables and packs, read once."""

    def __init__(self, now: datetime) -> None:
        met = Match.objects.filter(withdrawn_at=None)
        self.last = dict(met.values_list("topic_id").annotate(Max("item__first_seen_at")))
        recent = met.filter(item__first_seen_at__gte=now - RECENT, item__announced=True)
        self.recent: Counter[int] = Counter(dict(recent.values_list("topic_id").annotate(Count("id"))))
        self.packs = topic_aliases.pack_versions()
        self.items = Item.objects.filter(first_seen_at__gte=now - SILENT).count()


def _of(topic: Topic, revision: TopicRevision, counts: _Counts, now: datetime) -> Iterator[TopicProblem]:
    def ailment(message: str, *, broken: bool = False) -> TopicProblem:
        return TopicProblem(topic.id, topic.name or "", message, broken)

    problem = _problem(revision)
    if problem:
        yield ailment(f"it can never match: {problem}; 'newsletter topics edit' mends it", broken=True)
        return
    last = counts.last.get(topic.id)
    since = max(last or topic.created_at, topic.created_at)
    if since < now - SILENT and counts.items:
        days = (now - since).days
        yield ailment(f"it met none of {counts.items} items in {days} days: try 'newsletter topics preview'")
    per_day = counts.recent[topic.id] * timedelta(days=1) / RECENT
    if per_day > MANY_PER_DAY:
        yield ailment(f"it meets {per_day:.0f} items a day: narrow it, see 'newsletter topics preview'")
    newer = [f"{name} {counts.packs[name]}" for name in sorted(revision.packs) if _is_old(name, revision, counts)]
    if newer:
        names = ", ".join(newer)
        yield ailment(
            f"newer spellings are there ({names}): 'newsletter topics edit NAME' with nothing else takes them"
        )


def _is_old(pack: str, revision: TopicRevision, counts: _Counts) -> bool:
    return counts.packs.get(pack, 0) > int(revision.packs[pack])


def _problem(revision: TopicRevision) -> str | None:
    try:
        return contradiction(language.parse(revision.query or ""))
    except QueryError as error:
        return f"column {error.column}, {error.hint}"
