"""The newest items of a topic, with the words that matched marked as its receipts say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from newsletter.matching.workshop.marked_text import Place, TextPiece, excerpt, marked
from newsletter.models import ItemVersion, Match

SIZE: Final = 25


@dataclass(frozen=True)
class MatchedItem:
    """An item that a topic matched. `fate`: owed, held, withdrawn or `not mailed` (older than the topic, or not announced)."""

    match_id: int
    item_id: int
    matched_at: datetime
    fate: str
    objections: int
    feed: str
    title: tuple[TextPiece, ...] = field(repr=False)
    text: tuple[TextPiece, ...] = field(repr=False)


@dataclass(frozen=True)
class MatchedItems:
    """Some matches, newest first. `after`: the id to ask with for older ones; None: there are none."""

    rows: tuple[MatchedItem, ...]
    after: int | None


def newest_matches(
    topic_id: int, *, after: int | None = None, size: int = SIZE, withdrawn: bool = True
) -> MatchedItems:
    """The newest matches of a topic, with an id below `after`; with those that it matches no longer, unless not `withdrawn`."""
    matches = Match.objects.filter(topic_id=topic_id, receipt__isnull=False)
    if not withdrawn:
        matches = matches.filter(withdrawn_at=None)
    if after is not None:
        matches = matches.filter(id__lt=after)
    rows = list(matches.select_related("item__entry__feed").order_by("-id")[: size + 1])
    versions = _versions(rows[:size])
    shown = (_matched(match, versions.get((match.item_id, match.item_version))) for match in rows[:size])
    return MatchedItems(
        tuple(each for each in shown if each is not None), rows[size - 1].id if len(rows) > size else None
    )


def _versions(matches: Iterable[Match]) -> dict[tuple[int, int], ItemVersion]:
    ids = [match.item_id for match in matches]
    return {(row.item_id, row.n): row for row in ItemVersion.objects.defer("html").filter(item_id__in=ids)}


def _matched(match: Match, version: ItemVersion | None) -> MatchedItem | None:
    """None if the version that it matched is stored no longer."""
    if version is None:
        return None
    receipt = match.receipt or ()
    return MatchedItem(
        match_id=match.id,
        item_id=match.item_id,
        matched_at=match.matched_at,
        fate=_fate(match),
        objections=match.objections,
        feed=match.item.entry.feed.title,
        title=marked(version.title, _places(receipt, "title")),
        text=excerpt(version.text, _places(receipt, "text")),
    )


def _places(receipt: Iterable[Mapping[str, Any]], where: str) -> list[Place]:
    return [(hit["start"], hit["end"]) for hit in receipt if hit["field"] == where]


def _fate(match: Match) -> str:
    if match.withdrawn_at is not None:
        return "withdrawn"
    if match.held_at is not None:
        return "held"
    return "owed" if match.owed_at is not None else "not mailed"
