"""Preview what a draft of a topic would change: stored items gained and lost, how many a day, samples. Stores nothing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from newsletter.lib.refused import Refused
from newsletter.lib.small_numbers import PeopleCount
from newsletter.matching.live_index.stored_items import current_versions, load_items
from newsletter.matching.topics.draft_matcher import DraftMatcher, matched_words
from newsletter.matching.topics.limits import DAYS
from newsletter.matching.topics.lookup import find_topic, no_such_topic
from newsletter.matching.topics.revisions import TopicDraft, draft_of, live_revision
from newsletter.matching.topics.topic_status import followers

SAMPLES = 5


@dataclass(frozen=True)
class Rate:
    """How much a query matches: `items` of those stored in the time, the rest of those published in it (an archive has no rate).

    Averages are over the days since the oldest of these: a young service has fewer than were asked for.
    """

    items: int
    per_week: float
    per_day: float
    busiest_day: int


@dataclass(frozen=True)
class Week:
    """A week from Monday on: how many items the topic matches, and would match."""

    monday: date
    before: int
    after: int


@dataclass(frozen=True)
class SampleItem:
    """An item that is gained or lost, with its matched words."""

    item_id: int
    title: str
    at: datetime
    words: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class TopicPreview:
    """What a draft would change. `before` is None if there is nothing to compare with; then every item is gained.

    `followers` is None if nobody can follow it yet.
    """

    days: int
    items: int
    before: Rate | None
    after: Rate
    gained: int
    lost: int
    weeks: tuple[Week, ...]
    samples_gained: tuple[SampleItem, ...]
    samples_lost: tuple[SampleItem, ...]
    followers: PeopleCount | None = None


def preview_topic(
    name: str, draft: TopicDraft | None, *, now: datetime, small_number: int, days: int = DAYS
) -> TopicPreview | Refused:
    """What `draft` would change of a topic; without a draft, what the topic matches as it is.

    Fewer followers than `small_number` are not told.
    """
    topic = find_topic(name)
    if topic is None:
        return no_such_topic()
    live = draft_of(live_revision(topic))
    before, after = (None, live) if draft is None else (live, draft)
    followed_by = followers([topic.id], small_number=small_number)[topic.id]
    return preview_draft(after, before, now=now, days=days, followers=followed_by)


def preview_draft(
    after: TopicDraft,
    before: TopicDraft | None = None,
    *,
    now: datetime,
    days: int = DAYS,
    followers: PeopleCount | None = None,
) -> TopicPreview:
    """What `after` matches of the items of the last `days`, and how that differs from `before`."""
    matcher = DraftMatcher({0: after} if before is None else {0: after, 1: before})
    since = now - timedelta(days=days)
    count, oldest = 0, now
    matched: dict[int, list[SampleItem]] = {0: [], 1: []}
    for loaded in load_items(current_versions().filter(item__first_seen_at__gte=since).order_by("-item_id")):
        count += 1
        oldest = min(oldest, loaded.at) if loaded.at >= since else oldest
        for key, hits in matcher.match(loaded.document).items():
            matched[key].append(
                SampleItem(loaded.item.id, loaded.version.title, loaded.at, matched_words(loaded.document, hits))
            )
    span = max((now - oldest) / timedelta(days=1), 1.0)
    new, old = matched[0], matched[1]
    gained, lost = _without(new, old), _without(old, new)
    return TopicPreview(
        days=days,
        items=count,
        before=None if before is None else _rate(old, since, span),
        after=_rate(new, since, span),
        gained=len(gained),
        lost=len(lost),
        weeks=_weeks(old, new, since),
        samples_gained=_samples(gained),
        samples_lost=_samples(lost),
        followers=followers,
    )


def _without(these: Sequence[SampleItem], those: Iterable[SampleItem]) -> list[SampleItem]:
    known = {item.item_id for item in those}
    return [item for item in these if item.item_id not in known]


def _rate(items: Sequence[SampleItem], since: datetime, span: float) -> Rate:
    by_day = Counter(item.at.date() for item in items if item.at >= since)
    per_day = by_day.total() / span
    return Rate(len(items), round(per_day * 7, 1), round(per_day, 1), max(by_day.values(), default=0))


def _weeks(before: Iterable[SampleItem], after: Iterable[SampleItem], since: datetime) -> tuple[Week, ...]:
    old, new = (Counter(_monday(item.at) for item in side if item.at >= since) for side in (before, after))
    return tuple(Week(monday, old[monday], new[monday]) for monday in sorted({*old, *new}))


def _monday(moment: datetime) -> date:
    return moment.date() - timedelta(days=moment.weekday())


def _samples(items: Sequence[SampleItem]) -> tuple[SampleItem, ...]:
    return tuple(sorted(items, key=lambda item: (item.at, item.item_id), reverse=True)[:SAMPLES])
