"""What is kept no longer: words of mails after 7 days, the ledger after 14, what was given after 21. In pieces, between mails."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from newsletter import db

BODY = timedelta(days=7)
LEDGER = timedelta(days=14)
#: Twice the ten days in which an item can be owed, plus one: pruning can never make an item new again.
GIVEN = timedelta(days=21)
#: Rows in one statement, each a transaction of its own: nobody waits for more than one of them.
PIECE = 5_000

GoingOn = Callable[[], bool]
_Params = dict[str, Any]
# What is in doubt stays until an operator decides.
_SURE = (
    "EXISTS (SELECT 1 FROM batch b WHERE b.id=delivery.batch_id AND b.state IN ('accepted','failed','cancelled') "
    "AND coalesce(delivery.state,'')<>'unknown')"
)

# Mail that waits for days, for its pace or a gate, must still find its words.
_SAID = (
    "edition_id NOT IN (SELECT d.edition_id FROM batch b JOIN delivery d ON d.batch_id=b.id AND d.state IS NULL "
    "WHERE b.state IN ('planned','claimed','sending'))"
)


def _always() -> bool:
    return True


def prune(*, now: datetime, piece: int = PIECE, going_on: GoingOn = _always) -> dict[str, int]:
    """Delete what is past its time; returns rows by table. What is in doubt stays until an operator decides.

    `going_on` is asked before each piece: what is left then is found the next time.
    """
    broom = _Broom(piece, going_on)
    done = {
        "edition_body": broom.sweep(
            "edition_body", "edition_id", "made_at<%(before)s", {"before": now - BODY}, only=_SAID
        ),
        "delivery": sum(
            broom.sweep("delivery", "subscriber_id", *where, only=_SURE) for where in _occasions(now - LEDGER)
        ),
        "delivery_item": sum(broom.sweep("delivery_item", "subscriber_id", *where) for where in _items(now - GIVEN)),
    }
    return done | _unused(broom, _Broom(piece * 10, going_on), {"before": now - LEDGER})


def _unused(broom: "_Broom", wide: "_Broom", old: _Params) -> dict[str, int]:
    """Delete what stands around old mails when none of them is left: what they were for, how they went, what they said."""
    no = "NOT EXISTS (SELECT 1 FROM {0} x WHERE x.{1}={2})".format
    composed = "cut_at<%(before)s AND composed_at IS NOT NULL"
    not_mailed = no("delivery", "occasion_id", "occasion.id")
    no_attempt, no_mail = no("attempt", "batch_id", "batch.id"), no("delivery", "batch_id", "batch.id")
    bare = no("edition_body", "edition_id", "edition.id")
    return {
        "gathering": broom.sweep(
            "gathering", "id", composed, old, only=no("delivery", "occasion_id", "gathering.occasion_id")
        ),
        "occasion": broom.sweep(
            "occasion",
            "id",
            "created_at<%(before)s",
            old,
            only=f"{not_mailed} AND {no('gathering', 'occasion_id', 'occasion.id')}",
        ),
        "attempt": broom.sweep(
            "attempt", "id", "began_at<%(before)s", old, only=no("delivery", "batch_id", "attempt.batch_id")
        ),
        "batch": broom.sweep(
            "batch", "id", f"not_before<%(before)s AND {no_attempt}", old, only=f"{no_mail} AND {no_attempt}"
        ),
        # looking for mails of editions reads the whole ledger each time, so there are few times
        "edition": wide.sweep(
            "edition", "id", f"created_at<%(before)s AND {bare}", old, only=no("delivery", "edition_id", "edition.id")
        ),
        "event": broom.sweep("event", "id", "received_at<%(before)s", old),
    }


class _Broom:
    """Deletes in pieces, in the order of a key."""

    def __init__(self, piece: int, going_on: GoingOn) -> None:
        self._piece = piece
        self._going_on = going_on

    def sweep(self, table: str, key: str, where: str, params: _Params, *, only: str = "true") -> int:
        """Delete the rows of `table` that meet `where` and `only`, a piece of those that meet `where` after the other."""
        gone, low = 0, -1
        found = f'SELECT {key} FROM "{table}" WHERE {key}>%(low)s AND {where} ORDER BY {key} LIMIT {self._piece}'
        while self._going_on():
            high = db.rows(f"SELECT max(c.{key}) FROM ({found}) c", params | {"low": low})[0][0]
            if high is None:
                break
            gone += db.execute(
                f'DELETE FROM "{table}" WHERE {key}>%(low)s AND {key}<=%(high)s AND {where} AND {only}',
                params | {"low": low, "high": high},
            )
            low = high
        return gone


def _occasions(before: datetime) -> list[tuple[str, _Params]]:
    """Each old occasion that still has deliveries."""
    found = db.rows(
        "SELECT o.id FROM occasion o WHERE o.created_at<%(before)s "
        "AND EXISTS (SELECT 1 FROM delivery d WHERE d.occasion_id=o.id) ORDER BY o.id",
        {"before": before},
    )
    return [("occasion_id=%(occasion)s", {"occasion": row[0]}) for row in found]


def _items(before: datetime) -> list[tuple[str, _Params]]:
    """Each old item that was given to somebody. Items grow with time, so theirs is a range of the primary key."""
    upto = db.rows("SELECT max(id) FROM item WHERE first_seen_at<%(before)s", {"before": before})[0][0]
    found = db.rows(_GIVEN_ITEMS, {"upto": upto}) if upto is not None else []
    return [("item_id=%(item)s", {"item": row[0]}) for row in found]


# From each item to the next by the primary key, however many people have each.
_GIVEN_ITEMS = """
WITH RECURSIVE given(id) AS (
  SELECT min(item_id) FROM delivery_item
  UNION ALL SELECT (SELECT min(item_id) FROM delivery_item WHERE item_id>given.id) FROM given WHERE given.id<%(upto)s
)
SELECT id FROM given WHERE id<=%(upto)s"""
