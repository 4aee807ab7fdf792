"""Delete what the ledger no longer needs: bodies of mails after 7 days, mails after 14, who was given what after 21."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.delivery.feedback import soft_bounces
from newsletter.delivery.ledger.given_items import GIVEN_ITEMS
from newsletter.lib import db
from newsletter.lib.progress import ShouldContinue, never_stop
from newsletter.lib.pruning import PIECE, InPieces, Params, Rule, Table, days
from newsletter.models import (
    Attempt,
    Batch,
    BatchState,
    Delivery,
    DeliveryItem,
    DeliveryState,
    Edition,
    EditionBody,
    Event,
    Gathering,
    Item,
    Occasion,
    SoftBounce,
)

BODY = timedelta(days=7)
LEDGER = timedelta(days=14)
#: Twice the ten days in which an item can be owed, plus one: pruning can never make an item new again.
GIVEN = timedelta(days=21)

_OVER = (BatchState.ACCEPTED, BatchState.FAILED, BatchState.CANCELLED)
_WAITS = (BatchState.PLANNED, BatchState.CLAIMED, BatchState.SENDING)
# Keep deliveries in state unknown: an operator has to resolve them.
_SURE = (
    "EXISTS (SELECT 1 FROM batch b WHERE b.id=delivery.batch_id AND b.state IN ('accepted','failed','cancelled') "
    "AND coalesce(delivery.state,'')<>'unknown')"
)

# Mail that waits for days, for its pace or a gate, must still find its words.
_SAID = (
    "edition_id NOT IN (SELECT d.edition_id FROM batch b JOIN delivery d ON d.batch_id=b.id AND d.state IS NULL "
    "WHERE b.state IN ('planned','claimed','sending'))"
)


def prune(*, now: datetime, piece: int = PIECE, should_continue: ShouldContinue = never_stop) -> dict[str, int]:
    """Delete what is past its time; returns rows by table. What is in doubt stays until an operator decides.

    `should_continue` is called before each piece: what is left when it returns False is deleted the next time.
    """
    done = prune_bodies(now, should_continue, piece) | prune_mails(now, should_continue, piece)
    return done | prune_given(now, should_continue, piece) | prune_events(now, should_continue, piece)


def prune_bodies(now: datetime, should_continue: ShouldContinue, piece: int = PIECE) -> dict[str, int]:
    """Delete the words of mails, but for those of mails that still wait."""
    old = {"before": now - BODY}
    rows = InPieces(should_continue, piece).by_key("edition_body", "edition_id", "made_at<%(before)s", old, only=_SAID)
    return {"edition_body": rows}


def prune_mails(now: datetime, should_continue: ShouldContinue, piece: int = PIECE) -> dict[str, int]:
    """Delete deliveries, and what stands around them when none of them is left."""
    pieces = InPieces(should_continue, piece)
    mails = sum(
        pieces.by_key("delivery", "subscriber_id", "occasion_id=%(occasion)s", {"occasion": occasion_id}, only=_SURE)
        for occasion_id in _occasions(now - LEDGER)
    )
    wide = InPieces(should_continue, piece * 10)
    return {"delivery": mails} | _unused(pieces, wide, {"before": now - LEDGER})


def prune_given(now: datetime, should_continue: ShouldContinue, piece: int = PIECE) -> dict[str, int]:
    """Delete which old items went to whom."""
    pieces = InPieces(should_continue, piece)
    rows = sum(
        pieces.by_key("delivery_item", "subscriber_id", "item_id=%(item)s", {"item": item_id})
        for item_id in _items(now - GIVEN)
    )
    return {"delivery_item": rows}


def prune_events(now: datetime, should_continue: ShouldContinue, piece: int = PIECE) -> dict[str, int]:
    """Delete old events of mails."""
    return {"event": InPieces(should_continue, piece).oldest("event", "received_at", now - LEDGER)}


def _unused(pieces: InPieces, wide: InPieces, old: Params) -> dict[str, int]:
    """Delete what stands around old mails when none of them is left: what they were for, how they went, what they said."""
    no = "NOT EXISTS (SELECT 1 FROM {0} x WHERE x.{1}={2})".format
    composed = "cut_at<%(before)s AND composed_at IS NOT NULL"
    not_mailed = no("delivery", "occasion_id", "occasion.id")
    no_attempt, no_mail = no("attempt", "batch_id", "batch.id"), no("delivery", "batch_id", "batch.id")
    bare = no("edition_body", "edition_id", "edition.id")
    return {
        "gathering": pieces.by_key(
            "gathering", "id", composed, old, only=no("delivery", "occasion_id", "gathering.occasion_id")
        ),
        "occasion": pieces.by_key(
            "occasion",
            "id",
            "created_at<%(before)s",
            old,
            only=f"{not_mailed} AND {no('gathering', 'occasion_id', 'occasion.id')}",
        ),
        "attempt": pieces.by_key(
            "attempt", "id", "began_at<%(before)s", old, only=no("delivery", "batch_id", "attempt.batch_id")
        ),
        "batch": pieces.by_key(
            "batch", "id", f"not_before<%(before)s AND {no_attempt}", old, only=f"{no_mail} AND {no_attempt}"
        ),
        # looking for mails of editions reads the whole ledger each time, so there are few times
        "edition": wide.by_key(
            "edition", "id", f"created_at<%(before)s AND {bare}", old, only=no("delivery", "edition_id", "edition.id")
        ),
    }


def _occasions(before: datetime) -> Iterator[int]:
    """Each old occasion that still has deliveries."""
    rows = db.rows(
        "SELECT o.id FROM occasion o WHERE o.created_at<%(before)s "
        "AND EXISTS (SELECT 1 FROM delivery d WHERE d.occasion_id=o.id) ORDER BY o.id",
        {"before": before},
    )
    return (number for (number,) in rows)


def _items(before: datetime) -> Iterator[int]:
    """Each old item that was given to somebody. Items grow with time, so theirs is a range of the primary key."""
    upto = db.rows("SELECT max(id) FROM item WHERE first_seen_at<%(before)s", {"before": before})[0][0]
    return (number for (number,) in (db.rows(GIVEN_ITEMS, {"upto": upto}) if upto is not None else []))


def _old_bodies(now: datetime) -> QuerySet[EditionBody]:
    waiting = Delivery.objects.filter(batch__state__in=_WAITS, state=None).values("edition_id")
    return EditionBody.objects.filter(made_at__lt=now - BODY).exclude(edition_id__in=waiting)


def _old_mails(now: datetime) -> QuerySet[Delivery]:
    old = Delivery.objects.filter(occasion__created_at__lt=now - LEDGER, batch__state__in=_OVER)
    return old.exclude(state=DeliveryState.UNKNOWN)


def _without_mails(rows: QuerySet[Any], by: str, outer: str) -> QuerySet[Any]:
    """Those that no delivery needs any more: mails in doubt keep what belongs to them."""
    return rows.filter(~Exists(Delivery.objects.filter(**{by: OuterRef(outer)})))


def _old_items(now: datetime) -> QuerySet[DeliveryItem]:
    return DeliveryItem.objects.filter(item__in=Item.objects.filter(first_seen_at__lt=now - GIVEN))


RULES = (
    Rule(
        "body of a mail",
        "AES-256-GCM",
        f"{days(BODY)}, or until the mail has left if it waits longer; deleted at once if its only subscriber is erased",
        "to send mails that wait, and to send a mail again",
        (Table(EditionBody, _old_bodies),),
        prune_bodies,
    ),
    Rule(
        "deliveries, attempts and their occasions",
        "by number",
        f"{days(LEDGER)}; mails in doubt until an operator decides",
        "because reports come days late, and so that nothing is sent twice",
        (
            Table(Delivery, _old_mails),
            Table(
                Attempt,
                lambda now: _without_mails(Attempt.objects.filter(began_at__lt=now - LEDGER), "batch_id", "batch_id"),
            ),
            Table(
                Batch,
                lambda now: _without_mails(Batch.objects.filter(not_before__lt=now - LEDGER), "batch_id", "id"),
            ),
            Table(
                Gathering,
                lambda now: _without_mails(
                    Gathering.objects.filter(Q(cut_at__lt=now - LEDGER) & ~Q(composed_at=None)),
                    "occasion_id",
                    "occasion_id",
                ),
            ),
            Table(
                Occasion,
                lambda now: _without_mails(
                    Occasion.objects.filter(created_at__lt=now - LEDGER, gathering=None), "occasion_id", "id"
                ),
            ),
            Table(
                Edition,
                lambda now: _without_mails(Edition.objects.filter(created_at__lt=now - LEDGER), "edition_id", "id"),
            ),
        ),
        prune_mails,
    ),
    Rule(
        "which subscriber got which item",
        "by number",
        f"{days(GIVEN)} after the item arrived; deleted at once if the subscriber is erased",
        "so that nobody gets an item twice; it is twice the time in which an item can be owed, plus a day",
        (Table(DeliveryItem, _old_items),),
        prune_given,
    ),
    Rule(
        "reports about a mail",
        "by number, kind and code; never the words of a server",
        days(LEDGER),
        "so that a report that comes twice counts once",
        (Table(Event, lambda now: Event.objects.filter(received_at__lt=now - LEDGER)),),
        prune_events,
    ),
    Rule(
        "soft bounces",
        "by number",
        days(soft_bounces.KEPT),
        "to count five weekly mails in a row, with a margin",
        (Table(SoftBounce, lambda now: SoftBounce.objects.filter(at__lt=now - soft_bounces.KEPT)),),
        lambda now, _: {"soft_bounce": soft_bounces.prune(now)},
    ),
)
