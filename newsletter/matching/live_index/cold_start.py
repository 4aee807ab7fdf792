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
from newsletter.matching.engine.document import Readable
from newsletter.matching.engine.item_matcher import Opened
from newsletter.matching.engine.query_index import Index
from newsletter.matching.engine.required_words import signs_of
from newsletter.matching.live_index import current, keyword_hashes
from newsletter.matching.live_index.current import Compiled, index_for
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


def first_index(seen: Sequence[Readable], vault: Vault) -> Compiled | None:
    """An index of the topics that these items may meet; None when the whole is to be used.

    That is so when there is one, when topics are few or items many, and when anchors are missing.
    """
    if not 0 < len(seen) <= _MOST_ITEMS or current.at_hand(vault) is not None:
        return None
    if not Topic.objects.order_by()[_FEW : _FEW + 1].exists():
        return None
    _make_whole(vault)
    known = {stemming.of(language) for language in ("", *keyword_hashes.languages())}
    opened = [Opened(one).body for one in seen]
    if not all(body.stems in known for body in opened):
        return None
    rest = current.active_topics()
    curated = dict(rest.filter(kind=Topic.Kind.CURATED).values_list("id", "revision_id"))
    unknown = dict(rest.filter(id__in=keyword_hashes.unanchored()).values_list("id", "revision_id")[: _FEW + 1])
    if len(unknown) > _FEW:
        return None
    return _of_candidates(seen, [signs_of(body) for body in opened], curated | unknown, vault)


def _of_candidates(
    seen: Sequence[Readable], signs: Sequence[set[str]], topics: dict[int, int | None], vault: Vault
) -> Compiled | None:
    hashes = keyword_hashes.hashed(set().union(*signs), vault)
    read = {topic_id: revision or 0 for topic_id, revision in topics.items()}
    enough: dict[str, set[int]] = defaultdict(set)
    surely: dict[int, int] = {}
    for number, topic_id, revision, is_enough in keyword_hashes.candidates(hashes):
        if is_enough:
            enough[hashes[number]].add(topic_id)
            surely[topic_id] = revision
        else:
            read[topic_id] = revision
    if len(read) >= _FEW:
        return None
    plans, curated, broken = current.plans_of(read, vault)
    known = {
        one: frozenset().union(*(enough[sign] for sign in enough.keys() & some))
        for one, some in zip(seen, signs, strict=True)
    }
    topics_met = {topic_id: revision for topic_id, revision in read.items() if topic_id not in broken} | surely
    return Compiled(0, Index(plans), topics_met, frozenset(curated), {one: read[one] for one in broken}, known)


def _make_whole(vault: Vault) -> None:
    """The index of all topics, and what anchors are missing, in a thread of its own, one at a time."""
    if not _making.acquire(blocking=False):
        return

    def run() -> None:
        try:
            index_for(vault)
            recent = Item.objects.order_by("-id").values_list("lang", flat=True)[:_RECENT]
            done = keyword_hashes.anchor_missing(set(recent), vault)
            log.info("topics_anchored", rows=done)
        finally:
            connection.close()
            _making.release()

    threading.Thread(target=run, name="whole index", daemon=True).start()
