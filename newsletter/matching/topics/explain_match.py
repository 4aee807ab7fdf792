"""Why an item is, or is not, about a topic: the clauses of its query, and what became of the match."""

from dataclasses import dataclass, field
from datetime import datetime

from newsletter.lib.refused import Refused
from newsletter.matching.aliases.groups import alias_table
from newsletter.matching.engine.explain import ClauseExplanation, explain
from newsletter.matching.live_index.stored_items import current_versions, load_items
from newsletter.matching.query.language import parse
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics.lookup import find_topic, no_such_topic
from newsletter.matching.topics.revisions import draft_of, live_revision
from newsletter.models import Match, TopicRevision


@dataclass(frozen=True)
class MatchExplanation:
    """The topic as it is now against the item as it is now. `stored` is what became of the match in words, if there is one."""

    item_id: int
    title: str
    topic: str
    query: str = field(repr=False)
    revision: int
    meets: bool
    #: The terms because of which it is, or is not, met.
    decided: tuple[ClauseExplanation, ...]
    words: dict[str, tuple[str, ...]] = field(repr=False)
    stored: str | None


def explain_match(item_id: int, name: str) -> MatchExplanation | Refused:
    """Explain an item and a topic."""
    topic = find_topic(name)
    if topic is None:
        return no_such_topic()
    one = next(load_items(current_versions().filter(item_id=item_id)), None)
    if one is None:
        return Refused("there is no such item: 'newsletter match --query Q' shows items with their numbers")
    live = live_revision(topic)
    draft = draft_of(live)
    try:
        told = explain(parse(draft.query), one.document, alias_table(draft.groups))
    except QueryError as error:
        return Refused(f"the topic's query cannot be used, column {error.column}: {error.hint}")
    shown = {"title": one.document.title, "text": one.document.text}
    words = {
        part.term: tuple(
            dict.fromkeys(shown[hit.field][hit.start : hit.end] for hit in part.hits if hit.field in shown)
        )
        for part in told.decided
    }
    return MatchExplanation(
        item_id=item_id,
        title=one.version.title,
        topic=topic.name or "",
        query=draft.query,
        revision=live.n,
        meets=told.met,
        decided=told.decided,
        words=words,
        stored=_stored(item_id, topic.id),
    )


def _stored(item_id: int, topic_id: int) -> str | None:
    match = Match.objects.filter(item_id=item_id, topic_id=topic_id).first()
    if match is None:
        return None
    n = TopicRevision.objects.filter(id=match.revision_id).values_list("n", flat=True).first()
    return f"matched at {_at(match.matched_at)}, last by revision {n}; {_fate(match)}"


def _fate(match: Match) -> str:
    if match.withdrawn_at is not None:
        return f"withdrawn at {_at(match.withdrawn_at)}"
    if match.held_at is not None:
        return "waiting for the topic to be released"
    if match.owed_at is None:
        return "never to be mailed: the item was there before the topic, or was not announced"
    return f"owed since {_at(match.owed_at)}"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
