"""The curated topics that an item matched: which words, by which spelling and revision, and what became of it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from newsletter.lib.small_numbers import PeopleCount, people_count
from newsletter.matching.topics.draft_matcher import shown_words
from newsletter.models import DeliveryItem, Item, ItemVersion, Match, Subscription, Topic, TopicRevision

#: Who was given an item is known for 21 days (`delivery.retention.GIVEN`).
COUNTED = timedelta(days=21)


@dataclass(frozen=True)
class ReceiptPlace:
    """Where words of a topic stand in title or text."""

    field: str
    start: int
    end: int


@dataclass(frozen=True)
class ReceiptWord:
    """Words that matched, as they stand in the item. `alias` and `pack`: by which other spelling of `term`; empty: by none."""

    word: str = field(repr=False)
    term: str = field(repr=False)
    alias: str = ""
    pack: str = ""


@dataclass(frozen=True)
class TopicReceipt:
    """A curated topic that an item matched.

    `fate` is owed, held (until the topic is released), never (the item is too old or was not announced) or withdrawn, since
    `at`. `people`: in whose mail it is, of those who follow the topic; None: it is no longer known.
    """

    topic_id: int
    name: str
    slug: str
    revision: int
    words: tuple[ReceiptWord, ...] = field(repr=False)
    places: tuple[ReceiptPlace, ...] = field(repr=False)
    matched_at: datetime
    fate: str
    at: datetime | None
    people: PeopleCount | None


def receipts(item: Item, *, now: datetime, threshold: int) -> tuple[TopicReceipt, ...]:
    """The curated topics that an item matched, those that may be mailed first. People are shielded by `threshold`."""
    matches = list(
        Match.objects.filter(item_id=item.id, topic__kind=Topic.Kind.CURATED)
        .select_related("topic")
        .order_by("topic__name")
    )
    versions = {row.n: row for row in ItemVersion.objects.filter(item_id=item.id).defer("html")} if matches else {}
    revisions = TopicRevision.objects.filter(id__in=[match.revision_id for match in matches])
    numbers = dict(revisions.values_list("id", "n"))
    people = _people(item, [match.topic_id for match in matches], now=now)
    rows = [
        TopicReceipt(
            topic_id=match.topic_id,
            name=match.topic.name or "",
            slug=match.topic.slug or "",
            revision=numbers.get(match.revision_id, 0),
            words=_words(match.receipt or [], versions.get(match.item_version)),
            places=_places(match.receipt or []) if match.item_version == item.version else (),
            matched_at=match.matched_at,
            fate=_fate(match)[0],
            at=_fate(match)[1],
            people=None if people is None else people_count(people.get(match.topic_id, 0), threshold=threshold),
        )
        for match in matches
    ]
    return tuple(sorted(rows, key=lambda row: ("owed", "held", "never", "withdrawn").index(row.fate)))


def mailed(item: Item, *, now: datetime, threshold: int) -> PeopleCount | None:
    """In how many people's mail an item is, whatever topic or keyword brought it. Returns None if it is no longer known."""
    if now > item.first_seen_at + COUNTED:
        return None
    return people_count(DeliveryItem.objects.filter(item_id=item.id).count(), threshold=threshold)


def _people(item: Item, topic_ids: Collection[int], *, now: datetime) -> Mapping[int, int] | None:
    """Topic id → in whose mail the item is, of those who followed the topic since."""
    if now > item.first_seen_at + COUNTED:
        return None
    given = DeliveryItem.objects.filter(item_id=item.id).values("subscriber_id")
    followed = Subscription.objects.filter(topic_id__in=topic_ids, subscriber_id__in=given)
    since = followed.filter(Q(ended_at=None) | Q(ended_at__gt=item.first_seen_at))
    return dict(since.values_list("topic_id").annotate(Count("subscriber_id", distinct=True)).order_by())


def _words(receipt: Iterable[Mapping[str, Any]], version: ItemVersion | None) -> tuple[ReceiptWord, ...]:
    if version is None:
        return ()
    words = {
        ReceiptWord(
            shown_words(hit["field"], hit["start"], hit["end"], version) or f"{hit['field']}: {hit['term']}",
            hit["term"],
            hit.get("alias") or "",
            hit.get("pack") or "",
        ): None
        for hit in receipt
    }
    return tuple(words)


def _places(receipt: Iterable[Mapping[str, Any]]) -> tuple[ReceiptPlace, ...]:
    places = (ReceiptPlace(hit["field"], hit["start"], hit["end"]) for hit in receipt)
    return tuple(place for place in places if place.field in ("title", "text"))


def _fate(match: Match) -> tuple[str, datetime | None]:
    if match.withdrawn_at is not None:
        return "withdrawn", match.withdrawn_at
    if match.held_at is not None:
        return "held", match.held_at
    return ("never", None) if match.owed_at is None else ("owed", match.owed_at)
