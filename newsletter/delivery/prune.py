"""What is kept no longer: bodies after 7 days, the ledger after 14, what was given after 21."""

from datetime import datetime, timedelta

from django.db.models import Max

from newsletter import db
from newsletter.models import Delivery, EditionBody, Event, Item, Occasion

BODY = timedelta(days=7)
LEDGER = timedelta(days=14)
#: Twice the ten days in which an item can be owed, plus one: pruning can never make an item new again.
GIVEN = timedelta(days=21)

_DONE = ("accepted", "failed", "cancelled")


def prune(*, now: datetime) -> dict[str, int]:
    """Delete what is past its time; returns rows by table. What is in doubt stays until an operator decides."""
    return {
        "edition_body": EditionBody.objects.filter(made_at__lt=now - BODY).delete()[0],
        "delivery": _ledger(now - LEDGER),
        "delivery_item": _given(now - GIVEN),
    }


def _ledger(before: datetime) -> int:
    """Deliveries of old occasions whose batches are done, then batches, occasions and editions that nothing points at."""
    old = Occasion.objects.filter(created_at__lt=before)
    gone = Delivery.objects.filter(occasion__in=old, batch__state__in=_DONE).delete()[0]
    empty = "NOT EXISTS (SELECT 1 FROM delivery d WHERE d.{0}_id={0}.id)"
    params = {"before": before}
    db.execute(
        "DELETE FROM attempt WHERE began_at<%(before)s "
        "AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.batch_id=attempt.batch_id)",
        params,
    )
    db.execute(
        f"DELETE FROM batch WHERE not_before<%(before)s AND {empty.format('batch')} "
        "AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.batch_id=batch.id)",
        params,
    )
    db.execute(
        f"DELETE FROM edition WHERE created_at<%(before)s AND {empty.format('edition')} "
        "AND NOT EXISTS (SELECT 1 FROM edition_body e WHERE e.edition_id=edition.id)",
        params,
    )
    Event.objects.filter(received_at__lt=before).delete()
    return gone


def _given(before: datetime) -> int:
    """Items grow with time, so what was given of old items is a range of the primary key."""
    upto = Item.objects.filter(first_seen_at__lt=before).aggregate(upto=Max("id"))["upto"]
    return db.execute("DELETE FROM delivery_item WHERE item_id<=%s", [upto]) if upto is not None else 0
