"""Incidents of feeds: opened once, closed when they are over, listed for operators."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, record
from newsletter.models import Feed, Incident

#: An incident that persists is opened again so long after somebody closed it.
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
    """Open an incident, unless one of this kind is open for the feed already; True if it is new.

    `detail` says what to do. A gap, also a further one, makes a backfill start again: what it has read of the archive lies below
    the gap. May be called within a transaction.
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
    """Open an incident for a feed with more entries than are `read`; True if it is new.

    Such a feed stays so for long: once somebody closed the incident, it is opened again after `REMINDED` only.
    """
    reminded = Incident.objects.filter(feed_id=feed_id, kind=Incident.Kind.TRUNCATED, closed_at__gt=now - REMINDED)
    detail = (
        f"it has {read + left_out} entries: the newest {read} are read, {left_out} older ones are not. Nothing new is missed "
        f"unless more than {read} come between two reads"
    )
    return not reminded.exists() and open_(feed_id, Incident.Kind.TRUNCATED, detail, now)


def opened_at(feed_id: int, kind: Incident.Kind) -> datetime | None:
    """Return when the feed's open incident of this kind was opened; None if there is none."""
    opened: datetime | None = (
        Incident.objects.filter(feed_id=feed_id, kind=kind, closed_at=None).values_list("opened_at", flat=True).first()
    )
    return opened


def close(feed_id: int, kind: Incident.Kind, now: datetime) -> bool:
    """Close the feed's open incident of this kind; False if there is none."""
    return bool(Incident.objects.filter(feed_id=feed_id, kind=kind, closed_at=None).update(closed_at=now))


def close_by_id(incident_id: int, now: datetime, *, actor: Actor) -> bool:
    """Close the incident that somebody names; False if it is not open."""
    with transaction.atomic():
        if not Incident.objects.filter(id=incident_id, closed_at=None).update(closed_at=now):
            return False
        incident = Incident.objects.select_related("feed").get(id=incident_id)
        thing = Thing("feed", incident.feed_id, incident.feed.title)
        record(actor, "feed.close_incident", thing, now=now, after={"incident": incident.kind})
        return True


def listing(*, closed: bool = False) -> tuple[IncidentRow, ...]:
    """Return the open incidents, newest first; with `closed` the closed ones too."""
    incidents = Incident.objects.select_related("feed").order_by("-opened_at", "-id")
    return _rows(incidents if closed else incidents.filter(closed_at=None))


def _rows(incidents: Iterable[Incident]) -> tuple[IncidentRow, ...]:
    return tuple(
        IncidentRow(
            id=incident.id,
            feed_id=incident.feed_id,
            feed_title=incident.feed.title,
            feed_url=incident.feed.url,
            kind=incident.kind,
            opened_at=incident.opened_at,
            closed_at=incident.closed_at,
            detail=incident.detail,
        )
        for incident in incidents
    )
