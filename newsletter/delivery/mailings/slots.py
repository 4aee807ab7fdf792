"""When a mailing was put together, and in whose zone."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.models import Cadence, Gathering


@dataclass(frozen=True)
class MailingSlot:
    """One closing of what was owed: of an alert, or of a digest in one zone."""

    cut_at: datetime
    composed_at: datetime | None
    #: Its hour had long passed: nothing was mailed, and all of it stays owed to the next.
    late: bool
    #: Empty for an alert.
    zone: str = ""
    hour: int | None = None
    cadence: str = ""


def slots_of(occasion_id: int, limit: int = 30) -> tuple[MailingSlot, ...]:
    """The slots of a mailing, the earliest first."""
    gatherings = Gathering.objects.filter(occasion=occasion_id).select_related("rhythm").order_by("cut_at", "id")
    return tuple(_slot(gathering) for gathering in gatherings[:limit])


def _slot(gathering: Gathering) -> MailingSlot:
    rhythm = gathering.rhythm
    if rhythm is None:
        return MailingSlot(gathering.cut_at, gathering.composed_at, gathering.skipped)
    cadence = Cadence(rhythm.cadence).name.lower()
    return MailingSlot(gathering.cut_at, gathering.composed_at, gathering.skipped, rhythm.zone, rhythm.hour, cadence)
