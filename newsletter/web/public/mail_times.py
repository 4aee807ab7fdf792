"""Offer time zones by what a clock there shows now, and word when the next mail comes.

A person picks a zone; none is guessed by a script, and no place is stored.
"""

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import format_date
from django.utils.translation import get_language, gettext, gettext_lazy

from newsletter.editions.digest_schedule import REPRESENTATIVES, local_date
from newsletter.models import Cadence

DAYS = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)

#: Who else lives by a zone's clock, summer and winter. A zone that is not here is called by its city.
PLACES = {
    "Africa/Johannesburg": gettext_lazy("Johannesburg, Harare, Maputo"),
    "Africa/Lagos": gettext_lazy("Lagos, Algiers, Tunis"),
    "Africa/Nairobi": gettext_lazy("Nairobi, Addis Ababa, Riyadh"),
    "America/Bogota": gettext_lazy("Bogotá, Lima, Panama"),
    "America/Caracas": gettext_lazy("Caracas, La Paz, Santo Domingo"),
    "America/Chicago": gettext_lazy("Chicago, Winnipeg"),
    "America/Denver": gettext_lazy("Denver, Calgary"),
    "America/Halifax": gettext_lazy("Halifax, Bermuda"),
    "America/Los_Angeles": gettext_lazy("Los Angeles, Vancouver"),
    "America/Mexico_City": gettext_lazy("Mexico City, Guatemala"),
    "America/New_York": gettext_lazy("New York, Toronto"),
    "America/Sao_Paulo": gettext_lazy("São Paulo, Buenos Aires"),
    "America/St_Johns": gettext_lazy("St. John’s"),
    "Asia/Bangkok": gettext_lazy("Bangkok, Hanoi, Jakarta"),
    "Asia/Dhaka": gettext_lazy("Dhaka, Bishkek, Ürümqi (local time)"),
    "Asia/Dubai": gettext_lazy("Dubai, Baku, Tbilisi"),
    "Asia/Karachi": gettext_lazy("Karachi"),
    "Asia/Kolkata": gettext_lazy("Delhi, Mumbai, Colombo"),
    "Asia/Shanghai": gettext_lazy("Beijing, Hong Kong, Taipei, Singapore"),
    "Asia/Tashkent": gettext_lazy("Tashkent, Almaty"),
    "Asia/Tokyo": gettext_lazy("Tokyo, Seoul"),
    "Australia/Sydney": gettext_lazy("Sydney, Melbourne"),
    "Europe/Berlin": gettext_lazy("Berlin, Paris, Rome, Madrid"),
    "Europe/Istanbul": gettext_lazy("Istanbul"),
    "Europe/Kyiv": gettext_lazy("Kyiv, Athens, Helsinki"),
    "Europe/London": gettext_lazy("London, Dublin, Lisbon"),
    "Europe/Moscow": gettext_lazy("Moscow, Minsk"),
    "Pacific/Noumea": gettext_lazy("Nouméa, Honiara"),
    "Pacific/Pago_Pago": gettext_lazy("Pago Pago"),
    "Pacific/Tongatapu": gettext_lazy("Tonga, Samoa"),
    "UTC": gettext_lazy("UTC, Reykjavík, Dakar, Accra"),
}
HOURS = tuple((hour, f"{hour:02d}:00") for hour in range(24))
WEEKDAYS = tuple(enumerate(DAYS))


@cache
def _zone_names() -> frozenset[str]:
    """All zones: to list them takes as long as all the rest of a page, so it is done once."""
    return frozenset(available_timezones())


def clocks(now: datetime, also: str = "") -> list[tuple[str, str]]:
    """(zone, what a clock there shows now and who lives by it), from the earliest clock to the latest.

    `also` is a zone that must be among them: the one a person has.
    """
    zones = dict.fromkeys(REPRESENTATIVES)
    if also in _zone_names():
        zones[also] = None
    places = {zone: str(PLACES.get(zone, "")) or zone.rpartition("/")[2].replace("_", " ") for zone in zones}
    local = {zone: now.astimezone(ZoneInfo(zone)) for zone in places}
    order = sorted(places, key=lambda zone: (local[zone].replace(tzinfo=None), places[zone]))
    return [(zone, f"{local[zone]:%H:%M} {DAYS[local[zone].weekday()]} · {places[zone]}") for zone in order]


def when(slot: datetime, zone: str, now: datetime) -> str:
    """A coming slot as a person there says it: `today at 18:00`, `on Monday at 07:00`, `on Monday 7 December at 07:00`."""
    local = slot.astimezone(ZoneInfo(zone))
    days, clock = (local.date() - local_date(now, zone)).days, f"{local:%H:%M}"
    if days == 0:
        return gettext("today at {time}, your time").format(time=clock)
    if days == 1:
        return gettext("tomorrow at {time}, your time").format(time=clock)
    weekday = DAYS[local.weekday()]
    if 0 < days < 7:
        return gettext("on {weekday} at {time}, your time").format(weekday=weekday, time=clock)
    date = format_date(local.date(), "d MMMM", get_language() or "en")
    return gettext("on {weekday}, {date}, at {time}, your time").format(weekday=weekday, date=date, time=clock)


def rhythm(cadence: Cadence, hour: int, weekday: int) -> str:
    """`Once a day, at 07:00 your time`."""
    if cadence == Cadence.DAILY:
        return gettext("Once a day, at {hour:02d}:00 your time").format(hour=hour)
    if cadence == Cadence.WEEKLY:
        return gettext("Once a week, on {weekday} at {hour:02d}:00 your time").format(weekday=DAYS[weekday], hour=hour)
    return gettext("As it happens")
