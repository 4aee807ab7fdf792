"""When a feed is read next."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.feeds.polling import schedule

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))


def every(gap: timedelta, count: int = 20, newest: datetime = NOW) -> list[datetime]:
    return [newest - gap * number for number in range(count)]


@pytest.mark.parametrize(
    ("published", "rhythm"),
    [
        (every(HOUR), HOUR),
        (every(DAY), DAY),
        (every(DAY, 2), None),
        ([], None),
        # a year of silence between two busy times does not count for ever
        (every(HOUR, 4) + every(HOUR, 16, NOW - timedelta(days=300)), HOUR),
        (every(timedelta(0)), timedelta(seconds=1)),
        ([NOW + DAY, NOW, NOW - HOUR, NOW - 2 * HOUR], HOUR),
    ],
)
def test_a_rhythm_is_the_usual_gap(published: list[datetime], rhythm: timedelta | None) -> None:
    assert schedule.rhythm(published, NOW) == rhythm


def test_five_posts_each_morning_are_a_daily_rhythm() -> None:
    published = [NOW - DAY * day - timedelta(minutes=minute) for day in range(4) for minute in range(5)]
    found = schedule.rhythm(published, NOW)
    assert found is not None
    assert HOUR < found < DAY


@pytest.mark.parametrize(
    ("posts_every", "quiet", "asked", "wait"),
    [
        (None, None, timedelta(0), schedule.UNKNOWN),
        (timedelta(minutes=1), timedelta(0), timedelta(0), schedule.SOONEST),
        (12 * HOUR, HOUR, timedelta(0), HOUR),
        (12 * HOUR, 5 * DAY, timedelta(0), 10 * HOUR),
        (timedelta(days=30), timedelta(days=200), timedelta(0), schedule.LATEST),
        (HOUR, timedelta(0), 2 * HOUR, 2 * HOUR),
        (HOUR, timedelta(0), 9 * DAY, schedule.LATEST),
    ],
)
def test_the_wait_follows_the_rhythm_and_what_the_feed_asks_for(
    posts_every: timedelta | None, quiet: timedelta | None, asked: timedelta, wait: timedelta
) -> None:
    newest = None if quiet is None else NOW - quiet
    assert schedule.after_success(posts_every, newest, asked=asked, now=NOW, chance=0.5) == wait


@given(posts_every=st.none() | spans, quiet=st.none() | spans, asked=spans, chance=st.floats(0, 1))
def test_no_feed_is_read_too_often_or_forgotten(
    posts_every: timedelta | None, quiet: timedelta | None, asked: timedelta, chance: float
) -> None:
    newest = None if quiet is None else NOW - quiet
    wait = schedule.after_success(posts_every, newest, asked=asked, now=NOW, chance=chance)
    assert schedule.SOONEST <= wait <= schedule.LATEST
    assert wait >= min(asked, schedule.LATEST)


@given(failures=st.integers(1, 1000), asked=spans, chance=st.floats(0, 1))
def test_after_failures_the_wait_grows_to_a_day(failures: int, asked: timedelta, chance: float) -> None:
    wait = schedule.after_failure(failures, asked=asked, chance=chance)
    assert schedule.SOONEST <= wait <= schedule.LATEST
    assert wait >= min(asked, schedule.LATEST)
    assert schedule.after_failure(failures + 1, asked=asked, chance=chance) >= wait


def test_jitter_keeps_feeds_apart() -> None:
    waits = {schedule.after_success(12 * HOUR, NOW, asked=timedelta(0), now=NOW, chance=one / 10) for one in range(11)}
    assert len(waits) == 11
    assert max(waits) - min(waits) <= 0.2 * HOUR + timedelta(seconds=1)


def test_silence_is_measured_by_the_feed_s_own_rhythm() -> None:
    assert not schedule.is_silent(None, NOW - 100 * DAY, NOW)
    assert not schedule.is_silent(HOUR, NOW - 2 * DAY, NOW)
    assert schedule.is_silent(HOUR, NOW - 4 * DAY, NOW)
    assert not schedule.is_silent(7 * DAY, NOW - 20 * DAY, NOW)
    assert schedule.is_silent(7 * DAY, NOW - 29 * DAY, NOW)
