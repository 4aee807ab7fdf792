"""Which stored items a list shows: by words, feed, topic, date, and whether they matched a topic."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from newsletter.lib.refused import Refused
from newsletter.matching.aliases.groups import alias_table
from newsletter.matching.query.compiled import CompiledQuery, compile_query
from newsletter.matching.query.language import parse
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics.revisions import new_draft
from newsletter.models import Item, Match, Topic


@dataclass(frozen=True)
class ItemFilter:
    """What to look for; None and an empty text let everything through. Published at `since` or later, and before `until`."""

    words: str = field(default="", repr=False)
    feed_id: int | None = None
    topic_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    #: True: matched a topic; False: matched none.
    matched: bool | None = None


@dataclass(frozen=True)
class WrongQuery:
    """A query that cannot be used: where (from 1), and what to do."""

    column: int
    hint: str

    @property
    def sentence(self) -> str:
        """Both in one line."""
        return f"column {self.column}: {self.hint}"


def query_of(words: str) -> CompiledQuery | WrongQuery | None:
    """The query of these words, with the spellings of all alias packs. Returns None without words."""
    if not words.strip():
        return None
    try:
        query = parse(words)
    except QueryError as error:
        return WrongQuery(error.column, error.hint)
    draft = new_draft(words)
    if isinstance(draft, Refused):
        return WrongQuery(1, draft.reason)
    return compile_query(query, alias_table(draft.groups))


def filtered(chosen: ItemFilter) -> QuerySet[Item]:
    """The items that all but the words of a filter let through, newest first."""
    items = Item.objects.order_by("-id")
    if chosen.feed_id is not None:
        items = items.filter(entry__feed_id=chosen.feed_id)
    if chosen.since is not None:
        items = items.filter(entry__published_at__gte=chosen.since)
    if chosen.until is not None:
        items = items.filter(entry__published_at__lt=chosen.until)
    if chosen.topic_id is not None:
        items = items.filter(Exists(_matches().filter(topic_id=chosen.topic_id)))
    if chosen.matched is not None:
        any_topic = Exists(_matches())
        items = items.filter(any_topic if chosen.matched else ~any_topic)
    return items


def _matches() -> QuerySet[Match]:
    """Matches of an item with curated topics: what subscribers look for by their own keywords is shown to nobody."""
    return Match.objects.filter(item_id=OuterRef("id"), topic__kind=Topic.Kind.CURATED, withdrawn_at=None)
