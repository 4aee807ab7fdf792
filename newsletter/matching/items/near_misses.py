"""Topics that a text matches, and those that it nearly matches: exactly one clause of their query fails."""

import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from newsletter.matching.engine.document import Document
from newsletter.matching.engine.explain import ClauseExplanation, explain_compiled
from newsletter.matching.engine.item_matcher import ItemMatcher
from newsletter.matching.live_index import topic_aliases
from newsletter.matching.live_index.current import active_topics
from newsletter.matching.live_index.item_index import ProcessorClock
from newsletter.matching.query.compiled import CompiledQuery, compile_query
from newsletter.matching.query.language import parse
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.topics.draft_matcher import matched_words
from newsletter.matching.topics.lookup import live_revisions
from newsletter.models import Topic, TopicRevision

#: The approximate processor time for explaining one text to all topics, in seconds.
SECONDS = 0.3
#: Near misses that are shown, and words of a clause.
MOST, MOST_WORDS = 8, 6
#: Compiled queries that are kept.
_MOST_COMPILED = 4_000


@dataclass(frozen=True)
class FittingTopic:
    """An active curated topic that a text matches. `words` as `matched_words` gives them; `held`: its matches wait."""

    topic_id: int
    name: str
    held: bool
    words: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class NearMiss:
    """A topic that a text does not match because of one clause: `missing` words, or the `excluded` ones that are in it.

    `present`: terms that are in it. `without_context`: spellings that are in it, without the words that they need beside them.
    """

    topic_id: int
    name: str
    present: tuple[str, ...] = field(repr=False)
    missing: tuple[str, ...] = field(repr=False)
    excluded: tuple[str, ...] = field(repr=False)
    without_context: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class TopicFit:
    """What became of asking all active curated topics. `asked` of `topics`: time may have run out."""

    matches: tuple[FittingTopic, ...]
    near: tuple[NearMiss, ...]
    asked: int
    topics: int


def fit_topics(document: Document, *, seconds: float = SECONDS, besides: Collection[int] = ()) -> TopicFit:
    """Which active curated topics a text matches, and which nearly. Topics in `besides` are no near misses."""
    topics = list(active_topics().filter(kind=Topic.Kind.CURATED).order_by("name"))
    clock, matcher = ProcessorClock(seconds), ItemMatcher(document)
    matches, near, asked = list[FittingTopic](), list[NearMiss](), 0
    for topic, query in _compiled(topics):
        if clock.over:
            break
        asked += 1
        clause = explain_compiled(query, matcher)
        name = topic.name or ""
        if clause.met:
            hits = [hit for term in clause.decided for hit in term.hits]
            held = topic.held_since is not None
            matches.append(FittingTopic(topic.id, name, held, matched_words(document, hits)[:MOST_WORDS]))
        elif topic.id not in besides and clause.misses == 1 and (clause.present or _out_of_context(clause)):
            near.append(_near_miss(topic.id, name, clause))
    near.sort(key=lambda miss: (len(miss.missing), miss.name))
    return TopicFit(tuple(matches), tuple(near[:MOST]), asked, len(topics))


def _near_miss(topic_id: int, name: str, clause: ClauseExplanation) -> NearMiss:
    return NearMiss(
        topic_id,
        name,
        present=_names(term.term for term in clause.present),
        missing=_names(term.term for term in clause.decided if not term.met and not term.without_context),
        excluded=_names(term.term for term in clause.decided if term.met),
        without_context=_out_of_context(clause),
    )


def _out_of_context(clause: ClauseExplanation) -> tuple[str, ...]:
    return _names(spelling for term in clause.decided for spelling in term.without_context)


def _names(terms: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(terms))[:MOST_WORDS]


_cache: dict[tuple[object, ...], CompiledQuery] = {}
_caching = threading.Lock()


def _compiled(topics: Collection[Topic]) -> Iterator[tuple[Topic, CompiledQuery]]:
    """Each topic with its compiled query; those whose query cannot be read are left out."""
    live = live_revisions(topics)
    new = [revision for revision in live.values() if _key(revision) not in _cache]
    aliases = topic_aliases.aliases_by_revision(new)
    with _caching:
        if len(_cache) + len(new) > _MOST_COMPILED:
            _cache.clear()
    for topic in topics:
        revision = live.get(topic.id)
        if revision is None:
            continue
        query = _cache.get(_key(revision))
        if query is None:
            try:
                query = compile_query(parse(revision.query or ""), aliases.get(revision.id, {}))
            except QueryError:
                continue
            _cache[_key(revision)] = query
        yield topic, query


def _key(revision: TopicRevision) -> tuple[object, ...]:
    """What a compiled query depends on; revisions never change, but a database may be another one."""
    return revision.id, revision.query, str(revision.packs), str(revision.without)
