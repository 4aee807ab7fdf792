"""Parse a date without time of day, in each order of day, month and year that its form allows."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise

from newsletter.feeds.dates.calendar_words import fold, in_one_word, months_named, weekday_named

#: The orders of a date in digits; the key of a date that has only one.
DMY, MDY, YMD, YDM = "dmy", "mdy", "ymd", "ydm"
ONLY = ""
#: Words beside a date ("Published on Sunday,") that are passed over; with more it is a sentence.
WORDS = 6
HAN = "零一二三四五六七八九"
#: The year before an era's first. Minguo is Taiwan's, the others are Japan's.
ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "民國": 1911, "民国": 1911}
_LETTERS = {"R": "令和", "H": "平成", "S": "昭和"}
_ERA = r"(?P<era>" + "|".join(ERAS) + r")"
_HAN_NUMBER = rf"[〇{HAN}十元]{{1,4}}"
#: Dates whose numbers carry a unit or an era; `unit_day` reads a hit.
UNITS = tuple(
    re.compile(form)
    for form in (
        # 2026年11月29日, 令和8年, 民國115年, 二〇二六年, 2026년 11월 29일
        rf"(?:{_ERA}\s*)?(?<!\d)(?P<year>\d{{1,4}}|{_HAN_NUMBER})\s*[年년]\s*(?P<month>\d{{1,2}}|{_HAN_NUMBER})\s*[月월]"
        rf"\s*(?P<day>\d{{1,2}}|{_HAN_NUMBER})\s*(?P<unit>[日號号일]|(?!\d))",
        rf"{_ERA}\s*(?P<year>\d{{1,3}}|元)\s*(?P<by>[-/.])\s*(?P<month>\d\d?)\s*(?P=by)\s*(?P<day>\d\d?)(?!\d)",
        r"(?P<era>(?<![^\W\d])[RHS])(?P<year>\d\d?)(?P<by>[-/.])(?P<month>\d\d?)(?P=by)(?P<day>\d\d?)(?!\d)",
        # 29 tháng 11 năm 2026, Vietnamese; month and year have no names
        r"(?i:(?<!\d)(?P<day>\d\d?)[\s,-]*(?:tháng|thang|thg\.?)\s*(?P<month>\d\d?)[\s,/-]*(?:năm\s*)?(?P<year>\d{4})(?!\d))",
    )
)
_WEEK = re.compile(r"(?<![\w])(\d{4})-?W(\d\d)-?([1-7])(?!\d)", re.IGNORECASE)
_ORDINAL = re.compile(r"(?<![\d.])(\d{4})-?(\d{3})(?![\d.-])")
_BASIC = re.compile(r"(?<!\d)(\d{4})(\d\d)(\d\d)(?!\d)")
_DIGITS = re.compile(r"(?<![\d])(\d{1,4})\s*([-/.,])\s*(\d{1,2})\s*([-/.,])\s*(\d{1,4})(?!\d)")
_APART = re.compile(r"(?<!\d)(\d{1,4})( )(\d{1,2})( )(\d{4}|\d{1,2})(?!\d)")
_ROMAN = re.compile(r"(?<!\d)(\d\d?)[\s./-]+(X?I{1,3}|I?V|VI{1,3}|I?X)[\s./-]+(\d{4})(?!\d)")
_ROMANS = {
    numeral: month
    for month, numeral in enumerate(("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"), 1)
}
_TOKENS = re.compile(r"\d+|[^\s\d,.:;/()\[\]|–—-]+")


def readings(text: str, language: str = "") -> dict[str, date]:
    """The day that `text` means in each order that its form allows; under `ONLY` where it is certain, empty if it is no date.

    A weekday beside it rules out the orders in which it falls on another. `language` is that of the feed, if known.
    """
    for known, rest in _with_units(text):
        return {ONLY: known} if _says_no_date(rest) else {}
    for form, read in ((_WEEK, _week), (_ORDINAL, _day_of_year), (_BASIC, _basic), (_ROMAN, _roman)):
        hit = form.search(text)
        if hit and _says_no_date(_without(text, hit)):
            day = read(hit)
            return {ONLY: day} if day else {}
    hit = _DIGITS.search(text) or _APART.search(text)
    if hit:
        rest = _without(text, hit)
        return _resolve_by_weekday(dict(_in_digits(hit)), rest) if _says_no_date(rest) else {}
    return _in_words(text, language)


def usual_order(text: str) -> str:
    """The order that a date in digits has by convention, empty without one: the year first, then the month; or full stops."""
    hit = _DIGITS.search(text) or _APART.search(text)
    if hit and len(hit[1]) == 4:
        return YMD
    return DMY if hit and hit[2] == "." and len(hit[5]) == 4 else ""


def full_year(digits: str) -> int | None:
    """A year of two or four digits; those around 2569 are of the Thai calendar. None for any other number of digits."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 90 else 1900)
    if len(digits) != 4:
        return None
    return year - 543 if 2500 <= year < 2700 else year


def han_number(numeral: str) -> int:
    """A number in Chinese numerals: 五, 十一, 三十一; 二〇二六 digit by digit; 元 is an era's first year.

    Raises:
        ValueError: it is none.
    """
    numeral = numeral.replace("〇", "零")
    if numeral == "元":
        return 1
    if "十" not in numeral:
        return int("".join(str(HAN.index(char)) for char in numeral))
    tens, _, ones = numeral.partition("十")
    return HAN.index(tens or "一") * 10 + (HAN.index(ones) if ones else 0)


def day_of(year: int | None, month: int, day: int) -> date | None:
    """The day, or None if there is none such."""
    try:
        return date(year, month, day) if year else None
    except ValueError:
        return None


def unit_day(parts: Mapping[str, str | None]) -> date | None:
    """The day of a hit with the groups year, month, day and perhaps era, unit: see `UNITS`."""
    year, month, day = (parts[name] or "" for name in ("year", "month", "day"))
    era = parts.get("era")
    try:
        number = int(year) if year.isdecimal() else han_number(year)
        rest = [int(digits) if digits.isdecimal() else han_number(digits) for digits in (month, day)]
    except ValueError:
        return None
    if era:
        return day_of(ERAS[_LETTERS.get(era, era)] + number, *rest)
    if len(year) == 3 and parts.get("unit") != "일":
        return day_of(ERAS["民國"] + number, *rest)
    return day_of(full_year(f"{number}") if len(year) == 4 else None, *rest)


def _with_units(text: str) -> Iterator[tuple[date, str]]:
    for form in UNITS:
        hit = form.search(text)
        day = unit_day(hit.groupdict()) if hit else None
        if hit and day:
            yield day, _without(text, hit)


def _without(text: str, hit: re.Match[str]) -> str:
    return f"{text[: hit.start()]} {text[hit.end() :]}"


def _says_no_date(rest: str) -> bool:
    """True when the words beside a date have no part in it: few words, no number, no month."""
    words = _TOKENS.findall(rest)
    return len(words) <= WORDS and not any(word[0].isdecimal() or _is_month_only(word) for word in words)


def _is_month_only(word: str) -> bool:
    return len(word) > 2 and bool(months_named(word)) and weekday_named(word) is None


def _resolve_by_weekday(days: dict[str, date], rest: str) -> dict[str, date]:
    words = rest.replace(",", " ").split()
    # "Thứ Sáu" is a Friday, though "Thu" is a Thursday
    weekdays = {weekday_named(" ".join(pair)) for pair in pairwise(words)} - {None}
    weekdays = weekdays or {weekday_named(word) for word in words} - {None}
    fitting = {order: day for order, day in days.items() if day.weekday() in weekdays}
    return fitting if len(weekdays) == 1 and fitting else days


def _in_digits(hit: re.Match[str]) -> Iterator[tuple[str, date]]:
    first, second, third = hit[1], hit[3], hit[5]
    if hit[2] != hit[4] or len(first) == 3 or len(third) == 3:
        return
    orders = {YMD: (first, second, third), YDM: (first, third, second)}
    if len(first) <= 2:
        orders = {DMY: (third, second, first), MDY: (third, first, second)}
        if len(third) <= 2:
            orders[YMD] = (first, second, third)
    elif len(third) > 2:
        return
    for order, (year, month, number) in orders.items():
        day = day_of(full_year(year), int(month), int(number))
        if day:
            yield order, day


def _week(hit: re.Match[str]) -> date | None:
    try:
        return date.fromisocalendar(*map(int, hit.groups()))
    except ValueError:
        return None


def _day_of_year(hit: re.Match[str]) -> date | None:
    year, number = int(hit[1]), int(hit[2])
    first = day_of(year, 1, 1)
    day = date.fromordinal(first.toordinal() + number - 1) if first and number and year < 9999 else None
    return day if day and day.year == year else None


def _basic(hit: re.Match[str]) -> date | None:
    return day_of(full_year(hit[1]), int(hit[2]), int(hit[3]))


def _roman(hit: re.Match[str]) -> date | None:
    return day_of(full_year(hit[3]), _ROMANS[hit[2]], int(hit[1]))


def _in_words(text: str, language: str) -> dict[str, date]:
    """A date with the name of its month, and day and year in any place: the year has four digits, or comes last."""
    tokens = _TOKENS.findall(in_one_word(fold(text)))
    numbers = [(index, token) for index, token in enumerate(tokens) if token[0].isdecimal()]
    words = [(index, token) for index, token in enumerate(tokens) if not token[0].isdecimal()]
    if len(numbers) != 2 or len(words) > WORDS + 1:
        return {}
    months = [(index, months_named(word, language)) for index, word in words if len(word) > 1]
    months = [(index, named) for index, named in months if named]
    if len(months) > 1:
        # "mar. 3 août": what may be a weekday as well is one beside a month
        months = [(index, named) for index, named in months if weekday_named(tokens[index]) is None] or months[-1:]
    if len(months) != 1:
        return {}
    (month_index, named), ((first_index, first), (_, second)) = months[0], numbers
    if len(first) == 4 and len(second) <= 2:
        year, number = first, second
    elif len(first) <= 2 and (len(second) == 4 or (len(second) == 2 and first_index < month_index)):
        year, number = second, first
    else:
        return {}
    possible = {f"month {month}": day_of(full_year(year), month, int(number)) for month in sorted(named)}
    days = {order: day for order, day in possible.items() if day}
    if len(named) == 1:
        return dict(zip((ONLY,), days.values(), strict=False))
    return _resolve_by_weekday(days, " ".join(token for index, token in words if index != month_index))


def ascii_digits(text: str) -> str:
    """`text` with decimal digits of every script as ASCII, and full-width signs, in the same length."""
    return text if text.isascii() else "".join(char if char.isascii() else _plain(char) for char in text)


def _plain(char: str) -> str:
    value = unicodedata.decimal(char, None)
    if value is not None:
        return str(value)
    return _SIGNS.get(char, char)


_SIGNS = dict(zip("／．－：，（）［］−‐‑‒–—﹣،٫⁄\u00a0\u202f\u3000", "/.-:,()[]-------,,/   ", strict=True))
