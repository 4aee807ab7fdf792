"""Incidents of feeds: opened once, closed when they are over, listed for operators."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from newsletter.models import Feed, Incident

#: An incident that lasts is opened again so long after somebody closed it.
REMINDED = timedelta(days=30)


@dataclass(frozen=True)
class IncidentRow:
    """An incident; `closed_at` is None while it is open."""

    id: int
    feed_id: int
    feed_title: str
    feed_url: str
    kind: str
    opened_at: datetime
    closed_at: datetime | None
    detail: str


def open_(feed_id: int, kind: Incident.Kind, detail: str, now: datetime) -> bool:
    """Open an incident, unless one of this kind is open for the feed already; True when it is new.

    `detail` says in words what to do. A gap, also a further one, makes a backfill begin anew: what it has read of the archive
    lies below the gap. May be called within a transaction.
    """
    if kind == Incident.Kind.GAP:
        Feed.objects.filter(id=feed_id).update(backfill_page="", backfilled=0)
    if opened_at(feed_id, kind):
        return False
    try:
        with transaction.atomic():
            Incident.objects.create(feed_id=feed_id, kind=kind, detail=detail, opened_at=now)
    except IntegrityError:
        if opened_at(feed_id, kind):  # another process was faster
            return False
        raise
    return True


def open_truncated(feed_id: int, read: int, left_out: int, now: datetime) -> bool:
    """Say that a feed has more entries than are `read`; True when that is new.

    Such a feed stays so long: once somebody closed the incident, it is opened again after `REMINDED` only.
    """
    seen = Incident.objects.filter(feed_id=feed_id, kind=Incident.Kind.TRUNCATED, closed_at__gt=now - REMINDED)
    detail = (
        f"it has {read + left_out} entries: the newest {read} are read, {left_out} older ones are not. Nothing new is missed "
        f"unless more than {read} come between two reads"
    )
    return not seen.exists() and open_(feed_id, Incident.Kind.TRUNCATED, detail, now)


def opened_at(feed_id: int, kind: Incident.Kind) -> datetime | None:
    """When the incident of this kind that is open for the feed was opened; None without one."""
    found: datetime | None = (
        Incident.objects.filter(feed_id=feed_id, kind=kind, closed_at=None).values_list("opened_at", flat=True).first()
    )
    return found


def close(feed_id: int, kind: Incident.Kind, now: datetime) -> bool:
    """Close the feed's open incident of this kind; False when there is none."""
    return bool(Incident.objects.filter(feed_id=feed_id, kind=kind, closed_at=None).update(closed_at=now))


def close_one(incident_id: int, now: datetime) -> bool:
    """Close an incident that somebody has looked at; False when no such one is open."""
    return bool(Incident.objects.filter(id=incident_id, closed_at=None).update(closed_at=now))


def listing(*, closed: bool = False) -> tuple[IncidentRow, ...]:
    """The open incidents, newest first; with `closed` also those that are over."""
    found = Incident.objects.select_related("feed").order_by("-opened_at", "-id")
    return _rows(found if closed else found.filter(closed_at=None))


def _rows(incidents: Iterable[Incident]) -> tuple[IncidentRow, ...]:
    return tuple(
        IncidentRow(
            id=one.id,
            feed_id=one.feed_id,
            feed_title=one.feed.title,
            feed_url=one.feed.url,
            kind=one.kind,
            opened_at=one.opened_at,
            closed_at=one.closed_at,
            detail=one.detail,
        )
        for one in incidents
    )
