"""The zone is asked by what one's clock shows now: no place is stored that the person did not pick, no script guesses it."""

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from newsletter.editions.digest_schedule import REPRESENTATIVES, in_words
from newsletter.models import Cadence

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

#: Who else lives by a zone's clock, summer and winter. A zone that is not here is called by its city.
PLACES = {
    "Africa/Johannesburg": "Johannesburg, Harare, Maputo",
    "Africa/Lagos": "Lagos, Algiers, Tunis",
    "Africa/Nairobi": "Nairobi, Addis Ababa, Riyadh",
    "America/Bogota": "Bogotá, Lima, Panama",
    "America/Caracas": "Caracas, La Paz, Santo Domingo",
    "America/Chicago": "Chicago, Winnipeg",
    "America/Denver": "Denver, Calgary",
    "America/Halifax": "Halifax, Bermuda",
    "America/Los_Angeles": "Los Angeles, Vancouver",
    "America/Mexico_City": "Mexico City, Guatemala",
    "America/New_York": "New York, Toronto",
    "America/Sao_Paulo": "São Paulo, Buenos Aires",
    "America/St_Johns": "St. John’s",
    "Asia/Bangkok": "Bangkok, Hanoi, Jakarta",
    "Asia/Dhaka": "Dhaka, Bishkek, Ürümqi (local time)",
    "Asia/Dubai": "Dubai, Baku, Tbilisi",
    "Asia/Karachi": "Karachi",
    "Asia/Kolkata": "Delhi, Mumbai, Colombo",
    "Asia/Shanghai": "Beijing, Hong Kong, Taipei, Singapore",
    "Asia/Tashkent": "Tashkent, Almaty",
    "Asia/Tokyo": "Tokyo, Seoul",
    "Australia/Sydney": "Sydney, Melbourne",
    "Europe/Berlin": "Berlin, Paris, Rome, Madrid",
    "Europe/Istanbul": "Istanbul",
    "Europe/Kyiv": "Kyiv, Athens, Helsinki",
    "Europe/London": "London, Dublin, Lisbon",
    "Europe/Moscow": "Moscow, Minsk",
    "Pacific/Noumea": "Nouméa, Honiara",
    "Pacific/Pago_Pago": "Pago Pago",
    "Pacific/Tongatapu": "Tonga, Samoa",
    "UTC": "UTC, Reykjavík, Dakar, Accra",
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
    places = {zone: PLACES.get(zone) or zone.rpartition("/")[2].replace("_", " ") for zone in zones}
    local = {zone: now.astimezone(ZoneInfo(zone)) for zone in places}
    order = sorted(places, key=lambda zone: (local[zone].replace(tzinfo=None), places[zone]))
    return [(zone, f"{local[zone]:%H:%M} {DAYS[local[zone].weekday()]} · {places[zone]}") for zone in order]


def when(slot: datetime, zone: str, now: datetime) -> str:
    """A coming slot as a person there says it: `tomorrow 07:00 your time`."""
    return f"{in_words(slot, zone, now)} your time"


def rhythm(cadence: Cadence, hour: int, weekday: int) -> str:
    """`Once a day, at 07:00 of your day`."""
    if cadence == Cadence.DAILY:
        return f"Once a day, at {hour:02d}:00 your time"
    if cadence == Cadence.WEEKLY:
        return f"Once a week, on {DAYS[weekday]} at {hour:02d}:00 your time"
    return "As it happens"
