"""Store keyed hashes (BLAKE2b, RFC 7693) of the required words of keywords, by which a new worker finds those an item can match.

The words themselves are never stored. The key is derived from the vault for this purpose only, and curated topics, whose words
are no secret, have no hashes: the database alone reveals no word. Two things still can: a keyword of somebody who also reads
the database, and the public items that a topic matched. Then the word is known for all topics that share the hash.
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

#: The hash of a topic that any item may match.
ANY_ITEM = 0
#: Raise it with every change of how texts are tokenized or matched: then the hashes differ, and all are written again.
#: The former ones stay for workers of the former version.
VERSION = 1
_AT_ONCE = 500

log = structlog.get_logger()


def hash_words(keys: Iterable[str], vault: Vault) -> dict[int, str]:
    """Hash (63 bits, above 0) → the key that it was made of."""
    key = vault.blind_index("anchor", str(VERSION))  # derived once: thousands of keys are hashed
    return {int.from_bytes(blake2b(word.encode(), key=key, digest_size=8).digest()) >> 1 or 1: word for word in keys}


def store_keyword_hashes(keywords: Mapping[int, str], languages: Collection[str], vault: Vault) -> None:
    """Write the hashes of keyword topics. Call it in a transaction that has locked the row of `IndexState`."""
    rows = [row for topic_id, keyword in keywords.items() for row in _rows(topic_id, keyword, languages, vault)]
    Anchor.objects.bulk_create(rows, ignore_conflicts=True)
    Topic.objects.filter(id__in=keywords).update(anchors_version=VERSION)


def topics_without_hashes() -> QuerySet[Topic]:
    """Keyword topics whose hashes are missing, or of another version."""
    # two comparisons, since an index serves each of them
    other = Q(anchors_version__lt=VERSION) | Q(anchors_version__gt=VERSION)
    return Topic.objects.filter(other, kind=Topic.Kind.OWN)


def _rows(topic_id: int, keyword: str, languages: Collection[str], vault: Vault) -> list[Anchor]:
    try:
        required = required_words(compile_query(language.parse(keyword)))
    except QueryError:  # the index reports it, too
        log.error("topic_not_read", topic_id=topic_id)
        required = None
    if required is None:
        return [Anchor(sign=ANY_ITEM, topic_id=topic_id, enough=False)]
    keys = {key for code in ("", *languages) for key in required.keys(stemming.stems_for(code))}
    return [Anchor(sign=hashed, topic_id=topic_id, enough=required.sufficient) for hashed in hash_words(keys, vault)]


def store_missing_hashes(seen: Collection[str], vault: Vault) -> int:
    """Write missing hashes, also for languages of items that are new in `seen`. Returns the number of topics.

    Repeatable. Each step is a short transaction under the lock of `IndexState`, as is the creation of a keyword topic: none can
    be missed while a language is added.
    """
    _add_languages(seen)
    missing = list(topics_without_hashes().values_list("id", flat=True))
    done = 0
    for chunk in (missing[start : start + _AT_ONCE] for start in range(0, len(missing), _AT_ONCE)):
        with transaction.atomic():
            known = _locked().languages
            rows = topics_without_hashes().filter(id__in=chunk)
            store_keyword_hashes({row.id: row.keyword(vault) for row in rows}, known, vault)
        done += len(chunk)
    return done


def _add_languages(seen: Collection[str]) -> None:
    with transaction.atomic():
        state = _locked()
        known = {stemming.stems_for(code) for code in ("", *state.languages)}
        new = {stemming.stems_for(code): code for code in sorted(seen) if stemming.stems_for(code) not in known}
        if new:
            IndexState.objects.filter(id=1).update(languages=[*state.languages, *new.values()])
            Topic.objects.filter(kind=Topic.Kind.OWN).update(anchors_version=0)


def hashed_languages() -> list[str]:
    """Languages besides English for which hashes are written."""
    return list(IndexState.objects.values_list("languages", flat=True).filter(id=1).first() or ())


def _locked() -> IndexState:
    return IndexState.objects.select_for_update().get(id=1)


def topics_for_hashes(hashes: Collection[int]) -> list[tuple[int, int, int, bool]]:
    """(hash, topic, its revision, whether the hash is sufficient) of all active keyword topics with one of these hashes."""
    wanted = [ANY_ITEM, *hashes]
    each, given = ("unnest(%s::bigint[])", wanted) if db.is_postgres() else ("json_each(%s)", str(wanted))
    named = "AS wanted(value)" if db.is_postgres() else "AS wanted"
    return db.rows(
        "SELECT a.sign, t.id, t.revision_id, a.enough "
        f"FROM {each} {named} CROSS JOIN anchor a JOIN topic t ON t.id = a.topic_id "
        "WHERE a.sign = wanted.value AND t.state = 'active'",
        [given],
    )
