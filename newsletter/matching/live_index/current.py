"""The topics in the database in, their index out: kept up to date by what changed, rebuilt in the background."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import structlog
from django.db.models import QuerySet

from newsletter.lib.crypto import Vault
from newsletter.matching.engine.document import Document
from newsletter.matching.engine.query_index import QueryIndex, QueryMatch
from newsletter.matching.live_index import topic_aliases
from newsletter.matching.query import language
from newsletter.matching.query.compiled import NO_ALIASES, CompiledQuery, compile_query
from newsletter.matching.query.query_error import QueryError
from newsletter.models import IndexState, Topic, TopicRevision

log = structlog.get_logger()

#: So many topics are rebuilt at once; more of them in the background.
_SMALL = 2_000
#: So many changes are carried beside the index before it is rebuilt, and half of its topics.
_MANY = 2_000


@dataclass(frozen=True)
class LiveIndex:
    """The index of one moment, and what a match must say of each topic."""

    number: int
    index: QueryIndex
    #: Topic id → the id of its revision.
    topics: dict[int, int]
    #: Topics whose receipts may be stored.
    curated: frozenset[int]
    #: Topic id → revision, of those that cannot be read.
    broken: dict[int, int] = field(default_factory=dict)
    #: Own topics that are not in the index, by the items that meet them.
    known: Mapping[Document, frozenset[int]] = field(default_factory=dict, repr=False)

    def matching_queries(self, document: Document) -> list[QueryMatch]:
        """The topics that an item meets, and the places of curated ones."""
        met = self.index.matching_queries(document, with_hits_for=self.curated)
        return [*met, *(QueryMatch(topic_id, ()) for topic_id in sorted(self.known.get(document, ())))]


_lock = threading.Lock()
_compiled: dict[int, LiveIndex] = {}
#: One thread at a time brings the index up to date, or makes it anew.
_updating = threading.Lock()
_rebuilding = threading.Lock()


def current_index(vault: Vault) -> LiveIndex:
    """The index of all active topics; what changed since the last time is put on top of it."""
    with _updating:
        number = IndexState.objects.values_list("number", flat=True).get(id=1)
        known = cached_index(vault)
        if known is not None and known.number == number:
            return known
        made = _updated(known or LiveIndex(0, QueryIndex({}), {}, frozenset()), number, vault)
        with _lock:
            _compiled.clear()
            _compiled[id(vault)] = made
    if made.index.changes > _MANY + len(made.topics) // 2:
        _rebuild(made, id(vault))
    return made


def cached_index(vault: Vault) -> LiveIndex | None:
    """The index of some moment, if this process has one."""
    with _lock:
        return _compiled.get(id(vault))


def active_topics() -> QuerySet[Topic]:
    """The topics that items may meet."""
    return Topic.objects.filter(state=Topic.State.ACTIVE).exclude(revision_id=None)


def _updated(known: LiveIndex, number: int, vault: Vault) -> LiveIndex:
    """Which topics there are is read in whole: a revision's number is given before its transaction ends, so that a smaller one
    may be seen after a larger, and a topic that was deleted has none. A database put back from a backup mends itself so, too.
    """
    active = {topic_id: revision or 0 for topic_id, revision in active_topics().values_list("id", "revision_id")}
    seen = known.topics | known.broken if known.broken else known.topics
    changed = {topic_id for topic_id, revision in active.items() if seen.get(topic_id) != revision}
    gone = {topic_id for topic_id in seen if topic_id not in active}
    plans, curated, broken = compile_topics(changed, vault)
    index = QueryIndex(plans) if not known.topics else known.index.updated(plans, gone | broken)
    if len(active) <= _SMALL and index.changes:
        index = index.rebuilt()
    unread = {one: active[one] for one in (known.broken.keys() & active.keys() - plans.keys()) | broken}
    return LiveIndex(
        number,
        index,
        {topic_id: revision for topic_id, revision in active.items() if topic_id not in unread} if unread else active,
        (known.curated - gone - broken) | curated,
        unread,
    )


def compile_topics(topic_ids: Collection[int], vault: Vault) -> tuple[dict[int, CompiledQuery], set[int], set[int]]:
    """The compiled queries of these topics, which of them are curated, and which could not be read."""
    plans: dict[int, CompiledQuery] = {}
    curated: set[int] = set()
    broken: set[int] = set()
    rows = Topic.objects.filter(id__in=topic_ids) if len(topic_ids) < _SMALL else Topic.objects.all()
    live = {row.id: row for row in TopicRevision.objects.exclude(query=None).filter(topic__in=rows)}
    aliases = topic_aliases.aliases_by_revision(live.values())
    for topic in rows.iterator():
        if topic.id not in topic_ids:
            continue
        try:
            revision = live.get(topic.revision_id or 0)
            text = topic.keyword(vault) if revision is None else revision.query or ""
            plans[topic.id] = compile_query(language.parse(text), aliases.get(topic.revision_id or 0, NO_ALIASES))
        except QueryError:  # one topic that cannot be read must not stop the others
            log.error("topic_not_read", topic_id=topic.id)
            broken.add(topic.id)
            continue
        if topic.kind == Topic.Kind.CURATED:
            curated.add(topic.id)
    return plans, curated, broken


def _rebuild(old: LiveIndex, key: int) -> None:
    """In a thread of its own, one at a time. What changes meanwhile is put on top again."""
    if not _rebuilding.acquire(blocking=False):
        return

    def run() -> None:
        try:
            index, at = old.index.rebuilt(), old
            with _lock:
                now = _compiled.get(key)
            if now is not None:  # most of it while others may still update
                index, at = _caught_up(index, at, now), now
            with _updating, _lock:
                now = _compiled.get(key)
                if now is not None:
                    _compiled[key] = replace(now, index=_caught_up(index, at, now))
        finally:
            _rebuilding.release()

    threading.Thread(target=run, name="index", daemon=True).start()


def _caught_up(index: QueryIndex, at: LiveIndex, now: LiveIndex) -> QueryIndex:
    """An index with the topics of one moment, brought to another, of which the queries are at hand."""
    changed = {topic_id for topic_id, _ in now.topics.items() - at.topics.items()}
    return index.updated(now.index.latest_queries(changed), at.topics.keys() - now.topics.keys())
