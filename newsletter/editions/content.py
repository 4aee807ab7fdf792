"""Matches in, the content of an edition out: which items, in which order, told as which stories, for which topics."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf


@dataclass(frozen=True)
class Hit:
    """A match as far as wording needs it."""

    match_id: int
    item_id: int
    version: int
    topic_id: int
    story_id: int | None
    published_at: datetime
    position: int
    owed_at: datetime


#: One item of an edition: (item id, version, topic ids in order).
Told = tuple[int, int, tuple[int, ...]]
Content = tuple[Told, ...]


def content(match_ids: Iterable[int], hits: Mapping[int, Hit], late: datetime | None = None) -> Content:
    """The content for somebody who is owed `match_ids`: newest story first, items of one story side by side.

    What was owed at `late` or before did not fit into an earlier mail: it comes first, what has waited longest before all.
    """
    topics: dict[int, set[int]] = defaultdict(set)
    chosen: dict[int, Hit] = {}
    owed: dict[tuple[str, int], datetime] = {}
    for match_id in match_ids:
        hit = hits[match_id]
        topics[hit.item_id].add(hit.topic_id)
        owed[_story(hit)] = min(hit.owed_at, owed.get(_story(hit), hit.owed_at))
        known = chosen.get(hit.item_id)
        if known is None or hit.version > known.version:
            chosen[hit.item_id] = hit
    first: dict[tuple[str, int], tuple[float, int, int]] = {}
    for hit in chosen.values():
        first[_story(hit)] = min(_place(hit), first.get(_story(hit), _place(hit)))
    waited = {story: at.timestamp() if late is not None and at <= late else inf for story, at in owed.items()}
    ordered = sorted(chosen.values(), key=lambda hit: (waited[_story(hit)], first[_story(hit)], _place(hit)))
    return tuple((hit.item_id, hit.version, tuple(sorted(topics[hit.item_id]))) for hit in ordered)


def stories(told: Content, story_of: Mapping[int, int | None]) -> list[Content]:
    """Neighbouring items of the same story together; each part is one place in the mail."""
    places: list[list[Told]] = []
    for item in told:
        story = story_of.get(item[0])
        if places and story is not None and story_of.get(places[-1][-1][0]) == story:
            places[-1].append(item)
        else:
            places.append([item])
    return [tuple(place) for place in places]


def _story(hit: Hit) -> tuple[str, int]:
    return ("story", hit.story_id) if hit.story_id is not None else ("item", hit.item_id)


def _place(hit: Hit) -> tuple[float, int, int]:
    """Newest first; within one entry as the entry has it."""
    return -hit.published_at.timestamp(), hit.position, hit.item_id
