"""Slots: at the local hour, at most one a date, through changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.editions.digest_schedule import (
    DAILY,
    WEEKLY,
    local_date,
    next_due,
    occasion_key,
    slot_date,
)
from newsletter.models import Cadence

ZONES = sorted(zone for zone in available_timezones() if not zone.startswith(("posix/", "right/", "SystemV/")))
AWKWARD = ["Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Nuuk", "Africa/Cairo"]
zones = st.sampled_from(AWKWARD) | st.sampled_from(ZONES)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2045, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
hours = st.integers(0, 23)
days = st.integers(0, 6)


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def test_cadence_numbers_match_the_model() -> None:
    assert (DAILY, WEEKLY) == (Cadence.DAILY, Cadence.WEEKLY)


@given(zone=zones, hour=hours, after=moments)
@example(zone="America/Nuuk", hour=23, after=datetime(2026, 3, 27, 12, tzinfo=UTC))
def test_daily_slot_is_the_next_local_hour(zone: str, hour: int, after: datetime) -> None:
    slot = next_due(DAILY, zone, hour, -1, after)
    assert slot.tzinfo is UTC
    assert after < slot <= after + timedelta(hours=26)
    shown = slot.astimezone(ZoneInfo(zone))
    if shown.hour != hour or shown.minute:  # then that hour did not strike on that date
        wall = shown.replace(hour=hour, minute=0, tzinfo=None)
        back = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone))
        assert back.replace(tzinfo=None) != wall


@given(zone=zones, hour=hours, after=moments, weekday=days, cadence=st.sampled_from([DAILY, WEEKLY]))
def test_slots_increase_and_have_distinct_occasions(
    zone: str, hour: int, after: datetime, weekday: int, cadence: int
) -> None:
    slots = [next_due(cadence, zone, hour, weekday, after)]
    for _ in range(4):
        slots.append(next_due(cadence, zone, hour, weekday, slots[-1]))
    assert slots == sorted(set(slots))
    assert len({occasion_key(cadence, slot, zone) for slot in slots}) == len(slots)
    assert next_due(cadence, zone, hour, weekday, slots[1] - timedelta(microseconds=1)) == slots[1]
    if cadence == WEEKLY:
        assert {local_date(slot, zone).weekday() for slot in slots} == {weekday}
    assert [slot_date(occasion_key(cadence, slot, zone), weekday) for slot in slots] == [
        local_date(slot, zone) for slot in slots
    ]


@given(zone=zones, hour=hours, after=moments)
def test_every_date_has_a_slot(zone: str, hour: int, after: datetime) -> None:
    first = next_due(DAILY, zone, hour, -1, after)
    second = next_due(DAILY, zone, hour, -1, first)
    assert local_date(second, zone) == local_date(first, zone) + timedelta(days=1)


@pytest.mark.parametrize(
    ("zone", "hour", "day", "expected"),
    [
        ("Europe/Berlin", 2, "2026-03-29", "2026-03-29T01:00"),  # 02:00 is skipped: 03:00 summer time
        ("Europe/Berlin", 2, "2026-10-25", "2026-10-25T00:00"),  # 02:00 comes twice: the first
        ("America/New_York", 2, "2026-03-08", "2026-03-08T07:00"),
        ("America/Nuuk", 23, "2026-03-28", "2026-03-29T00:00"),  # 23:00 would become the next day: 22:00 it is
        ("Africa/Cairo", 0, "2026-04-24", "2026-04-23T22:00"),  # the day begins at 01:00
        ("Asia/Kathmandu", 7, "2026-11-24", "2026-11-24T01:15"),
        ("Pacific/Kiritimati", 0, "2026-11-24", "2026-11-23T10:00"),
    ],
)
def test_clock_changes(zone: str, hour: int, day: str, expected: str) -> None:
    before = at(f"{day}T00:00", zone).astimezone(UTC) - timedelta(hours=1)
    assert next_due(DAILY, zone, hour, -1, before) == at(expected)


def test_skipped_date_has_no_slot() -> None:
    slot = next_due(DAILY, "Pacific/Apia", 7, -1, at("2011-12-29T20:00", "Pacific/Apia"))
    assert local_date(slot, "Pacific/Apia") == date(2011, 12, 31)
    weekly = next_due(WEEKLY, "Pacific/Apia", 7, 4, at("2011-12-29T20:00", "Pacific/Apia"))
    assert local_date(weekly, "Pacific/Apia") == date(2012, 1, 6)


@pytest.mark.parametrize("numbers", [(1, 7, 0), (DAILY, 24, -1), (DAILY, -1, -1), (WEEKLY, 7, -1), (WEEKLY, 7, 7)])
def test_invalid_arguments_raise(numbers: tuple[int, int, int]) -> None:
    cadence, hour, weekday = numbers
    with pytest.raises(ValueError, match="no slot"):
        next_due(cadence, "UTC", hour, weekday, at("2026-11-24T00:00"))


def test_occasion_key_has_local_date() -> None:
    due = at("2026-11-22T23:00")
    assert occasion_key(DAILY, due, "Asia/Tokyo") == "digest:daily:2026-11-23"
    assert occasion_key(DAILY, due, "UTC") == "digest:daily:2026-11-22"
    assert occasion_key(WEEKLY, due, "Asia/Tokyo") == "digest:weekly:2026-W48"
    assert occasion_key(WEEKLY, at("2027-01-01T07:00"), "UTC") == "digest:weekly:2026-W53"
    with pytest.raises(ValueError, match="no slots"):
        occasion_key(1, due, "UTC")
