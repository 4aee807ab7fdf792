"""What the pages show of the rooms: topics, articles, problems of a keyword, subjects of notices, and who mail comes from."""

from dataclasses import dataclass
from datetime import datetime

from newsletter import wiring
from newsletter.editions.rendering.notice_texts import notice_subject
from newsletter.matching.live_index.stored_items import current_versions
from newsletter.matching.query import language
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.query.spellings import listed_spellings
from newsletter.models import Item, Topic, TopicRevision

#: Spellings on a topic's card, and articles on the first page.
MOST_SPELLINGS, SAMPLE = 6, 3
#: Items among which the articles of the first page are chosen.
NEWEST = 1000


@dataclass(frozen=True)
class Card:
    """A topic to choose: what it is about, the first spellings it looks for, and how many more there are."""

    id: int
    name: str
    description: str
    spellings: tuple[str, ...]
    more: int
    #: Whether its name is one of the spellings that it looks for.
    named: bool


@dataclass(frozen=True)
class Article:
    """An article of the sample on the first page, with the title of its feed."""

    title: str
    feed: str
    seen_at: datetime


def cards() -> list[Card]:
    """The topics that anybody may choose, by name."""
    topics = Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE)
    queries = dict(TopicRevision.objects.filter(id__in=topics.values("revision_id")).values_list("topic_id", "query"))
    return sorted(
        (_card(topic, queries.get(topic.id) or "") for topic in topics), key=lambda card: card.name.casefold()
    )


def _card(topic: Topic, query: str) -> Card:
    name = topic.name or ""
    spellings = listed_spellings(query)
    others = tuple(spelling for spelling in spellings if _letters(spelling) != _letters(name))
    shown = others[:MOST_SPELLINGS]
    named = len(others) < len(spellings)
    return Card(topic.id, name, topic.description, shown, len(others) - len(shown), named)


def _letters(text: str) -> str:
    """Letters and digits alone: `Hong-Kong` tells nobody more than `Hong Kong`."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def newest_articles() -> list[Article]:
    """The newest few articles: of those that could be mailed, or else of all, which a first poll only stored.

    Only the newest items are looked at: anybody may load the page, however many items are stored.
    """
    newest = list(Item.objects.order_by("-first_seen_at", "-id").values_list("id", "announced")[:NEWEST])
    ids = [item_id for item_id, announced in newest if announced] or [item_id for item_id, _ in newest]
    rows = current_versions().filter(item_id__in=ids[:SAMPLE]).order_by("-item__first_seen_at", "-item_id")
    return [Article(row.title, row.item.entry.feed.title, row.item.first_seen_at) for row in rows if row.title]


def problem(keyword: str) -> str | None:
    """Why a keyword cannot be followed, in words for the person; None when it can."""
    try:
        language.parse_keyword(keyword)
    except QueryError as error:
        return f"{error.hint[:1].upper()}{error.hint[1:]}."
    return None


def publisher() -> dict[str, str]:
    """Who runs this: the name, and the postal address if there is one."""
    config = wiring.config()
    return {"publisher": config.organisation, "postal_address": config.postal_address}


def sender() -> dict[str, str]:
    """Who our mails come from, for a page that says so."""
    config = wiring.config()
    return {"sender_name": config.sender_name, "sender_address": config.sender_address}


def subject(kind: str) -> str:
    """The exact subject of a notice, the same for everybody."""
    return notice_subject(kind, wiring.config().organisation)
