"""Explain why an item matches a topic or does not: the clauses of the query, and what became of the match."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.lib.refused import Refused
from newsletter.matching.aliases.groups import alias_table
from newsletter.matching.engine.document import Hit
from newsletter.matching.engine.explain import ClauseExplanation, explain
from newsletter.matching.live_index.stored_items import current_versions, load_items
from newsletter.matching.query.language import parse
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics.draft_matcher import shown_words
from newsletter.matching.topics.lookup import find_topic, no_such_topic
from newsletter.matching.topics.revisions import draft_of, live_revision
from newsletter.models import ItemVersion, Match, TopicRevision


@dataclass(frozen=True)
class MatchExplanation:
    """The topic as it is now against the item as it is now. `stored` tells what became of the match, if there is one."""

    item_id: int
    title: str
    topic: str
    query: str = field(repr=False)
    revision: int
    meets: bool
    #: The terms that decide it.
    decided: tuple[ClauseExplanation, ...]
    words: dict[str, tuple[str, ...]] = field(repr=False)
    stored: str | None


def explain_match(item_id: int, name: str) -> MatchExplanation | Refused:
    """Explain why an item matches the topic of this name, or does not."""
    topic = find_topic(name)
    if topic is None:
        return no_such_topic()
    loaded = next(load_items(current_versions().filter(item_id=item_id)), None)
    if loaded is None:
        return Refused("there is no such item: 'newsletter match --query Q' shows items with their numbers")
    live = live_revision(topic)
    draft = draft_of(live)
    try:
        explanation = explain(parse(draft.query), loaded.document, alias_table(draft.groups))
    except QueryError as error:
        return Refused(f"the topic's query cannot be used, column {error.column}: {error.hint}")
    words = {term.term: _shown(term.hits, loaded.version) for term in explanation.decided}
    return MatchExplanation(
        item_id=item_id,
        title=loaded.version.title,
        topic=topic.name or "",
        query=draft.query,
        revision=live.n,
        meets=explanation.met,
        decided=explanation.decided,
        words=words,
        stored=_stored(item_id, topic.id),
    )


def _shown(hits: Iterable[Hit], version: ItemVersion) -> tuple[str, ...]:
    words = (shown_words(hit.field, hit.start, hit.end, version) for hit in hits)
    return tuple(dict.fromkeys(each for each in words if each is not None))


def _stored(item_id: int, topic_id: int) -> str | None:
    match = Match.objects.filter(item_id=item_id, topic_id=topic_id).first()
    if match is None:
        return None
    n = TopicRevision.objects.filter(id=match.revision_id).values_list("n", flat=True).first()
    return f"matched at {_minute(match.matched_at)}, last by revision {n}; {_fate(match)}"


def _fate(match: Match) -> str:
    if match.withdrawn_at is not None:
        return f"withdrawn at {_minute(match.withdrawn_at)}"
    if match.held_at is not None:
        return "waiting for the topic to be released"
    if match.owed_at is None:
        return "will not be mailed: the item is older than the topic, or was not announced"
    return f"owed since {_minute(match.owed_at)}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
