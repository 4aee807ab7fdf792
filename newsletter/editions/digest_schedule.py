"""The slots of a rhythm: when the next one is, its local date, and the key of its occasion."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

#: The numbers of `models.Cadence`, which a pure file cannot import. A test compares them.
DAILY, WEEKLY = 2, 3
#: Days: a zone that moves across the date line can skip a weekday, but never two weeks in a row.
_LOOK_AHEAD = 22
#: One zone for each set of summer-time rules, those with the most people first.
# fmt: off
REPRESENTATIVES = (
    "Asia/Shanghai", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Africa/Lagos", "Europe/London",
    "Asia/Tokyo", "America/Sao_Paulo", "Asia/Dhaka", "Asia/Bangkok", "America/Chicago", "America/Los_Angeles",
    "Europe/Istanbul", "Africa/Johannesburg", "Asia/Karachi", "Africa/Cairo", "America/Mexico_City",
    "Africa/Nairobi", "America/Bogota", "Europe/Kyiv", "Asia/Tashkent", "Europe/Moscow", "Asia/Tehran",
    "Asia/Dubai", "UTC", "Africa/Casablanca", "America/Denver", "Asia/Yangon", "Asia/Kabul", "Asia/Kathmandu",
    "Australia/Sydney", "America/Santiago", "America/Caracas", "Asia/Jerusalem", "America/Phoenix",
    "America/Halifax", "Pacific/Auckland", "Australia/Brisbane", "Australia/Perth", "Australia/Adelaide",
    "Australia/Darwin", "Pacific/Honolulu", "America/Anchorage", "America/St_Johns", "Pacific/Noumea",
    "Pacific/Fiji", "Atlantic/Azores", "Atlantic/Cape_Verde", "America/Noronha", "Pacific/Tongatapu",
    "Pacific/Pago_Pago", "Pacific/Kiritimati", "Pacific/Chatham", "Australia/Lord_Howe", "Australia/Eucla",
    "Pacific/Marquesas",
)
# fmt: on


def next_due(cadence: int, zone: str, hour: int, weekday: int, after: datetime) -> datetime:
    """The first slot strictly after `after`, in UTC. `weekday` (Monday is 0) counts for weekly only.

    An hour that a change of the clock skips moves on by as much (02:00 becomes 03:00), or back if it would leave its date;
    an hour that comes twice counts once, the first time. So a date has at most one slot.

    Raises:
        ValueError: the cadence is neither daily nor weekly, or a number is out of range.
        ZoneInfoNotFoundError: there is no such zone.
    """
    if cadence not in (DAILY, WEEKLY) or not 0 <= hour <= 23 or (cadence == WEEKLY and not 0 <= weekday <= 6):
        raise ValueError(f"no slot for cadence {cadence}, hour {hour}, weekday {weekday}")
    local_zone = ZoneInfo(zone)
    first = after.astimezone(local_zone).date() - timedelta(days=1)
    for day in (first + timedelta(days=number) for number in range(_LOOK_AHEAD)):
        if cadence == WEEKLY and day.weekday() != weekday:
            continue
        slot = _moment(day, hour, local_zone)
        if slot is not None and slot > after:
            return slot
    raise ValueError(f"no slot within {_LOOK_AHEAD} days")


def local_date(moment: datetime, zone: str) -> date:
    """The date in `zone` at `moment`."""
    return moment.astimezone(ZoneInfo(zone)).date()


def occasion_key(cadence: int, due_at: datetime, zone: str) -> str:
    """The key of a slot's occasion: `digest:daily:2026-11-23`, or `digest:weekly:2026-W48` (ISO 8601 week).

    Raises:
        ValueError: the cadence is neither daily nor weekly.
    """
    day = local_date(due_at, zone)
    if cadence == DAILY:
        return f"digest:daily:{day.isoformat()}"
    if cadence == WEEKLY:
        year, week, _ = day.isocalendar()
        return f"digest:weekly:{year}-W{week:02d}"
    raise ValueError(f"cadence {cadence} has no slots")


def slot_date(key: str, weekday: int) -> date:
    """The local date of the slot whose `occasion_key` is `key`. `weekday` (Monday is 0) counts for weekly only.

    Raises:
        ValueError: it is not the key of a slot.
    """
    _, cadence, when = key.split(":")
    if cadence == "daily":
        return date.fromisoformat(when)
    year, week = when.split("-W")
    return date.fromisocalendar(int(year), int(week), weekday + 1)


def _moment(day: date, hour: int, zone: ZoneInfo) -> datetime | None:
    """When it is `hour` o'clock on `day`, in UTC; None if `zone` has no such day."""
    for wall_time in _wall_times(day, hour):
        # fold 0 is the first of two, and in a gap the offset from before it: what PEP 495 has for "moved on"
        moment = wall_time.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if moment.astimezone(zone).date() == day:
            return moment
    return None


def _wall_times(day: date, hour: int) -> Iterator[datetime]:
    yield from (datetime.combine(day, clock_time(earlier)) for earlier in range(hour, -1, -1))
