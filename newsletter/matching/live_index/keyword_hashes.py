"""Own topics in, rows of their anchors out: keyed hashes (BLAKE2b, RFC 7693) that lead a new worker to what an item may meet.

What an anchor is a hash of is never stored. The key is the vault's, of a kind of its own, and curated topics, whose words are
no secret, have no anchors: so the database alone gives no word for a hash. Two things lead to one all the same: an own topic of
somebody who reads the database too, and the public items that a topic met; then all that share the anchor are known by that word.
"""

from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from newsletter.lib import db
from newsletter.lib.crypto import Vault
from newsletter.matching.engine.required_words import required_words
from newsletter.matching.query import language
from newsletter.matching.query.compiled import compile_query
from newsletter.matching.query.query_error import QueryError
from newsletter.matching.text import stemming
from newsletter.models import Anchor, IndexState, Topic

#: The sign of a topic that any item may meet.
ANY_ITEM = 0
#: Raised with every change of what words are and which of them meet: then anchors are other hashes, and all are written anew.
#: Those of before stay for workers of before.
VERSION = 1
_AT_ONCE = 500

log = structlog.get_logger()


def hash_words(signs: Iterable[str], vault: Vault) -> dict[int, str]:
    """Hash (63 bits, above 0) → the sign that it stands for."""
    key = vault.blind_index("anchor", str(VERSION))  # a keyed hash by itself, and thousands of signs are hashed at once
    return {int.from_bytes(blake2b(sign.encode(), key=key, digest_size=8).digest()) >> 1 or 1: sign for sign in signs}


def store_keyword_hashes(keywords: Mapping[int, str], languages: Collection[str], vault: Vault) -> None:
    """Write the anchors of own topics. Inside a transaction of the caller that holds the row of `IndexState`."""
    rows = [row for topic_id, keyword in keywords.items() for row in _rows(topic_id, keyword, languages, vault)]
    Anchor.objects.bulk_create(rows, ignore_conflicts=True)
    Topic.objects.filter(id__in=keywords).update(anchors_version=VERSION)


def topics_without_hashes() -> QuerySet[Topic]:
    """Own topics whose anchors are missing, or written by other rules."""
    # the smaller and the larger apart: an index finds both
    other = Q(anchors_version__lt=VERSION) | Q(anchors_version__gt=VERSION)
    return Topic.objects.filter(other, kind=Topic.Kind.OWN)


def _rows(topic_id: int, keyword: str, languages: Collection[str], vault: Vault) -> list[Anchor]:
    try:
        found = required_words(compile_query(language.parse(keyword)))
    except QueryError:  # the index tells of it, too
        log.error("topic_not_read", topic_id=topic_id)
        found = None
    if found is None:
        return [Anchor(sign=ANY_ITEM, topic_id=topic_id, enough=False)]
    signs = {sign for code in ("", *languages) for sign in found.keys(stemming.stems_for(code))}
    return [Anchor(sign=sign, topic_id=topic_id, enough=found.sufficient) for sign in hash_words(signs, vault)]


def store_missing_hashes(seen: Collection[str], vault: Vault) -> int:
    """Write what anchors are missing, also those for languages of items that were not `seen` before; how many topics.

    Repeatable. Each step is a short transaction under the lock of `IndexState`, as is that of a new keyword: no topic can come
    between a language and its anchors.
    """
    _take_in(seen)
    missing = list(topics_without_hashes().values_list("id", flat=True))
    done = 0
    for some in (missing[start : start + _AT_ONCE] for start in range(0, len(missing), _AT_ONCE)):
        with transaction.atomic():
            known = _locked().languages
            rows = topics_without_hashes().filter(id__in=some)
            store_keyword_hashes({row.id: row.keyword(vault) for row in rows}, known, vault)
        done += len(some)
    return done


def _take_in(seen: Collection[str]) -> None:
    with transaction.atomic():
        state = _locked()
        known = {stemming.stems_for(code) for code in ("", *state.languages)}
        fresh = {stemming.stems_for(code): code for code in sorted(seen) if stemming.stems_for(code) not in known}
        if fresh:
            IndexState.objects.filter(id=1).update(languages=[*state.languages, *fresh.values()])
            Topic.objects.filter(kind=Topic.Kind.OWN).update(anchors_version=0)


def hashed_languages() -> list[str]:
    """Languages besides English in which anchors are written."""
    return list(IndexState.objects.values_list("languages", flat=True).filter(id=1).first() or ())


def _locked() -> IndexState:
    return IndexState.objects.select_for_update().get(id=1)


def topics_for_hashes(signs: Collection[int]) -> list[tuple[int, int, int, bool]]:
    """(sign, topic, its revision, whether the sign is enough) of all active own topics that one of these signs may meet."""
    wanted = [ANY_ITEM, *signs]
    each, given = ("unnest(%s::bigint[])", wanted) if db.is_postgres() else ("json_each(%s)", str(wanted))
    named = "AS wanted(value)" if db.is_postgres() else "AS wanted"
    return db.rows(
        "SELECT a.sign, t.id, t.revision_id, a.enough "
        f"FROM {each} {named} CROSS JOIN anchor a JOIN topic t ON t.id = a.topic_id "
        "WHERE a.sign = wanted.value AND t.state = 'active'",
        [given],
    )
