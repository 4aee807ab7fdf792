"""Find topics that need an admin: they can never match, have not matched for long, match too much, or use old spellings."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max

from newsletter.matching.live_index import topic_aliases
from newsletter.matching.topics.limits import MANY_PER_DAY, SILENT
from newsletter.matching.topics.lookup import live_revisions
from newsletter.matching.topics.topic_state import never_matches
from newsletter.models import Item, Match, Topic, TopicRevision

#: "Too much" is an average over this time.
RECENT = timedelta(days=7)


@dataclass(frozen=True)
class TopicProblem:
    """A topic, and what is wrong with it and what to do. `broken`: it can match nothing."""

    topic_id: int
    name: str
    message: str
    broken: bool = False


def check_topics(*, now: datetime) -> list[TopicProblem]:
    """The problems of all active curated topics, by name."""
    topics = list(Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE).order_by("name", "id"))
    revisions, counts = live_revisions(topics), _Counts(now)
    return [problem for topic in topics for problem in _problems(topic, revisions[topic.id], counts, now)]


class _Counts:
    """What the checks of all topics need, read once."""

    def __init__(self, now: datetime) -> None:
        matches = Match.objects.filter(withdrawn_at=None)
        self.last = dict(matches.values_list("topic_id").annotate(Max("item__first_seen_at")))
        recent = matches.filter(item__first_seen_at__gte=now - RECENT, item__announced=True)
        self.recent: Counter[int] = Counter(dict(recent.values_list("topic_id").annotate(Count("id"))))
        self.packs = topic_aliases.pack_versions()
        self.items = Item.objects.filter(first_seen_at__gte=now - SILENT).count()


def _problems(topic: Topic, revision: TopicRevision, counts: _Counts, now: datetime) -> Iterator[TopicProblem]:
    def report(message: str, *, broken: bool = False) -> TopicProblem:
        return TopicProblem(topic.id, topic.name or "", message, broken)

    reason = never_matches(revision.query or "")
    if reason:
        yield report(f"it can never match: {reason}; 'newsletter topics edit' mends it", broken=True)
        return
    last = counts.last.get(topic.id)
    since = max(last or topic.created_at, topic.created_at)
    if since < now - SILENT and counts.items:
        days = (now - since).days
        yield report(f"it met none of {counts.items} items in {days} days: try 'newsletter topics preview'")
    per_day = counts.recent[topic.id] * timedelta(days=1) / RECENT
    if per_day > MANY_PER_DAY:
        yield report(f"it meets {per_day:.0f} items a day: narrow it, see 'newsletter topics preview'")
    newer = [f"{name} {counts.packs[name]}" for name in sorted(revision.packs) if _is_old(name, revision, counts)]
    if newer:
        names = ", ".join(newer)
        yield report(f"newer spellings are there ({names}): 'newsletter topics edit NAME' with nothing else takes them")


def _is_old(pack: str, revision: TopicRevision, counts: _Counts) -> bool:
    return counts.packs.get(pack, 0) > int(revision.packs[pack])
