"""Find the curated topics that texts match which are not stored: before a feed is added, or an item is published."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from newsletter.matching.engine.document import Document
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.live_index import topic_aliases
from newsletter.matching.query.compiled import CompiledQuery, compile_query
from newsletter.matching.query.language import parse
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics.draft_matcher import matched_words
from newsletter.matching.topics.lookup import live_revisions
from newsletter.models import Topic


@dataclass(frozen=True)
class MatchingTopic:
    """A curated topic that a text matches. `held`: its matches wait, and are mailed to nobody."""

    topic_id: int
    name: str
    held: bool
    words: tuple[str, ...] = field(repr=False)


def matching_topics(documents: Sequence[Document]) -> list[tuple[MatchingTopic, ...]]:
    """For each document the active curated topics that it matches, by name. Readers' own keywords are left out."""
    topics = {topic.id: topic for topic in _active()}
    index = QueryIndex(_compiled(topics.values()))
    matching = []
    for document in documents:
        found = [
            MatchingTopic(
                match.topic_id,
                topics[match.topic_id].name or "",
                topics[match.topic_id].held_since is not None,
                matched_words(document, match.hits),
            )
            for match in index.matching_queries(document)
        ]
        matching.append(tuple(sorted(found, key=lambda topic: topic.name.casefold())))
    return matching


def _active() -> Iterable[Topic]:
    active = Topic.objects.filter(kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE)
    return active.exclude(revision_id=None)


def _compiled(topics: Iterable[Topic]) -> dict[int, CompiledQuery]:
    revisions = live_revisions(topics)
    aliases = topic_aliases.aliases_by_revision(revisions.values())
    queries = {}
    for topic_id, revision in revisions.items():
        try:
            queries[topic_id] = compile_query(parse(revision.query or ""), aliases[revision.id])
        except QueryError:  # workers leave out such a topic, too
            continue
    return queries
