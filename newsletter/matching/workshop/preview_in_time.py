"""Preview a draft of a topic within a limit of time, on the index of stored items: for a page that somebody waits for.

It counts as `preview.py` does, and covers the newest items only: as many as the index holds and time allowed. It says how many.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from newsletter.lib.small_numbers import PeopleCount, people_count
from newsletter.matching.aliases.groups import alias_table, spelling_to_term
from newsletter.matching.live_index import item_search
from newsletter.matching.live_index.item_index import MOST_ITEMS, ItemIndex
from newsletter.matching.live_index.stored_items import LoadedItem, current_versions, load_items
from newsletter.matching.query.compiled import CompiledQuery, alias_key, compile_query
from newsletter.matching.query.language import parse
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics.draft_matcher import DraftMatcher
from newsletter.matching.topics.limits import DAYS
from newsletter.matching.topics.revisions import TopicDraft
from newsletter.matching.workshop.followers import Followers
from newsletter.matching.workshop.marked_text import TextPiece, excerpt, marked
from newsletter.models import Cadence, Item

#: Processor time for the search, and for items that the index has not read yet.
SEARCH_SECONDS: Final = 0.5
READING_SECONDS: Final = 0.7
SAMPLES: Final = 5
#: Spellings that are counted in one preview.
_MOST_SPELLINGS: Final = 60
_WEEK: Final = timedelta(weeks=1)


@dataclass(frozen=True)
class PreviewSide:
    """What a query matches of the items that were searched. `weeks`: items per week, the oldest first; None: not searched.

    `mails_a_day` for this topic alone: about, and as it may be shown; None if too few follow it.
    """

    items: int
    per_week: float
    per_day: float
    weeks: tuple[int | None, ...]
    mails_a_day: PeopleCount | None


@dataclass(frozen=True)
class WorkshopSample:
    """An item that is gained, lost or matched, with its matched words marked."""

    item_id: int
    at: datetime
    title: tuple[TextPiece, ...] = field(repr=False)
    text: tuple[TextPiece, ...] = field(repr=False)


@dataclass(frozen=True)
class WorkshopPreview:
    """What a draft would change. `before` is None for a new topic, and then every item is gained."""

    days: int
    searched: int
    #: Items of the time; more than `searched` if the preview was cut short.
    stored: int
    #: When the oldest of those searched was first seen; None if there is none.
    since: datetime | None
    #: The Mondays of the weeks in both sides.
    mondays: tuple[date, ...]
    before: PreviewSide | None
    after: PreviewSide
    gained: int
    lost: int
    samples_gained: tuple[WorkshopSample, ...]
    samples_lost: tuple[WorkshopSample, ...]
    #: Without anything gained or lost: the newest that it matches.
    samples_kept: tuple[WorkshopSample, ...]
    #: Key of a spelling → items with it: those matched if it is on; if it is off, those that it would add.
    spellings: Mapping[str, int]
    #: Followers who would be mailed.
    people: PeopleCount | None

    @property
    def at_limit(self) -> bool:
        """Whether it covers as many items as a preview ever does."""
        return self.searched >= MOST_ITEMS

    @property
    def complete(self) -> bool:
        """Whether all stored items of the time were searched."""
        return self.searched >= self.stored


def preview_in_time(
    after: TopicDraft,
    before: TopicDraft | None = None,
    *,
    index: ItemIndex,
    now: datetime,
    small_number: int,
    followers: Followers | None = None,
    spellings: Sequence[str] = (),
    days: int = DAYS,
) -> WorkshopPreview:
    """What `after` matches of the items of the last `days`, and how that differs from `before`. Stores nothing.

    `spellings` are counted one by one; `followers` are those of the topic, for the estimate of mails.
    """
    drafts = [after] if before is None else [after, before]
    counted = {alias_key(spelling): spelling for spelling in spellings[:_MOST_SPELLINGS]}
    queries = [_compiled(draft) for draft in drafts] + [_compiled_spelling(word) for word in counted.values()]
    results = item_search.search(
        index,
        queries,
        now=now,
        days=days,
        seconds=SEARCH_SECONDS,
        reading_seconds=READING_SECONDS,
        aligned=True,
    )
    new = results[0].item_ids
    old: tuple[int, ...] | None = None if before is None else results[1].item_ids
    found = dict(zip(counted, results[len(drafts) :], strict=True))
    span = _SearchedTime.of(results[0].searched, now, days)
    times = _times({*new, *(old or ())})
    gained, lost = _without(new, old or ()), _without(old or (), new)
    kept = () if before is None or gained or lost else new[:SAMPLES]
    return WorkshopPreview(
        days=days,
        searched=results[0].searched,
        stored=span.stored,
        since=span.oldest,
        mondays=span.mondays,
        before=None if old is None else span.side(old, times, followers, small_number),
        after=span.side(new, times, followers, small_number),
        gained=len(gained),
        lost=len(lost),
        samples_gained=samples(gained[:SAMPLES], after),
        samples_lost=samples(lost[:SAMPLES], before) if before else (),
        samples_kept=samples(kept, after),
        spellings={key: _count(result.item_ids, key, after, new) for key, result in found.items()},
        people=people_count(followers.all_mailed, threshold=small_number) if followers else None,
    )


def samples(item_ids: Sequence[int], draft: TopicDraft) -> tuple[WorkshopSample, ...]:
    """These items in their order, with the words that the draft matches marked."""
    if not item_ids:
        return ()
    matcher = DraftMatcher({0: draft})
    loaded = {one.item.id: one for one in load_items(current_versions().defer("html").filter(item_id__in=item_ids))}
    return tuple(_sample(loaded[item_id], matcher) for item_id in item_ids if item_id in loaded)


def _sample(loaded: LoadedItem, matcher: DraftMatcher) -> WorkshopSample:
    hits = matcher.match(loaded.document).get(0, ())
    return WorkshopSample(
        loaded.item.id,
        loaded.at,
        marked(loaded.version.title, [(hit.start, hit.end) for hit in hits if hit.field == "title"]),
        excerpt(loaded.version.text, [(hit.start, hit.end) for hit in hits if hit.field == "text"]),
    )


@dataclass(frozen=True)
class _SearchedTime:
    """The time that the searched items cover."""

    now: datetime
    since: datetime
    oldest: datetime | None
    stored: int
    mondays: tuple[date, ...]

    @classmethod
    def of(cls, searched: int, now: datetime, days: int) -> "_SearchedTime":
        since = now - timedelta(days=days)
        recent = Item.objects.filter(first_seen_at__gte=since).order_by("-first_seen_at", "-id")
        oldest = recent.values_list("first_seen_at", flat=True)[max(searched - 1, 0) :][:1]
        first = _monday(since)
        count = (_monday(now) - first).days // 7 + 1
        return cls(
            now, since, oldest[0] if oldest else None, recent.count(), tuple(first + _WEEK * n for n in range(count))
        )

    def side(
        self, ids: Sequence[int], times: Mapping[int, datetime], followers: Followers | None, small_number: int
    ) -> PreviewSide:
        """What one query matches. Items of an archive, published before the time, count but have no rate."""
        moments = [times[item_id] for item_id in ids if item_id in times and times[item_id] >= self.since]
        days = max((self.now - (self.oldest or self.now)) / timedelta(days=1), 1.0)
        by_week = Counter(map(_monday, moments))
        known_from = _monday(self.oldest) if self.oldest else self.mondays[-1]
        # of few followers the mails would tell how many there are
        few = followers is None or followers.all_mailed < small_number
        mails = None if followers is None or few else _mails(moments, followers, days)
        return PreviewSide(
            items=len(ids),
            per_week=round(len(moments) / days * 7, 1),
            per_day=round(len(moments) / days, 1),
            weeks=tuple(
                by_week[monday] if monday >= known_from or by_week[monday] else None for monday in self.mondays
            ),
            mails_a_day=None if mails is None else people_count(round(mails), threshold=small_number),
        )


def _mails(moments: Collection[datetime], followers: Followers, days: float) -> float:
    """About how many mails a day this topic causes by itself: one an item, one a day with items, one a week with items."""
    mailed = followers.mailed
    with_items = len({moment.date() for moment in moments}) / days
    weeks = len(set(map(_monday, moments))) / max(days, 7.0)
    return (
        mailed.get(Cadence.IMMEDIATE, 0) * len(moments) / days
        + mailed.get(Cadence.DAILY, 0) * min(with_items, 1.0)
        + mailed.get(Cadence.WEEKLY, 0) * min(weeks, 1 / 7)
    )


def _times(ids: Collection[int]) -> dict[int, datetime]:
    """Item → when it was published, or first seen if that is earlier."""
    rows = Item.objects.filter(id__in=ids).values_list("id", "first_seen_at", "entry__published_at")
    return {item_id: min(seen, published) for item_id, seen, published in rows}


def _without(these: Iterable[int], those: Iterable[int]) -> list[int]:
    known = set(those)
    return [item_id for item_id in these if item_id not in known]


def _count(with_spelling: Collection[int], key: str, after: TopicDraft, matched: Collection[int]) -> int:
    on = key not in {alias_key(spelling) for spelling in after.off}
    return len(set(with_spelling) & set(matched)) if on else len(set(with_spelling) - set(matched))


def _compiled(draft: TopicDraft) -> CompiledQuery:
    return compile_query(parse(draft.query), alias_table(draft.groups))


def _compiled_spelling(spelling: str) -> CompiledQuery:
    try:
        return compile_query(parse(spelling_to_term(spelling)))
    except QueryError:  # a spelling with a symbol of the query language: quoted it means itself
        return compile_query(parse('"' + spelling.replace("\\", "").replace('"', "") + '"'))


def _monday(moment: datetime) -> date:
    return moment.date() - timedelta(days=moment.weekday())
