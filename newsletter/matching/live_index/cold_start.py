"""The items that a new process is to match in, an index of only those topics that they may meet out.

To read and compile a hundred thousand topics takes seconds. The first items need not wait for that: anchors tell which own
topics they may meet, and only those are read. The whole index is made meanwhile, in a thread of its own.
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
from newsletter.matching.live_index.current import LiveIndex, current_index
from newsletter.matching.text import stemming
from newsletter.models import Item, Topic

log = structlog.get_logger()

#: Of more topics than this the whole index is made in the background.
_FEW = 2_000
#: With more items than this one waits for it.
_MOST_ITEMS = 50
#: The languages of so many items are looked at.
_RECENT = 1_000
_making = threading.Lock()


def cold_start_index(seen: Sequence[Document], vault: Vault) -> LiveIndex | None:
    """An index of the topics that these items may meet; None when the whole is to be used.

    That is so when there is one, when topics are few or items many, and when anchors are missing.
    """
    if not 0 < len(seen) <= _MOST_ITEMS or current.cached_index(vault) is not None:
        return None
    if not Topic.objects.order_by()[_FEW : _FEW + 1].exists():
        return None
    _make_whole(vault)
    known = {stemming.stems_for(language) for language in ("", *keyword_hashes.hashed_languages())}
    opened = [ItemMatcher(one).body for one in seen]
    if not all(body.stems in known for body in opened):
        return None
    rest = current.active_topics()
    curated = dict(rest.filter(kind=Topic.Kind.CURATED).values_list("id", "revision_id"))
    unknown = dict(
        rest.filter(id__in=keyword_hashes.topics_without_hashes()).values_list("id", "revision_id")[: _FEW + 1]
    )
    if len(unknown) > _FEW:
        return None
    return _of_candidates(seen, [item_keys(body) for body in opened], curated | unknown, vault)


def _of_candidates(
    seen: Sequence[Document], signs: Sequence[set[str]], topics: dict[int, int | None], vault: Vault
) -> LiveIndex | None:
    hashes = keyword_hashes.hash_words(set().union(*signs), vault)
    read = {topic_id: revision or 0 for topic_id, revision in topics.items()}
    enough: dict[str, set[int]] = defaultdict(set)
    surely: dict[int, int] = {}
    for number, topic_id, revision, is_enough in keyword_hashes.topics_for_hashes(hashes):
        if is_enough:
            enough[hashes[number]].add(topic_id)
            surely[topic_id] = revision
        else:
            read[topic_id] = revision
    if len(read) >= _FEW:
        return None
    plans, curated, broken = current.compile_topics(read, vault)
    known = {
        one: frozenset().union(*(enough[sign] for sign in enough.keys() & some))
        for one, some in zip(seen, signs, strict=True)
    }
    topics_met = {topic_id: revision for topic_id, revision in read.items() if topic_id not in broken} | surely
    return LiveIndex(0, QueryIndex(plans), topics_met, frozenset(curated), {one: read[one] for one in broken}, known)


def _make_whole(vault: Vault) -> None:
    """The index of all topics, and what anchors are missing, in a thread of its own, one at a time."""
    if not _making.acquire(blocking=False):
        return

    def run() -> None:
        try:
            current_index(vault)
            recent = Item.objects.order_by("-id").values_list("lang", flat=True)[:_RECENT]
            done = keyword_hashes.store_missing_hashes(set(recent), vault)
            log.info("topics_anchored", rows=done)
        finally:
            connection.close()
            _making.release()

    threading.Thread(target=run, name="whole index", daemon=True).start()
