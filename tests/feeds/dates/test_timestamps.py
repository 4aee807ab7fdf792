"""The dates of feeds: every form that is sent is read as the day it means, and what cannot be known is not guessed."""

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from babel import Locale
from babel.dates import format_date
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.feeds.dates.calendar_names import MONTHS
from newsletter.feeds.dates.calendar_words import months_named
from newsletter.feeds.dates.feed_dates import FeedDates
from newsletter.feeds.dates.timestamps import parse_timestamp
from newsletter.feeds.parsing.entry_fields import DateBounds

NOW = datetime(2026, 11, 29, 16, tzinfo=UTC)
BOUNDS = DateBounds(NOW)


def alone(text: str, language: str = "") -> datetime | None:
    """When `text` says in a feed without other dates."""
    return FeedDates([text], BOUNDS.check, language).read(text)


def at(day: int = 29, hour: int = 0, minute: int = 0, second: int = 0, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


DAY = at()
TEN = at(29, 10)
RFC_822 = {
    "Sun, 29 Nov 2026 10:00:00 +0000": TEN,
    "Sun, 29 Nov 2026 10:00:00 GMT": TEN,
    "Sun, 29 Nov 2026 11:00:00 +0100": TEN,
    "Sun, 29 Nov 2026 11:00:00 +01:00": TEN,
    "Sun, 29 Nov 2026 11:00:00 +1": TEN,
    "Sun, 29 Nov 2026 18:00:00 GMT+8": TEN,
    "Sun, 29 Nov 2026 18:00:00 UTC+08:00": TEN,
    "Sun, 29 Nov 2026 06:00:00 EDT": TEN,
    "Sun, 29 Nov 2026 02:00:00 PST": TEN,
    "Sun, 29 Nov 2026 10:00:00 Z": TEN,
    "Sun, 29 Nov 2026 10:00:00 -0000": TEN,
    "Sun, 29 Nov 2026 10:00:00GMT": TEN,
    "Sun, 29 Nov 2026 10:00:00 (UTC)": TEN,
    "Sun, 29 Nov 2026 05:00:00 -0500 (EST)": TEN,
    "Sun, 29 Nov 2026 05:00:00 -0500 EST": TEN,
    "Sun,29 Nov 2026 10:00:00 +0000": TEN,
    "Sun 29 Nov 2026 10:00:00 +0000": TEN,
    "Sunday, 29 November 2026 10:00:00 GMT": TEN,
    "Sun, 29 Nov, 2026 10:00:00 +0000": TEN,
    "  Sun,  29  Nov  2026\n10:00:00  +0000 ": TEN,
    "29 Nov 2026 10:00 +0000": TEN,
    "29 Nov 26 10:00 GMT": TEN,
    "29 Nov 2026 1000 GMT": TEN,
    "29-Nov-2026 10:00:00": TEN,
    "29-Nov-26 10:00:00": TEN,
    "Sun, 29 Nov 2026 10:0:0 +0000": TEN,
    "Sun, 29 Nov 2026 10:00:00 AM": TEN,
    "Sun, 29 Nov 2026 10:00:00 PM +0000": at(29, 22),
    "Sun, 29 Nov 2026 12:00:00 AM": DAY,
    "Mon, 29 Nov 2026 10:00:00 +0000": TEN,
    "SUN, 29 NOV 2026 10:00:00 gmt": TEN,
    "Sun, 29 Nov 2026": DAY,
    "Sun Nov 29 10:00:00 2026": TEN,
    "Sun Nov 29 10:00:00 UTC 2026": TEN,
    "Sun Nov 29 10:00:00 +0000 2026": TEN,
    "Sun Nov 29 2026 11:00:00 GMT+0100 (Central European Standard Time)": TEN,
    "29/Nov/2026:10:00:00 +0000": TEN,
    "&lt;time datetime=\"2026-11-29T10:00:00Z\"&gt;today&lt;/time&gt;": TEN,
    "<![CDATA[Sun, 29 Nov 2026 10:00:00 +0000]]>": TEN,
    "Published: November 29, 2026 at 10:00 AM": TEN,
    "Nov. 29th, 2026": DAY,
    "the 29th of November, 2026": DAY,
    "10:00, 29 November 2026": TEN,
    # zones that no place has: the date stays, the zone is left out of account
    "Sun, 29 Nov 2026 10:00:00 +3000": TEN,
    "Sun, 29 Nov 2026 10:00:00 -9900": TEN,
    "Sun, 29 Nov 2026 10:00:00 +0075": TEN,
    "Sun, 29 Nov 2026 10:00:00 +123456789": TEN,
    "Sun, 29 Nov 2026 10:00:00 XYZ": TEN,
    "Sun, 29 Nov 2026 10:00:00 Europe/Berlin": TEN,
}  # fmt: skip
ISO_8601 = {
    "2026-11-29T10:00:00Z": TEN,
    "2026-11-29t10:00:00z": TEN,
    "2026-11-29 10:00:00": TEN,
    "2026-11-29T10:00:00.123456789Z": TEN,
    "2026-11-29T10:00:00,5+00:00": TEN,
    "2026-11-29T10:30,5Z": at(29, 10, 30, 30),
    "2026-11-29T10,5Z": at(29, 10, 30),
    "2026-11-29T11:00+01": TEN,
    "2026-11-29T11:00:00+0100": TEN,
    "2026-11-29T11:00:00 +01:00": TEN,
    "2026-11-29T11:00:00+01:00[Europe/Berlin]": TEN,
    "2026-11-29T10:00:00+30:00": TEN,
    "2026-11-29T10:00:00+99:99": TEN,
    "2026-11-29 10:00:00.000000 +0000 UTC": TEN,
    "20261129T100000Z": TEN,
    "20261129T1000Z": TEN,
    "20261129100000": TEN,
    "20261129": DAY,
    "2026-11-29": DAY,
    "2026-11-29Z": DAY,
    "2026/11/29 10:00": TEN,
    "2026.11.29": DAY,
    "2026 11 29": DAY,
    "2026:11:29 10:00:00": TEN,
    "2026-11-28T24:00:00Z": DAY,
    "2026-W48-7": DAY,
    "2026-W48-5": at(27),
    "2026W487": DAY,
    "2026-W48-7T10:00:00Z": TEN,
    "2026-W01-1": at(29, month=12, year=2025),
    "2026-333": DAY,
    "2026333": DAY,
    "2026-333T10:00:00Z": TEN,
    "2026‐11‐29": DAY,
    "\ufeff2026-11-29\u200b": DAY,
    "1795456800": at(23, 18),
    "1795456800.25": at(23, 18),
    "1795456800000": at(23, 18),
    "1795456800000000": at(23, 18),
}  # fmt: skip
DIGITS = {
    "29/11/2026": DAY,
    "29-11-2026 10:00": TEN,
    "29.11.2026 10:00:00": TEN,
    "29. 11. 2026": DAY,
    "29.11.2026 klo 10.00": TEN,
    "11/29/2026": DAY,
    "11/29/2026 10:00:00 PM": at(29, 22),
    "11-29-2026": DAY,
    "29/11/26": DAY,
    "26/11/29": DAY,
    "03.04.2026": at(3, month=4),
    "03/03/2026": at(3, month=3),
    "2026-04-03": at(3, month=4),
    "2026-29-11": DAY,
    # one of the two days has not come yet
    "12/10/2026": at(12, month=10),
    "12-11-2026 10:00": at(12, 10),
    # one of the two days is a Friday
    "Friday, 03/04/2026": at(3, month=4),
    "Thứ Sáu, 03/04/2026": at(3, month=4),
    "miércoles, 04/03/2026": at(4, month=3),
}  # fmt: skip
LANGUAGES = {
    "2026年11月29日": DAY,
    "2026年11月29日(日) 10:00": TEN,
    "2026年11月29日 星期日 上午10:00": TEN,
    "2026年11月29日 下午3:05": at(29, 15, 5),
    "2026年11月29日 晚上12:00": at(30),
    "2026年11月29日10时00分00秒": TEN,
    "2026年 11月 29日 午後 3時5分": at(29, 15, 5),
    "二〇二六年十一月二十九日": DAY,
    "令和8年11月29日": DAY,
    "令和元年5月1日": at(1, month=5, year=2019),
    "平成31年4月30日": at(30, month=4, year=2019),
    "R8.11.29": DAY,
    "民國115年11月29日": DAY,
    "中華民國115年11月29日": DAY,
    "115年11月29日": DAY,
    "民國115/11/29": DAY,
    "2026. 11. 29.": DAY,
    "2026. 11. 12. 10:00": at(12, 10),
    "2026. 11. 29. 오후 3:05": at(29, 15, 5),
    "2026년 11월 29일 (일) 오전 10:00": TEN,
    "２０２６／１１／２９　１０：００": TEN,
    "٢٩ نوفمبر ٢٠٢٦": DAY,
    "الأحد، ٢٩ تشرين الثاني ٢٠٢٦ 10:00": TEN,
    "٢٩/١١/٢٠٢٦": DAY,
    "۲۹ نوامبر ۲۰۲۶": DAY,
    "२९ नवंबर २०२६": DAY,
    "২৯ নভেম্বর, ২০২৬": DAY,
    "วันอาทิตย์ที่ 29 พฤศจิกายน พ.ศ. 2569": DAY,
    "29 พ.ย. 2569 10:00": TEN,
    "29/11/2569": DAY,
    "Chủ nhật, 29/11/2026, 10:00 GMT+7": at(29, 3),
    "Ngày 29 tháng 11 năm 2026": DAY,
    "29 thg 11, 2026": DAY,
    "Κυρ, 29 Νοεμβρίου 2026 10:00": TEN,
    "2026. november 29.": DAY,
    "2026-július-13T9:15-10:00": at(13, 19, 15, month=7),
    "niedziela, 29 listopada 2026": DAY,
    "воскресенье, 29 ноября 2026 г. 10:00": TEN,
    "29 de noviembre de 2026, 10:00 p. m.": at(29, 22),
    "dim. 29 nov. 2026 10h00": TEN,
    "mar. 3 mars 2026": at(3, month=3),
    "1er août 2026": at(1, month=8),
    "So, 29. November 2026, 10:00 Uhr": TEN,
    "29 KASIM 2026 Pazar": DAY,
    "29 בנובמבר 2026": DAY,
    "2026 m. lapkričio 29 d.": DAY,
    "2026. gada 29. novembris": DAY,
    "29 XI 2026": DAY,
}  # fmt: skip
NONE = (
    *("", " ", "soon", "?", "12", "1795", "2026", "2026-11", "November 2026", "2026-W48", "10:00", "Sunday",
      "-1", "1e9", "²⁰²⁶-11-20"),
    # either day is possible, and nothing settles it
    *("03/04/2026", "03-04-2026 10:00", "3/4/26", "29 listopada 2025"),
    # no day, or no time
    *("31 Feb 2026", "31.02.2026", "2026-02-30", "2026-13-45", "00/00/2026", "0000-00-00 00:00:00",
      "2026-000", "2026-366", "2026-W54-1"),
    *("29 Nov 2026 25:99:00", "2026-11-29T24:30:00Z", "2026-11-29T10:61:00Z"),
    # absurd or not yet
    *("0001-01-01T00:00:00Z", "1795-11-29", "1 Jan 1970 00:00:00 GMT", "0", "000000000", "9" * 13, "9" * 19,
      "1 Jan 1994", "2094-01-01"),
    *("Fri, 04 Dec 2026 10:00:00 GMT", "2026-12-02", "03.12.2026", "2026. 12. 02.", "4 December 2026",
      "1405/09/08", "令和99年1月1日"),
    # more than a date
    *("29 Nov 2026, 30 Nov 2026", "29/11/2026 - 30/11/2026", "call 29 11 2026 33",
      "a long sentence that has the 29 November 2026 in it"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "moment"), {**RFC_822, **ISO_8601, **DIGITS, **LANGUAGES}.items())
def test_a_date_is_read_as_what_it_means(text: str, moment: datetime) -> None:
    assert alone(text) == moment


@pytest.mark.parametrize("text", NONE)
def test_an_uncertain_date_is_none(text: str) -> None:
    assert alone(text) is None


def test_the_language_of_the_feed_decides_where_month_names_differ() -> None:
    assert alone("29 listopada 2025", "pl") == at(29, year=2025)
    assert alone("29 listopada 2025", "hr-HR") == at(29, month=10, year=2025)


APRIL, MARCH = at(3, month=4), at(4, month=3)


@pytest.mark.parametrize(
    ("others", "moment"),
    [
        (("29/11/2026",), APRIL),
        (("17.01.2026 10:00",), APRIL),
        (("11/29/2026",), MARCH),
        (("Friday, 03/04/2026",), APRIL),
        (("12/10/2026",), APRIL),
        (("29/11/2026", "11/29/2026"), None),
        (("2026-11-29", "Sun, 29 Nov 2026 10:00:00 GMT"), None),
        (("03/03/2026",), None),
        # they follow each other in one order only
        (("04/04/2026", "02/04/2026", "12/03/2026"), APRIL),
        (("02/03/2026", "02/28/2026"), MARCH),
        # in both orders, but closer together in one, and not as a monthly's would
        (("06/04/2026", "08/04/2026", "09/04/2026", "12/04/2026"), APRIL),
        # a daily or a monthly
        (("04/04/2026", "05/04/2026", "06/04/2026"), None),
        (("04/05/2026",), None),
    ],
)
def test_other_dates_of_the_feed_settle_an_ambiguous_one(others: tuple[str, ...], moment: datetime | None) -> None:
    assert FeedDates(["03/04/2026", *others], BOUNDS.check).read("03/04/2026") == moment
    assert FeedDates([*reversed(others), "03/04/2026"], BOUNDS.check).read("03/04/2026") == moment


def test_only_proof_overrides_the_usual_order() -> None:
    assert FeedDates(["11.29.2026"], BOUNDS.check).read("03.04.2026") == MARCH
    assert FeedDates(["11.29.2026", "29.11.2026"], BOUNDS.check).read("03.04.2026") == APRIL
    assert FeedDates(["2026-29-11"], BOUNDS.check).read("2026-03-04") == APRIL
    assert FeedDates(["2026-29-11", "2026-11-29"], BOUNDS.check).read("2026-03-04") == MARCH


LOCALES = sorted({language for row in MONTHS for language in row.split()})
DAYS = st.dates(min_value=date(1996, 1, 1), max_value=date(2026, 11, 28))


@given(day=DAYS, locale=st.sampled_from(LOCALES), length=st.sampled_from(["full", "long", "medium", "short"]))
@example(date(2026, 11, 3), "th", "full")
def test_a_date_as_any_locale_writes_it_reads_back_as_the_same_day_or_none(day: date, locale: str, length: str) -> None:
    written = format_date(day, length, locale=Locale.parse(locale))
    found = alone(written, locale)
    # the short form has a year of two digits in many locales
    assert found is None or found.date() == day, (written, locale)


COMMON = (
    "en",
    "de",
    "fr",
    "es",
    "pt",
    "it",
    "nl",
    "pl",
    "cs",
    "ru",
    "uk",
    "tr",
    "ar",
    "hi",
    "ja",
    "ko",
    "zh",
    "el",
    "sv",
    "he",
    "id",
)


@given(day=DAYS, locale=st.sampled_from(COMMON), length=st.sampled_from(["full", "long"]))
def test_common_languages_are_read(day: date, locale: str, length: str) -> None:
    found = alone(format_date(day, length, locale=Locale.parse(locale)), locale)
    assert found is not None
    assert found.date() == day


FORMS = (
    "%a, %d %b %Y %H:%M:%S +0000", "%A, %d %B %Y", "%d-%b-%y", "%b %d, %Y %I:%M %p", "%a %b %d %H:%M:%S %Y",
    "%c", "%x", "%D",
    "%Y-%m-%dT%H:%M:%SZ", "%Y%m%dT%H%M%SZ", "%Y%m%d", "%Y-%j", "%Y%j", "%G-W%V-%u", "%GW%V%u", "%G-W%V", "%Y-%m", "%Y", "%F %T",
    "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d.", "%d/%m/%y",
    "%m/%d/%y", "%y/%m/%d", "%y%m%d",
    "%d %m %Y", "%Y年%m月%d日", "%Y년 %m월 %d일", "%H:%M %d.%m.%Y", "%A, %m/%d/%Y", "%A, %d/%m/%Y",
    "%s", "%d%m%Y", "%m/%Y", "%d/%m"
)  # fmt: skip


@given(days=st.lists(DAYS, min_size=1, max_size=6), form=st.sampled_from(FORMS))
@example([date(2020, 5, 6)], "%d/%m/%Y")
@example([date(2020, 5, 6), date(2020, 5, 20)], "%m/%d/%Y")
def test_a_feed_in_one_form_reads_back_the_same_days_or_none(days: list[date], form: str) -> None:
    """The days come as feeds have them, newest first, so what follows each other is no accident."""
    newest_first = sorted(days, reverse=True)
    texts = [datetime(day.year, day.month, day.day, 10, tzinfo=UTC).strftime(form) for day in newest_first]
    dates = FeedDates(texts, BOUNDS.check)
    for day, text in zip(newest_first, texts, strict=True):
        found = dates.read(text)
        assert found is None or found.date() == day, (text, form)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_month_name_of_the_cldr_is_known(locale: str) -> None:
    names = Locale.parse(locale).months
    for context, width in product(("format", "stand-alone"), ("wide", "abbreviated")):
        for month, name in names[context][width].items():
            if not any(char.isdigit() for char in name):
                assert month in months_named(name, locale), name


@given(st.text(max_size=80))
@example("1:1 " * 50)
def test_no_text_raises(text: str) -> None:
    for moment in parse_timestamp(text).moments.values():
        assert moment.tzinfo is UTC
        assert timedelta(0) <= moment - datetime.min.replace(tzinfo=UTC)
