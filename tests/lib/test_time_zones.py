"""Time zones and locales: what a person may choose."""

from zoneinfo import available_timezones

import pytest

from newsletter.editions.digest_schedule import REPRESENTATIVES
from newsletter.lib import locales, time_zones


@pytest.mark.parametrize("name", [*REPRESENTATIVES, "Asia/Urumqi", "America/Argentina/Ushuaia", "US/Eastern", "UTC"])
def test_places_are_zones(name: str) -> None:
    assert time_zones.is_place(name)


NOT_PLACES = """
    localtime Factory posixrules EST EST5EDT Etc/GMT+5 Etc/UTC posix/Europe/Berlin GMT+3 Europe Europe/ europe/berlin
    Europe/Nowhere ../etc/passwd /etc/localtime Mars/Olympus
"""


@pytest.mark.parametrize("name", ["", *NOT_PLACES.split()])
def test_other_names_are_not(name: str) -> None:
    assert not time_zones.is_place(name)


def test_every_place_is_in_the_database_of_zones() -> None:
    assert sum(map(time_zones.is_place, available_timezones())) > 400


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("en", "en"),
        ("de", "de"),
        ("pt-BR", "pt_BR"),
        ("zh_Hant_TW", "zh_Hant_TW"),
        (" ug ", "ug"),
        ("EN-gb", "en_GB"),
        ("en_US.UTF-8", "en_US"),
    ],
)
def test_a_language_has_one_name(text: str, canonical: str) -> None:
    assert locales.canonical(text) == canonical


@pytest.mark.parametrize("text", ["xx", "", "english", "C", "../de", "de/../en", "12"])
def test_an_unknown_language_is_none(text: str) -> None:
    assert locales.canonical(text) is None
