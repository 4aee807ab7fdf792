"""Asking for the zone by the clock."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from newsletter.editions.digest_schedule import REPRESENTATIVES
from newsletter.models import Cadence
from newsletter.web.public.mail_times import PLACES, clocks, rhythm, when

WINTER, SUMMER = datetime(2026, 1, 15, 23, 30, tzinfo=UTC), datetime(2026, 7, 15, 23, 30, tzinfo=UTC)


def test_every_clock_shows_the_time_there():
    for now in (WINTER, SUMMER):
        found = dict(clocks(now))
        assert set(found) == set(REPRESENTATIVES)
        for zone, words in found.items():
            assert words.startswith(f"{now.astimezone(ZoneInfo(zone)):%H:%M %A} · ")
        assert len(set(found.values())) == len(found)


def test_from_the_earliest_clock_to_the_latest():
    shown = [WINTER.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for zone, _ in clocks(WINTER)]
    assert shown == sorted(shown) and len(shown) > 40


def test_every_clock_on_earth_is_among_them():
    for now in (WINTER, SUMMER):
        offered = {now.astimezone(ZoneInfo(zone)).utcoffset() for zone, _ in clocks(now)}
        for zone in ("Asia/Urumqi", "Asia/Kathmandu", "Europe/Prague", "America/Argentina/Ushuaia", "Asia/Pyongyang"):
            assert now.astimezone(ZoneInfo(zone)).utcoffset() in offered


def test_places_are_named_for_zones_that_are_offered():
    assert set(PLACES) <= set(REPRESENTATIVES)


@pytest.mark.parametrize("also", ["Europe/Prague", "America/Port_of_Spain"])
def test_the_zone_somebody_has_is_among_them(also):
    assert re.search(r"Prague|Port of Spain", dict(clocks(WINTER, also))[also])


def test_no_zone_that_there_is_not():
    assert "../etc/passwd" not in dict(clocks(WINTER, "../etc/passwd")) and "" not in dict(clocks(WINTER))


@pytest.mark.parametrize(
    ("due", "text"),
    [
        (datetime(2026, 11, 24, 10, tzinfo=UTC), "today at 18:00, your time"),
        (datetime(2026, 11, 24, 23, tzinfo=UTC), "tomorrow at 07:00, your time"),
        (datetime(2026, 11, 29, 23, tzinfo=UTC), "on Monday at 07:00, your time"),
        (datetime(2026, 12, 6, 23, tzinfo=UTC), "on Monday, 7 December, at 07:00, your time"),
    ],
)
def test_a_coming_slot_by_the_clock_of_the_person(due, text):
    assert when(due, "Asia/Shanghai", datetime(2026, 11, 24, 1, tzinfo=UTC)) == text


def test_how_often():
    assert rhythm(Cadence.WEEKLY, 19, 4) == "Once a week, on Friday at 19:00 your time"
    assert rhythm(Cadence.IMMEDIATE, 19, 4) == "As it happens"
