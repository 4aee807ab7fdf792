"""The dates of feeds as moments: RFC 822, RFC 3339, epoch numbers, and the forms and languages that are really sent."""

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone

from feedparser.datetimes import _parse_date as by_feedparser

#: Beginnings of month names, January first; one row for each language or family.
_ROWS = (
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "jän feb mär apr mai juni juli aug sep okt nov dez",
    "janv fév mars avr mai juin juil aoû sep oct nov déc",
    "ene feb mar abr may jun jul ago set oct nov dic",
    "gen feb mar apr mag giu lug ago set ott nov dic",
    "jan fev mar abr mai jun jul ago set out nov dez",
    "jan feb maa apr mei jun jul aug sep okt nov dec",
    "jan feb mrt apr maj jun jul aug sep okt nov des",
    "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    "oca şub mar nis may haz tem ağu eyl eki kas ara",
    "янв фев мар апр мая июн июл авг сен окт ноя дек",
    "янв фев мар апр май июн июл авг сен окт ноя дек",
    "січ лют бер кві тра чер лип сер вер жов лис гру",
    "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
)
_MONTHS = {name: number for row in _ROWS for number, name in enumerate(row.split(), 1)}
_MONTH = "(?P<word>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")[^\W\d_]*\.?"
_TIME = r"(?P<hour>\d\d?)[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,]\d+)?)?\s*(?P<half>[ap]\.?m\b\.?)?\s*(?P<zone>\S.*)?"
_FORMS = tuple(
    re.compile(rf"(?:{form})(?:(?:[T,\s]|at|um|в)+{_TIME})?\s*", re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})(?P<between>[-/.]?)(?P<month>\d\d?)(?P=between)(?P<day>\d\d?)",
        r"(?P<year>\d{4})\s*年\s*(?P<month>\d\d?)\s*月\s*(?P<day>\d\d?)\s*日",
        # a weekday in whatever language may come first
        rf"(?:[^\W\d]+\.?,?\s*)?(?P<day>\d\d?)(?:st|nd|rd|th|\.)?[\s-]*(?:de\s+)?{_MONTH}[\s,-]*(?:de\s+)?(?P<year>\d{{4}}|\d\d)",
        rf"(?:[^\W\d]+\.?,?\s+)?{_MONTH}\s*(?P<day>\d\d?)(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})",
    )
)
_OFFSET = re.compile(r"(?:GMT|UTC?)?\s*([+-])(\d\d?):?(\d\d)?", re.IGNORECASE)
_NUMBERS = ("year", "month", "day", "hour", "minute", "second")
#: Hours from UTC, as RFC 822 section 5 has them, and what else is seen; an unknown name counts as UTC.
_ZONES = {
    name: hours
    for hours, names in {
        -10: "HST",
        -9: "AKST",
        -8: "PST AKDT",
        -7: "MST PDT",
        -6: "CST MDT",
        -5: "EST CDT",
        -4: "AST EDT",
        -3.5: "NST",
        -3: "ADT BRT ART",
        -2.5: "NDT",
        1: "BST WEST CET MET MEZ",
        2: "CEST MEST MESZ EET SAST",
        3: "EEST MSK TRT",
        5: "PKT",
        5.5: "IST",
        8: "HKT SGT AWST",
        9: "JST KST",
        9.5: "ACST",
        10: "AEST",
        11: "AEDT",
        12: "NZST",
    }.items()
    for name in names.split()
}


def moment(text: str) -> datetime | None:
    """When `text` says; a date without a zone is in UTC, one without a time at its beginning. None: it is no date."""
    plain = " ".join(text[:100].split())
    if plain.isascii() and plain.isdigit() and len(plain) in (9, 10, 12, 13):
        # feedparser takes 1795456800 for a day in the year 1795
        return datetime.fromtimestamp(int(plain) / (1 if len(plain) < 12 else 1000), UTC)
    for form in _FORMS:
        hit = form.fullmatch(plain)
        if hit:
            return _moment(hit.groupdict())
    try:
        found = by_feedparser(plain)
        return datetime.fromtimestamp(calendar.timegm(found), UTC) if found else None
    except (ValueError, OverflowError, TypeError, OSError):
        return None


def _moment(parts: dict[str, str | None]) -> datetime | None:
    given = {name: int(value) for name, value in parts.items() if value and name in _NUMBERS}
    year = given["year"]
    if len(parts["year"] or "") == 2:
        year += 2000 if year < 90 else 1900
    month = given["month"] if "month" in given else _MONTHS[(parts["word"] or "").lower()]
    hour = given.get("hour", 0)
    half = (parts["half"] or "").lower()[:1]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        day = datetime(year, month, given["day"], tzinfo=_zone(parts["zone"] or ""))
        # a leap second is the moment before; 24:00 is the next day's beginning (ISO 8601)
        if hour > 24 or given.get("minute", 0) > 59 or given.get("second", 0) > 60:
            return None
        passed = timedelta(hours=hour, minutes=given.get("minute", 0), seconds=min(given.get("second", 0), 59))
        return (day + passed).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str) -> timezone:
    hit = _OFFSET.match(text)
    if hit:
        hours, minutes = int(hit[2]), int(hit[3] or 0)
        return timezone((-1 if hit[1] == "-" else 1) * timedelta(hours=hours, minutes=minutes))
    return timezone(timedelta(hours=_ZONES.get(text.upper().partition(" ")[0].strip("()"), 0)))
