"""Build a partial index for a new process: only the topics that the first few items can match.

Reading and compiling a hundred thousand topics takes seconds. The first items do not wait for that: keyword hashes tell
which keyword topics they can match, and only those are read. The whole index is built meanwhile, in a background thread.
"""

import threading
from collections import defaultdict
from collections.abc import Sequence

import structlog
from django.db import connection

from newsletter.lib.crypto import Vault
from newsletter.matching.engine.document import Document
from newsletter.matching.engine.item_matcher import ItemMatcher
from newsletter.matching.engine.query_index import QueryIndex
from newsletter.matching.engine.required_words import item_keys
from newsletter.matching.live_index import current, keyword_hashes
from newsletter.matching.live_index.current import CurrentIndex, LiveIndex
from newsletter.matching.text import stemming
from newsletter.models import Item, Topic

log = structlog.get_logger()

#: With more topics than this the whole index is built in the background.
_FEW = 2_000
#: With more items than this it is waited for.
_MOST_ITEMS = 50
#: The hashes are written for the languages of so many recent items.
_RECENT = 1_000


def cold_start_index(documents: Sequence[Document], index: CurrentIndex) -> LiveIndex | None:
    """An index of the topics that these items can match.

    Returns None if the whole index is to be used: it is there, topics are few or items many, or hashes are missing.
    """
    if not 0 < len(documents) <= _MOST_ITEMS or index.cached is not None:
        return None
    if not Topic.objects.order_by()[_FEW : _FEW + 1].exists():
        return None
    _build_whole(index)
    hashed = {stemming.stems_for(language) for language in ("", *keyword_hashes.hashed_languages())}
    texts = [ItemMatcher(document).body for document in documents]
    if not all(text.stems in hashed for text in texts):
        return None
    active = current.active_topics()
    curated = dict(active.filter(kind=Topic.Kind.CURATED).values_list("id", "revision_id"))
    without_hashes = active.filter(id__in=keyword_hashes.topics_without_hashes())
    unhashed = dict(without_hashes.values_list("id", "revision_id")[: _FEW + 1])
    if len(unhashed) > _FEW:
        return None
    return _of_candidates(documents, [item_keys(text) for text in texts], curated | unhashed, index.vault)


def _of_candidates(
    documents: Sequence[Document], keys: Sequence[set[str]], topics: dict[int, int | None], vault: Vault
) -> LiveIndex | None:
    """An index of these topics and of those that share a hash with an item, where the hash alone does not decide."""
    hashes = keyword_hashes.hash_words(set().union(*keys), vault)
    to_read = {topic_id: revision or 0 for topic_id, revision in topics.items()}
    by_key: dict[str, set[int]] = defaultdict(set)
    certain: dict[int, int] = {}
    for number, topic_id, revision, sufficient in keyword_hashes.topics_for_hashes(hashes):
        if sufficient:
            by_key[hashes[number]].add(topic_id)
            certain[topic_id] = revision
        else:
            to_read[topic_id] = revision
    if len(to_read) >= _FEW:
        return None
    queries, curated, broken = current.compile_topics(to_read, vault)
    known = {
        document: frozenset().union(*(by_key[key] for key in by_key.keys() & of_document))
        for document, of_document in zip(documents, keys, strict=True)
    }
    revisions = {topic_id: revision for topic_id, revision in to_read.items() if topic_id not in broken} | certain
    unread = {topic_id: to_read[topic_id] for topic_id in broken}
    return LiveIndex(0, QueryIndex(queries), revisions, frozenset(curated), unread, known)


def _build_whole(index: CurrentIndex) -> None:
    """Build the index of all topics, and write missing hashes, in a background thread, one at a time."""
    if not index.building.acquire(blocking=False):
        return

    def build() -> None:
        try:
            index.get()
            recent = Item.objects.order_by("-id").values_list("lang", flat=True)[:_RECENT]
            done = keyword_hashes.store_missing_hashes(set(recent), index.vault)
            log.info("topics_anchored", rows=done)
        finally:
            connection.close()
            index.building.release()

    threading.Thread(target=build, name="whole index", daemon=True).start()
