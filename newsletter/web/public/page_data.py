"""What the pages show of the rooms: topics, problems of a keyword, subjects of notices, and who mail comes from."""

from dataclasses import dataclass

from newsletter import wiring
from newsletter.editions.rendering.notice_texts import notice_subject
from newsletter.lib.shorten import shorten
from newsletter.matching.query import language
from newsletter.matching.query.query_error import QueryError
from newsletter.models import Topic, TopicRevision

_LONGEST_ABOUT = 90


@dataclass(frozen=True)
class Card:
    """A topic to choose. `about` is what it looks for."""

    id: int
    name: str
    about: str


def cards() -> list[Card]:
    """The topics that anybody may choose, by name."""
    found = Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE)
    queries = dict(TopicRevision.objects.filter(id__in=found.values("revision_id")).values_list("topic_id", "query"))
    made = [Card(topic.id, topic.name or "", _about(queries.get(topic.id) or "")) for topic in found]
    return sorted(made, key=lambda card: card.name.casefold())


def _about(written: str) -> str:
    return shorten(written.replace(" OR ", ", "), _LONGEST_ABOUT)


def problem(keyword: str) -> str | None:
    """Why a keyword cannot be followed, in words for the person; None when it can."""
    try:
        language.parse_keyword(keyword)
    except QueryError as error:
        return f"{error.hint[:1].upper()}{error.hint[1:]}."
    return None


def sender() -> dict[str, str]:
    """Who our mails come from, for a page that says so."""
    config = wiring.config()
    return {"sender_name": config.sender_name, "sender_address": config.sender_address}


def subject(kind: str) -> str:
    """The exact subject of a notice, the same for everybody."""
    return notice_subject(kind)
