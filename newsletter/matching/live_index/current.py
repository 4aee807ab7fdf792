"""The index of all active topics: updated with what changed, and rebuilt in the background now and then."""

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

#: Up to so many topics are rebuilt at once; more of them in the background.
_SMALL = 2_000
#: The index is rebuilt after so many changes, and as many more as half of its topics.
_MANY = 2_000


@dataclass(frozen=True)
class LiveIndex:
    """The index at one moment, and what a match must record of each topic."""

    #: The version of the topics, `IndexState.number`.
    number: int
    index: QueryIndex
    #: Topic id → the id of its revision.
    topics: dict[int, int]
    #: Topics whose receipts may be stored.
    curated: frozenset[int]
    #: Topic id → revision, of those whose query cannot be read.
    broken: dict[int, int] = field(default_factory=dict)
    #: Keyword topics that are not in the index, by the items that they match.
    known: Mapping[Document, frozenset[int]] = field(default_factory=dict, repr=False)

    def matching_queries(self, document: Document) -> list[QueryMatch]:
        """The topics that match an item, with hits for curated ones."""
        matches = self.index.matching_queries(document, with_hits_for=self.curated)
        return [*matches, *(QueryMatch(topic_id, ()) for topic_id in sorted(self.known.get(document, ())))]


class CurrentIndex:
    """The current index of a process. Threads may share it."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        #: Held by the thread that builds the first index in the background.
        self.building = threading.Lock()
        self._cached: LiveIndex | None = None
        self._swapping = threading.Lock()
        self._updating = threading.Lock()
        self._rebuilding = threading.Lock()

    @property
    def cached(self) -> LiveIndex | None:
        """The index as it was when it was last used; None if it was not yet."""
        with self._swapping:
            return self._cached

    def get(self) -> LiveIndex:
        """The index of all active topics, updated with what changed since the last time."""
        with self._updating:
            number = IndexState.objects.values_list("number", flat=True).get(id=1)
            cached = self.cached
            if cached is not None and cached.number == number:
                return cached
            live = _updated(cached or LiveIndex(0, QueryIndex({}), {}, frozenset()), number, self.vault)
            with self._swapping:
                self._cached = live
        if live.index.changes > _MANY + len(live.topics) // 2:
            self._rebuild_in_background(live)
        return live

    def _rebuild_in_background(self, old: LiveIndex) -> None:
        """Rebuild the index in a thread, one at a time, and apply what changed meanwhile."""
        if not self._rebuilding.acquire(blocking=False):
            return

        def rebuild() -> None:
            try:
                index, latest = old.index.rebuilt(), self.cached or old
                index = _caught_up(index, old, latest)  # most of it while others may still update
                with self._updating, self._swapping:
                    if self._cached is not None:
                        self._cached = replace(self._cached, index=_caught_up(index, latest, self._cached))
            finally:
                self._rebuilding.release()

        threading.Thread(target=rebuild, name="index", daemon=True).start()


def active_topics() -> QuerySet[Topic]:
    """The topics that items are matched against."""
    return Topic.objects.filter(state=Topic.State.ACTIVE).exclude(revision_id=None)


def _updated(known: LiveIndex, number: int, vault: Vault) -> LiveIndex:
    """Bring an index up to date.

    The list of topics is always read completely: revisions may become visible in another order than that of their ids, and a
    deleted topic has none. It also makes the index right after a restore from a backup.
    """
    active = {topic_id: revision or 0 for topic_id, revision in active_topics().values_list("id", "revision_id")}
    before = known.topics | known.broken if known.broken else known.topics
    changed = {topic_id for topic_id, revision in active.items() if before.get(topic_id) != revision}
    removed = {topic_id for topic_id in before if topic_id not in active}
    queries, curated, broken = compile_topics(changed, vault)
    index = QueryIndex(queries) if not known.topics else known.index.updated(queries, removed | broken)
    if len(active) <= _SMALL and index.changes:
        index = index.rebuilt()
    still_broken = (known.broken.keys() & active.keys() - queries.keys()) | broken
    unread = {topic_id: active[topic_id] for topic_id in still_broken}
    return LiveIndex(
        number,
        index,
        {topic_id: revision for topic_id, revision in active.items() if topic_id not in unread} if unread else active,
        (known.curated - removed - broken) | curated,
        unread,
    )


def compile_topics(topic_ids: Collection[int], vault: Vault) -> tuple[dict[int, CompiledQuery], set[int], set[int]]:
    """The compiled queries of these topics, which of them are curated, and which could not be read."""
    queries: dict[int, CompiledQuery] = {}
    curated: set[int] = set()
    broken: set[int] = set()
    rows = Topic.objects.filter(id__in=topic_ids) if len(topic_ids) < _SMALL else Topic.objects.all()
    with_query = TopicRevision.objects.exclude(query=None).filter(topic__in=rows)
    revisions: dict[int | None, TopicRevision] = {row.id: row for row in with_query}
    aliases = topic_aliases.aliases_by_revision(revisions.values())
    for topic in rows.iterator():
        if topic.id not in topic_ids:
            continue
        try:
            revision = revisions.get(topic.revision_id)
            text = topic.keyword(vault) if revision is None else revision.query or ""
            spellings = NO_ALIASES if revision is None else aliases[revision.id]
            queries[topic.id] = compile_query(language.parse(text), spellings)
        except QueryError:  # one topic that cannot be read must not stop the others
            log.error("topic_not_read", topic_id=topic.id)
            broken.add(topic.id)
            continue
        if topic.kind == Topic.Kind.CURATED:
            curated.add(topic.id)
    return queries, curated, broken


def _caught_up(index: QueryIndex, before: LiveIndex, after: LiveIndex) -> QueryIndex:
    """`index`, which has the topics of `before`, with those of `after`."""
    changed = {topic_id for topic_id, _ in after.topics.items() - before.topics.items()}
    return index.updated(after.index.latest_queries(changed), before.topics.keys() - after.topics.keys())
