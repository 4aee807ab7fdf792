"""Choose the content of an edition from matches: which items, in which order, grouped into stories, for which topics."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf


@dataclass(frozen=True)
class OwedMatch:
    """A match as far as composing needs it."""

    match_id: int
    item_id: int
    version: int
    topic_id: int
    story_id: int | None
    published_at: datetime
    position: int
    owed_at: datetime


#: One item of an edition: (item id, version, topic ids in order).
ContentItem = tuple[int, int, tuple[int, ...]]
Content = tuple[ContentItem, ...]


def select_content(match_ids: Iterable[int], matches: Mapping[int, OwedMatch], late: datetime | None = None) -> Content:
    """The content for somebody who is owed `match_ids`: newest story first, items of one story side by side.

    What was owed at `late` or before did not fit into an earlier mail. It comes first, the longest waiting before all.
    """
    topics: dict[int, set[int]] = defaultdict(set)
    newest: dict[int, OwedMatch] = {}
    owed_at: dict[tuple[str, int], datetime] = {}
    for match_id in match_ids:
        match = matches[match_id]
        topics[match.item_id].add(match.topic_id)
        owed_at[_story(match)] = min(match.owed_at, owed_at.get(_story(match), match.owed_at))
        known = newest.get(match.item_id)
        if known is None or match.version > known.version:
            newest[match.item_id] = match
    first: dict[tuple[str, int], tuple[float, int, int]] = {}
    for match in newest.values():
        first[_story(match)] = min(_rank(match), first.get(_story(match), _rank(match)))
    waiting_since = {
        story: moment.timestamp() if late is not None and moment <= late else inf for story, moment in owed_at.items()
    }
    ordered = sorted(
        newest.values(), key=lambda match: (waiting_since[_story(match)], first[_story(match)], _rank(match))
    )
    return tuple((match.item_id, match.version, tuple(sorted(topics[match.item_id]))) for match in ordered)


def group_by_story(content: Content, story_of: Mapping[int, int | None]) -> list[Content]:
    """Put neighbouring items of the same story together; each group becomes one block of the mail."""
    groups: list[list[ContentItem]] = []
    for item in content:
        story = story_of.get(item[0])
        if groups and story is not None and story_of.get(groups[-1][-1][0]) == story:
            groups[-1].append(item)
        else:
            groups.append([item])
    return [tuple(group) for group in groups]


def _story(match: OwedMatch) -> tuple[str, int]:
    return ("story", match.story_id) if match.story_id is not None else ("item", match.item_id)


def _rank(match: OwedMatch) -> tuple[float, int, int]:
    """Newest first; within one entry in its own order."""
    return -match.published_at.timestamp(), match.position, match.item_id
