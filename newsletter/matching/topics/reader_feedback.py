"""Count "not about this topic" for an item under a topic, never for a person, and find the spellings that cause it.

The link holds one AES block over (item, topic) and nothing else: everybody who gets the item under the topic has the same link.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Case, F, Q, Value, When

from newsletter.lib.crypto import Vault
from newsletter.matching.topics.draft_matcher import shown_words
from newsletter.matching.topics.limits import NOISY_FROM
from newsletter.models import ItemVersion, Match, Topic

_PURPOSE = "objection"
_MOST_ID = 2**31
#: The most objections counted in a day for an item under a topic: its link is no secret, and one item must not hide the others.
MOST_A_DAY = 20
SAMPLES = 3


@dataclass(frozen=True)
class ObjectedItem:
    """An item that readers objected to, and the words that brought it."""

    item_id: int
    title: str
    words: tuple[str, ...]
    objections: int


@dataclass(frozen=True)
class ObjectedMatch:
    """What a reader is asked about: an article, and the topic that it was mailed for."""

    title: str
    topic: str


@dataclass(frozen=True)
class NoisySpelling:
    """A spelling that brought items which readers did not want. `pack` is None for a term of the query itself."""

    spelling: str
    pack: str | None
    matches: int
    objections: int
    worst: tuple[ObjectedItem, ...]


def objection_token(item_id: int, topic_id: int, vault: Vault) -> str:
    """The token of the link for this item under this topic: the same for everybody."""
    return vault.token(_PURPOSE, item_id, topic_id.to_bytes(8))


def objected_match(text: str, *, vault: Vault) -> ObjectedMatch | None:
    """The match that a link leads to; None when the link is none of ours. Changes nothing."""
    matches = _matches(text, vault)
    match = matches.select_related("topic").first() if matches is not None else None
    if match is None:
        return None
    titles = ItemVersion.objects.filter(item_id=match.item_id, n=match.item_version).values_list("title", flat=True)
    return ObjectedMatch(titles.first() or "", match.topic.name or "")


def record_objection(text: str, *, now: datetime, vault: Vault) -> bool:
    """Count one objection, up to 20 a day for an item under a topic; False when the link is none of ours."""
    matches = _matches(text, vault)
    if matches is None or not matches.exists():
        return False
    today = now.astimezone(UTC).date()
    room = ~Q(objected_on=today) | Q(objected_on=None) | Q(objected_that_day__lt=MOST_A_DAY)
    that_day = Case(When(objected_on=today, then=F("objected_that_day") + 1), default=Value(1))
    matches.filter(room).update(objections=F("objections") + 1, objected_that_day=that_day, objected_on=today)
    return True


def noisy_spellings(topic_id: int) -> list[NoisySpelling]:
    """The spellings of a topic with at least three objections, the worst first."""
    if not Match.objects.filter(topic_id=topic_id, objections__gt=0).exists():
        return []
    matches: dict[tuple[str, str | None], list[Match]] = defaultdict(list)
    for match in Match.objects.filter(topic_id=topic_id, receipt__isnull=False):
        for spelling in {spelling_of(hit) for hit in match.receipt or ()}:
            matches[spelling].append(match)
    objections = {
        spelling: sum(match.objections for match in with_spelling) for spelling, with_spelling in matches.items()
    }
    noisy = [spelling for spelling, count in objections.items() if count >= NOISY_FROM]
    noisy.sort(key=lambda spelling: (-objections[spelling] / len(matches[spelling]), spelling[0]))
    return [
        NoisySpelling(*spelling, len(matches[spelling]), objections[spelling], _worst(matches[spelling]))
        for spelling in noisy
    ]


def receipt_words(receipt: Iterable[Mapping[str, Any]], version: ItemVersion) -> tuple[str, ...]:
    """The words of a receipt as they stand in the item, each once."""
    words = (shown_words(hit["field"], hit["start"], hit["end"], version) for hit in receipt)
    return tuple(dict.fromkeys(each for each in words if each is not None))


def _worst(matches: Iterable[Match]) -> tuple[ObjectedItem, ...]:
    chosen = sorted(matches, key=lambda match: (-match.objections, -match.item_id))[:SAMPLES]
    versions = {
        (row.item_id, row.n): row for row in ItemVersion.objects.filter(item_id__in=[match.item_id for match in chosen])
    }
    return tuple(
        ObjectedItem(match.item_id, row.title, receipt_words(match.receipt or (), row), match.objections)
        for match in chosen
        if match.objections and (row := versions.get((match.item_id, match.item_version))) is not None
    )


def spelling_of(hit: Mapping[str, Any]) -> tuple[str, str | None]:
    """The spelling that a hit of a receipt found, and its pack; None for a term of the query itself."""
    alias = hit.get("alias")
    return (alias, hit.get("pack")) if alias else (hit["term"], None)


def _matches(text: str, vault: Vault) -> Any:
    """The match of a link as a query set, only for curated topics: the address of an own keyword would reveal its secret.

    Returns None if the link is none of ours.
    """
    numbers = vault.read_token(_PURPOSE, text)
    if numbers is None:
        return None
    item_id, topic_id = numbers[0], int.from_bytes(numbers[1])
    if not (0 < item_id < _MOST_ID and 0 < topic_id < _MOST_ID):
        return None
    return Match.objects.filter(item_id=item_id, topic_id=topic_id, topic__kind=Topic.Kind.CURATED)
