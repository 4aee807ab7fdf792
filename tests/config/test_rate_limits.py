"""How fast and how much: what may be said, what it means, and one line for what cannot be."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import rate_limits
from newsletter.config.rate_limits import STANDARD_PLAN, RateLimits
from newsletter.config.validators import SettingsError
from newsletter.lib.mail.provider_ids import name_of, number_of
from tests.config.helpers import config

DAY = date(2026, 11, 24)


def read(**words: str) -> RateLimits:
    return rate_limits.read(**{"pace": "", "domain_pace": "", "daily_cap": "", "warm_up": "", **words})


def test_nothing_said_limits_nothing() -> None:
    limits = read()
    assert (limits.pace("smtp"), limits.of_domain("gmail.com"), limits.cap("smtp", DAY)) == (None, None, None)
    assert not limits.limits("smtp")


def test_a_bare_number_is_for_all_and_a_name_goes_first() -> None:
    limits = read(pace="2.5, sendgrid=100", daily_cap="*=500,smtp=20")
    assert [limits.pace(name) for name in rate_limits.NAMES[:4]] == [2.5, 2.5, 100, 2.5]
    assert [limits.cap(name, DAY) for name in rate_limits.NAMES[:4]] == [500, 20, 500, 500]
    assert not read(pace="smtp=1").limits("sendgrid")


def test_domains_of_a_group_share_and_the_star_is_each_other_one() -> None:
    limits = read(domain_pace="Gmail.com+googlemail.com=20,outlook.com=10 *=5")
    assert limits.of_domain("gmail.com") == limits.of_domain("googlemail.com") == ("gmail.com", 20)
    assert limits.of_domain("small.example") == ("small.example", 5)
    assert read(domain_pace="gmail.com=1").of_domain("small.example") is None
    assert read(domain_pace="bücher.example=1").of_domain("xn--bcher-kva.example") == ("xn--bcher-kva.example", 1)


def test_the_standard_plan_grows_to_its_end() -> None:
    limits = read(warm_up="2026-11-24")
    days = [limits.cap("smtp", date.fromordinal(DAY.toordinal() + number)) for number in range(-1, 16)]
    assert days == [100, *STANDARD_PLAN, None, None]
    assert list(STANDARD_PLAN) == sorted(set(STANDARD_PLAN))


def test_the_smaller_of_plan_and_cap_counts() -> None:
    limits = read(warm_up="smtp=2026-11-24:10/1000", daily_cap="50")
    assert [limits.cap("smtp", date(2026, 11, day)) for day in (24, 25, 26)] == [10, 50, 50]
    assert limits.cap("sendgrid", DAY) == 50


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PACE", "0"),
        ("PACE", "-1"),
        ("PACE", "fast"),
        ("PACE", "1e3"),
        ("PACE", "nan"),
        ("PACE", "sendgird=5"),
        ("PACE", "smtp="),
        ("PACE", "smtp=1,smtp=2"),
        ("PACE", "1,2"),
        ("DOMAIN_PACE", "gmail=5"),
        ("DOMAIN_PACE", "somebody@gmail.com=5"),
        ("DOMAIN_PACE", "gmail.com"),
        ("DOMAIN_PACE", "gmail.com=1,gmail.com+googlemail.com=2"),
        ("DOMAIN_PACE", "+=1"),
        ("DAILY_CAP", "1.5"),
        ("DAILY_CAP", "0"),
        ("WARM_UP", "tomorrow"),
        ("WARM_UP", "2026-02-30"),
        ("WARM_UP", "2026-11-24:"),
        ("WARM_UP", "2026-11-24:5/0"),
    ],
)
def test_what_cannot_be_is_one_line_that_names_the_setting(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as told:
        config(**{name: text})
    words = str(told.value)
    assert words.startswith(f"NEWSLETTER_{name}: ") and "\n" not in words and len(words) < 200


@given(st.sampled_from(["pace", "domain_pace", "daily_cap", "warm_up"]), st.text(max_size=40))
def test_any_text_is_understood_or_refused_in_words(name: str, text: str) -> None:
    try:
        limits = read(**{name: text})
    except ValueError as error:
        told, what = error.args
        assert told == name.upper() and "\n" not in what
    else:
        assert all(rate > 0 for rate in limits.paces.values())


def test_the_names_are_those_of_the_providers() -> None:
    assert all(number_of(name) for name in rate_limits.NAMES)
    assert {name_of(number_of(name) or 0) for name in rate_limits.NAMES} == set(rate_limits.NAMES)
