"""Find who is owed what: live subscriptions × matches that may be owed − items given already."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from newsletter.editions.group_by_matches import group_by_matches
from newsletter.lib import db
from newsletter.models import Cadence, Gathering

#: Items older than `LOOK_BACK` are not read. That is twice `YOUNG`, the age up to which an item can become owed; `delivery_item`,
#: which knows who has it, is kept a day longer. A match is younger than its item, so the same bounds how far a query reads.
LOOK_BACK, YOUNG = timedelta(days=20), timedelta(days=10)
#: Subscriber ids in one transaction: at most, in the first and in the second one of an alert. Its first mails leave while others
#: are planned. Chunks double in size, so that there is always about as much to send as to plan, and batches become full.
CHUNK, FIRST, SECOND = 400_000, 5_000, 100_000


@dataclass(frozen=True)
class Owed:
    """Subscribers with one look who are owed the same matches; both sorted."""

    look_id: int
    match_ids: tuple[int, ...]
    subscriber_ids: Sequence[int]


#: With more than one subscriber in this many, all of a range are read: that is cheaper than one by one.
_SPARSE = 20

_ALLOWED = """
SELECT b.look_id, b.id FROM subscriber b
WHERE b.id>%(lo)s AND b.id<=%(hi)s AND b.state='active' AND (b.paused_until IS NULL OR b.paused_until<=%(now)s)
  AND NOT EXISTS (SELECT 1 FROM delivery x WHERE x.occasion_id=%(occasion)s AND x.subscriber_id=b.id
  AND x.subscriber_id>%(lo)s AND x.subscriber_id<=%(hi)s)"""
_NOT_DELIVERED = (
    " AND NOT EXISTS (SELECT 1 FROM delivery_item d WHERE d.item_id=m.item_id AND d.subscriber_id=s.subscriber_id)"
)

_ALERT = """
SELECT m.id, s.subscriber_id FROM "match" m
JOIN subscription s ON s.topic_id=m.topic_id AND s.cadence=1 AND s.ended_at IS NULL AND s.owed_from<=m.owed_at
  AND s.subscriber_id>%(lo)s AND s.subscriber_id<=%(hi)s
WHERE m.gathering_id=%(gathering)s AND m.withdrawn_at IS NULL AND m.owed_at IS NOT NULL AND m.owe_until>%(too_old)s"""

_DIGEST = """
SELECT m.id, s.subscriber_id FROM subscriber r
JOIN subscription s ON s.subscriber_id=r.id AND s.ended_at IS NULL AND s.cadence<=%(cadence)s
JOIN "match" m ON m.topic_id=s.topic_id AND m.withdrawn_at IS NULL AND m.owed_at>=s.owed_from
  AND m.owed_at>%(look_back)s AND m.owed_at<=%(cut)s AND m.owe_until>%(too_old)s
WHERE r.{rhythm}=%(rhythm)s AND r.id>%(lo)s AND r.id<=%(hi)s"""

# What a subscription still owes whose topic was merged, to those who follow the new topic, as often as they follow that.
_MERGED_ALERT = """
UNION ALL SELECT m.id, s.subscriber_id FROM "match" m
JOIN subscription s ON s.topic_id=m.topic_id AND s.ended_reason='merged' AND s.owed_from<=m.owed_at AND m.owed_at<=s.ended_at
  AND s.subscriber_id>%(lo)s AND s.subscriber_id<=%(hi)s
JOIN topic t ON t.id=s.topic_id
JOIN subscription f ON f.topic_id=t.merged_into_id AND f.subscriber_id=s.subscriber_id AND f.ended_at IS NULL AND f.cadence=1
WHERE m.gathering_id=%(gathering)s AND m.withdrawn_at IS NULL AND m.owed_at IS NOT NULL AND m.owe_until>%(too_old)s"""
_MERGED_DIGEST = """
UNION ALL SELECT m.id, s.subscriber_id FROM subscription s
JOIN subscriber r ON r.id=s.subscriber_id AND r.{rhythm}=%(rhythm)s AND r.id>%(lo)s AND r.id<=%(hi)s
JOIN topic t ON t.id=s.topic_id
JOIN subscription f ON f.topic_id=t.merged_into_id AND f.subscriber_id=r.id AND f.ended_at IS NULL AND f.cadence<=%(cadence)s
JOIN "match" m ON m.topic_id=s.topic_id AND m.withdrawn_at IS NULL AND m.owed_at>=s.owed_from AND m.owed_at<=s.ended_at
  AND m.owed_at>%(look_back)s AND m.owed_at<=%(cut)s AND m.owe_until>%(too_old)s
WHERE s.ended_reason='merged'"""
_ANY_MERGED = "SELECT 1 FROM subscription WHERE ended_reason='merged' LIMIT 1"


def chunk_end(gathering: Gathering, lo: int, size: int) -> int | None:
    """The last subscriber id of the chunk after `lo`; None when nobody is left."""
    in_order = f"SELECT id FROM subscriber b WHERE id>%(lo)s {_audience_filter(gathering)} ORDER BY id LIMIT %(size)s"
    last = db.rows(
        f"SELECT max(id) FROM ({in_order}) c",
        {"lo": lo, "size": size, "rhythm": gathering.rhythm_id},
    )
    end: int | None = last[0][0]
    return end


def audience(gathering: Gathering, people: int, *, lo: int, hi: int) -> int:
    """About how many people the whole gathering goes to, estimated from the `people` who are owed something in (lo, hi]."""
    if gathering.rhythm is not None:
        return people
    last: int = db.rows("SELECT coalesce(max(id), 0) FROM subscriber")[0][0]
    return people * max(last, hi) // max(hi - lo, 1)


def owed(gathering: Gathering, *, lo: int, hi: int, now: datetime) -> list[Owed]:
    """What the subscribers with an id in (lo, hi] are owed in this gathering, grouped by what that is."""
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
        # The condition is needed only if somebody in the range has one of the items already, which is rare.
        delivered = db.rows(
            'SELECT 1 FROM "match" m WHERE m.gathering_id=%(gathering)s AND EXISTS (SELECT 1 FROM delivery_item d '
            "WHERE d.item_id=m.item_id AND d.subscriber_id>%(lo)s AND d.subscriber_id<=%(hi)s) LIMIT 1",
            {"gathering": gathering.id, "lo": lo, "hi": hi},
        )
        once = _NOT_DELIVERED if delivered else ""
        matches, merged = _ALERT + once, _MERGED_ALERT + once
    else:
        params |= {"cadence": gathering.rhythm.cadence, "rhythm": gathering.rhythm_id}
        rhythm = _rhythm_column(gathering)
        matches, merged = (sql.format(rhythm=rhythm) + _NOT_DELIVERED for sql in (_DIGEST, _MERGED_DIGEST))
    if db.rows(_ANY_MERGED):  # only for some days after a merge
        matches += merged
    return _grouped(matches, params)


def followers(topic_ids: Collection[int], *, now: datetime) -> int:
    """How many people follow one of these topics and may be mailed now, each counted once, whatever their frequency."""
    if not topic_ids:
        return 0
    counted = db.rows(
        "SELECT count(*) FROM subscriber b WHERE b.state='active' AND (b.paused_until IS NULL OR b.paused_until<=%(now)s) "
        f"AND b.id IN (SELECT s.subscriber_id FROM subscription s WHERE {db.in_list('s.topic_id', 'topics')} "
        "AND s.ended_at IS NULL)",
        {"topics": sorted(topic_ids), "now": now},
    )
    return int(counted[0][0])


def _grouped(matches: str, params: dict[str, Any]) -> list[Owed]:
    """Group the pairs of match id and subscriber id that the query `matches` selects.

    Two queries each read along one index, and Python joins them: the database would look up one subscriber after the other.
    """
    groups = group_by_matches(db.rows_by_key(matches, params))
    same: dict[tuple[int, int], list[int]] = defaultdict(list)
    for look_id, allowed in _allowed(groups.group_of, params).items():
        for subscriber_id in sorted(allowed):
            if group := groups.group_of.get(subscriber_id):
                same[look_id, group].append(subscriber_id)
    result = [Owed(look_id, groups.match_ids(group), ids) for (look_id, group), ids in same.items()]
    return sorted(result, key=lambda owed: (owed.look_id, owed.match_ids))


def _allowed(people: Collection[int], params: dict[str, Any]) -> dict[int, list[int]]:
    """Look id → ids of subscribers who may be mailed, with all of `people` who may."""
    if not people:
        return {}
    few = len(people) * _SPARSE < params["hi"] - params["lo"]
    if few:
        return db.rows_by_key(f"{_ALLOWED} AND {db.in_list('b.id', 'people')}", params | {"people": list(people)})
    return db.rows_by_key(_ALLOWED, params)


def _rhythm_column(gathering: Gathering) -> str:
    daily = gathering.rhythm is not None and gathering.rhythm.cadence == Cadence.DAILY
    return "daily_rhythm_id" if daily else "weekly_rhythm_id"


def _audience_filter(gathering: Gathering) -> str:
    return "" if gathering.rhythm is None else f"AND b.{_rhythm_column(gathering)}=%(rhythm)s"
