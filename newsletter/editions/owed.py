"""The question that decides everything: who is owed what. A live subscription, a match that may be owed, and not given yet."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter import db
from newsletter.models import Cadence, Gathering

#: An item is read to this age, twice the ten days in which it can become owed: `delivery_item`, which says who has it, is kept a
#: day longer. A match is younger than its item, so the same bounds how far a query reads.
LOOK_BACK, YOUNG = timedelta(days=20), timedelta(days=10)
#: Subscriber ids per transaction.
CHUNK = 50_000


@dataclass(frozen=True)
class Owed:
    """What one subscriber is owed: ids of matches, in order."""

    subscriber_id: int
    look_id: int
    match_ids: tuple[int, ...]


_PEOPLE = """b.state='active' AND (b.paused_until IS NULL OR b.paused_until<=%(now)s) AND b.id>%(lo)s AND b.id<=%(hi)s
  AND NOT EXISTS (SELECT 1 FROM delivery x WHERE x.occasion_id=%(occasion)s AND x.subscriber_id=b.id)"""
_NOT_GIVEN = """ AND NOT EXISTS (SELECT 1 FROM delivery_item d WHERE d.item_id=m.item_id AND d.subscriber_id=b.id)"""

_ALERT = """
SELECT b.id, b.look_id, m.id FROM "match" m
JOIN subscription s ON s.topic_id=m.topic_id AND s.cadence=1 AND s.ended_at IS NULL AND s.owed_from<=m.owed_at
JOIN subscriber b ON b.id=s.subscriber_id
WHERE m.gathering_id=%(gathering)s AND m.withdrawn_at IS NULL AND m.owed_at IS NOT NULL AND m.owe_until>%(too_old)s AND """

_DIGEST = """
SELECT b.id, b.look_id, m.id FROM subscriber b
JOIN subscription s ON s.subscriber_id=b.id AND s.ended_at IS NULL AND s.cadence<=%(cadence)s
JOIN "match" m ON m.topic_id=s.topic_id AND m.withdrawn_at IS NULL AND m.owed_at>=s.owed_from
  AND m.owed_at>%(look_back)s AND m.owed_at<=%(cut)s AND m.owe_until>%(too_old)s
WHERE b.{rhythm}=%(rhythm)s AND """


def chunk_end(gathering: Gathering, lo: int, size: int = CHUNK) -> int | None:
    """The last subscriber id of the chunk after `lo`; None when nobody is left."""
    found = db.rows(
        f"SELECT max(id) FROM (SELECT id FROM subscriber b WHERE id>%(lo)s {_who(gathering)} ORDER BY id LIMIT %(size)s) c",
        {"lo": lo, "size": size, "rhythm": gathering.rhythm_id},
    )
    end: int | None = found[0][0]
    return end


def owed(gathering: Gathering, *, lo: int, hi: int, now: datetime) -> list[Owed]:
    """What each subscriber with an id in (lo, hi] is owed in this gathering."""
    params = {
        "gathering": gathering.id,
        "occasion": gathering.occasion_id,
        "lo": lo,
        "hi": hi,
        "now": now,
        "cut": gathering.cut_at,
        "look_back": gathering.cut_at - LOOK_BACK,
        # owe_until is the item's first_seen_at and ten days
        "too_old": now - LOOK_BACK + YOUNG,
    }
    if gathering.rhythm is None:
        # Asked only for items that somebody already has: nearly always none, and then the question costs nothing.
        given = db.rows(
            'SELECT 1 FROM "match" m WHERE m.gathering_id=%s '
            "AND EXISTS (SELECT 1 FROM delivery_item d WHERE d.item_id=m.item_id) LIMIT 1",
            [gathering.id],
        )
        sql = _ALERT + _PEOPLE + (_NOT_GIVEN if given else "")
    else:
        params |= {"cadence": gathering.rhythm.cadence, "rhythm": gathering.rhythm_id}
        sql = _DIGEST.format(rhythm=_rhythm_column(gathering)) + _PEOPLE + _NOT_GIVEN
    return list(_by_person(db.rows(sql, params)))


def _by_person(found: list[tuple[int, int, int]]) -> Iterator[Owed]:
    matches: dict[tuple[int, int], list[int]] = defaultdict(list)
    for subscriber_id, look_id, match_id in found:
        matches[subscriber_id, look_id].append(match_id)
    for (subscriber_id, look_id), ids in sorted(matches.items()):
        yield Owed(subscriber_id, look_id, tuple(sorted(ids)))


def _rhythm_column(gathering: Gathering) -> str:
    daily = gathering.rhythm is not None and gathering.rhythm.cadence == Cadence.DAILY
    return "daily_rhythm_id" if daily else "weekly_rhythm_id"


def _who(gathering: Gathering) -> str:
    return "" if gathering.rhythm is None else f"AND b.{_rhythm_column(gathering)}=%(rhythm)s"
