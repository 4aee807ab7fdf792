"""The zone is asked by what one's clock shows now: no place is stored that the person did not pick, no script guesses it."""

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from newsletter.models import Cadence

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

#: One zone for each rule of winter and summer time that many people live by, with places that share it.
PLACES = (
    ("Pacific/Pago_Pago", "Samoa (American)"),
    ("Pacific/Honolulu", "Honolulu"),
    ("America/Anchorage", "Anchorage"),
    ("America/Los_Angeles", "Los Angeles, Vancouver"),
    ("America/Phoenix", "Phoenix"),
    ("America/Denver", "Denver, Calgary"),
    ("America/Mexico_City", "Mexico City, San José"),
    ("America/Chicago", "Chicago, Winnipeg"),
    ("America/Bogota", "Bogotá, Lima"),
    ("America/New_York", "New York, Toronto"),
    ("America/Caracas", "Caracas, La Paz"),
    ("America/Halifax", "Halifax"),
    ("America/Santiago", "Santiago"),
    ("America/St_Johns", "St. John’s"),
    ("America/Sao_Paulo", "São Paulo, Buenos Aires"),
    ("America/Noronha", "Noronha, South Georgia"),
    ("Atlantic/Azores", "Azores"),
    ("Atlantic/Cape_Verde", "Cape Verde"),
    ("UTC", "UTC, Reykjavík, Dakar"),
    ("Europe/London", "London, Lisbon, Dublin"),
    ("Africa/Lagos", "Lagos, Algiers, Tunis"),
    ("Africa/Casablanca", "Casablanca"),
    ("Europe/Berlin", "Berlin, Paris, Rome, Madrid"),
    ("Africa/Johannesburg", "Johannesburg, Harare"),
    ("Africa/Cairo", "Cairo"),
    ("Asia/Jerusalem", "Jerusalem"),
    ("Europe/Kyiv", "Kyiv, Athens, Helsinki"),
    ("Europe/Istanbul", "Istanbul, Nairobi, Riyadh"),
    ("Europe/Moscow", "Moscow, Minsk"),
    ("Asia/Tehran", "Tehran"),
    ("Asia/Dubai", "Dubai, Baku, Tbilisi"),
    ("Asia/Kabul", "Kabul"),
    ("Asia/Tashkent", "Tashkent, Almaty, Karachi"),
    ("Asia/Kolkata", "Delhi, Colombo"),
    ("Asia/Kathmandu", "Kathmandu"),
    ("Asia/Urumqi", "Ürümqi (local), Bishkek, Dhaka"),
    ("Asia/Yangon", "Yangon"),
    ("Asia/Bangkok", "Bangkok, Hanoi, Jakarta"),
    ("Asia/Shanghai", "Beijing, Hong Kong, Taipei, Singapore"),
    ("Asia/Tokyo", "Tokyo, Seoul"),
    ("Australia/Perth", "Perth"),
    ("Australia/Darwin", "Darwin"),
    ("Australia/Adelaide", "Adelaide"),
    ("Australia/Brisbane", "Brisbane"),
    ("Australia/Sydney", "Sydney, Melbourne"),
    ("Pacific/Noumea", "Nouméa, Honiara"),
    ("Pacific/Auckland", "Auckland"),
    ("Pacific/Fiji", "Fiji"),
    ("Pacific/Chatham", "Chatham Islands"),
    ("Pacific/Tongatapu", "Tonga"),
    ("Pacific/Kiritimati", "Kiritimati"),
)
HOURS = tuple((hour, f"{hour:02d}:00") for hour in range(24))
WEEKDAYS = tuple(enumerate(DAYS))


def clocks(now: datetime, also: str = "") -> list[tuple[str, str]]:
    """(zone, what a clock there shows now and who lives by it), from the earliest clock to the latest.

    `also` is a zone that must be among them: the one a person has.
    """
    places = dict(PLACES)
    if also and also not in places and also in available_timezones():
        places[also] = also.rpartition("/")[2].replace("_", " ")
    local = {zone: now.astimezone(ZoneInfo(zone)) for zone in places}
    order = sorted(places, key=lambda zone: (local[zone].replace(tzinfo=None), places[zone]))
    return [(zone, f"{local[zone]:%H:%M} {DAYS[local[zone].weekday()]} · {places[zone]}") for zone in order]


def when(slot: datetime, zone: str, now: datetime) -> str:
    """A coming slot in the person's own words: `tomorrow 07:00 your time`."""
    there, here = slot.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    days = (there.date() - here.date()).days
    day = {0: "today", 1: "tomorrow"}.get(days)
    if day is None:
        day = f"on {DAYS[there.weekday()]}" if days < 7 else f"on {DAYS[there.weekday()]} {there.day} {there:%B}"
    return f"{day} {there:%H:%M} your time"


def rhythm(cadence: Cadence, hour: int, weekday: int) -> str:
    """`Once a day, at 07:00 of your day`."""
    if cadence == Cadence.DAILY:
        return f"Once a day, at {hour:02d}:00 your time"
    if cadence == Cadence.WEEKLY:
        return f"Once a week, on {DAYS[weekday]} at {hour:02d}:00 your time"
    return "As it happens"
