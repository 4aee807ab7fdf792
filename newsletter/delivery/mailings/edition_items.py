"""The items of an edition, with the titles that were mailed and the names of their topics."""

from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.models import Edition, ItemVersion, Occasion, Topic

#: (item id, version, topic ids)
ContentRow = tuple[int, int, Sequence[int]]


@dataclass(frozen=True)
class StoryTopic:
    """A topic that brought an item. `name` is None for somebody's own keyword, which is shown to nobody."""

    topic_id: int
    name: str | None


@dataclass(frozen=True)
class StoryItem:
    """An item of a mail, in the version that was mailed."""

    item_id: int
    version: int
    title: str
    topics: tuple[StoryTopic, ...]

    @property
    def curated(self) -> tuple[StoryTopic, ...]:
        """Its topics without keywords."""
        return tuple(topic for topic in self.topics if topic.name is not None)


def content_of(edition: Edition) -> Sequence[ContentRow]:
    """What an edition was put together from; nothing for kinds that have no items."""
    kinds = (Occasion.Kind.ALERT, Occasion.Kind.DIGEST)
    return edition.content if edition.kind in kinds else ()


def has_keywords(edition: Edition) -> bool:
    """Whether an item is there for somebody's own keyword: also where nobody follows it any more."""
    topics = {topic_id for _, _, ids in content_of(edition) for topic_id in ids}
    return Topic.objects.filter(id__in=topics, kind=Topic.Kind.CURATED).count() < len(topics)


def edition_items(content: Sequence[ContentRow]) -> tuple[StoryItem, ...]:
    """The items of an edition's content, in its order."""
    return items_of_all([content])[0]


def items_of_all(contents: Sequence[Sequence[ContentRow]]) -> list[tuple[StoryItem, ...]]:
    """The same for several editions, in two statements."""
    item_ids = {item_id for content in contents for item_id, _, _ in content}
    titles = {
        (row.item_id, row.n): row.title
        for row in ItemVersion.objects.filter(item_id__in=item_ids).only("item_id", "n", "title")
    }
    topic_ids = {topic_id for content in contents for _, _, ids in content for topic_id in ids}
    names = dict(Topic.objects.filter(id__in=topic_ids).values_list("id", "name"))
    return [
        tuple(
            StoryItem(
                item_id,
                version,
                titles.get((item_id, version), ""),
                tuple(StoryTopic(topic_id, names.get(topic_id)) for topic_id in ids),
            )
            for item_id, version, ids in content
        )
        for content in contents
    ]
