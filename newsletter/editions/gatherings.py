"""Open gatherings: of fresh matches for an alert, of due rhythms for digests."""

from datetime import datetime, timedelta
from uuid import uuid4

import structlog
from django.db import transaction

from newsletter.editions.digest_schedule import next_due, occasion_key
from newsletter.lib import db
from newsletter.models import Cadence, Gathering, Occasion, Rhythm

log = structlog.get_logger()

#: A digest that is later than this is not sent: the next one has all of it.
CATCH_UP = timedelta(hours=6)
_FRESH = "gathering_id IS NULL AND owed_at IS NOT NULL AND withdrawn_at IS NULL"


def close_alert_gathering(*, now: datetime, wait: timedelta) -> int | None:
    """Put every fresh match into one gathering, once the oldest of them is `wait` old; returns its id, or None if too early.

    One statement assigns them: what commits later goes into the next gathering, and of two workers one gets them all.
    """
    due = f'SELECT 1 FROM "match" WHERE {_FRESH} AND owed_at<=%s LIMIT 1'
    if not db.rows(due, [now - wait]):
        return None
    with transaction.atomic():
        occasion = Occasion.objects.create(kind=Occasion.Kind.ALERT, key=f"alert:new:{uuid4()}", created_at=now)
        gathering = Gathering.objects.create(occasion=occasion, cut_at=now)
        Occasion.objects.filter(id=occasion.id).update(key=f"alert:{gathering.id}")
        if db.execute(f'UPDATE "match" SET gathering_id=%s WHERE {_FRESH}', [gathering.id]):
            return gathering.id
        transaction.set_rollback(True)
        return None


def open_due_digests(*, now: datetime) -> tuple[int, ...]:
    """Open a gathering for every rhythm that is due and has people, and move its due time on; returns their ids.

    Two workers may both try: the gathering is unique by occasion and rhythm, and the due time moves by compare-and-set. A slot
    more than `CATCH_UP` late is skipped: its gathering says so, no item is given, and all of it stays owed.
    """
    opened = [_open_digest(rhythm, now) for rhythm in Rhythm.objects.filter(due_at__lte=now).order_by("due_at", "id")]
    return tuple(gathering_id for gathering_id in opened if gathering_id is not None)


def _open_digest(rhythm: Rhythm, now: datetime) -> int | None:
    key = occasion_key(rhythm.cadence, rhythm.due_at, rhythm.zone)
    following = next_due(rhythm.cadence, rhythm.zone, rhythm.hour, rhythm.weekday, now)
    with transaction.atomic():
        if not Rhythm.objects.filter(id=rhythm.id, due_at=rhythm.due_at).update(due_at=following):
            return None
        column = "daily_rhythm_id" if rhythm.cadence == Cadence.DAILY else "weekly_rhythm_id"
        if not db.rows(f"SELECT 1 FROM subscriber WHERE {column}=%s AND state='active' LIMIT 1", [rhythm.id]):
            return None
        occasion, _ = Occasion.objects.get_or_create(
            key=key, defaults={"kind": Occasion.Kind.DIGEST, "created_at": now}
        )
        late = now - rhythm.due_at > CATCH_UP
        values = {"cut_at": now, "skipped": late, "composed_at": now if late else None}
        gathering, created = Gathering.objects.get_or_create(occasion=occasion, rhythm=rhythm, defaults=values)
    if created and late:
        log.warning("slot_skipped", gathering_id=gathering.id)
    return gathering.id if created and not late else None


def unfinished_gatherings() -> tuple[int, ...]:
    """Ids of the gatherings that are not composed to the end."""
    return tuple(Gathering.objects.filter(composed_at=None).order_by("id").values_list("id", flat=True))
