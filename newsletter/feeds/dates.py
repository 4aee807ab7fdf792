"""Finds the date in a source line, in the orders and languages that digests use."""

import re
from dataclasses import dataclass
from datetime import date

_MONTHS: dict[str, int] = {}
for _names in (
    # English, German, French, Spanish, Russian (genitive and nominative), Arabic, Uyghur; one row per language
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
    "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "يانۋار فېۋرال مارت ئاپرېل ماي ئىيۇن ئىيۇل ئاۋغۇست سېنتەبىر ئۆكتەبىر نويابىر دېكابىر",
):
    _MONTHS.update({name: number for number, name in enumerate(_names.split(), 1)})
_MONTHS["sept"] = 9

_MONTH = "(?P<month>" + "|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True)) + r")\.?"
_DAY = r"(?P<day>[0-3]?\d)"
_YEAR = r"(?P<year>(?:19|20)\d\d)(?!\d)"
_RUSSIAN_YEAR = r"(?:\s*(?:года|г\.))?"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<!\w){_MONTH}\s*{_DAY}(?:st|nd|rd|th)?\s*,?\s+{_YEAR}",  # November 5, 2020
        rf"(?<!\d){_DAY}(?:st|nd|rd|th|\.)?\s+(?:of\s+|de\s+)?{_MONTH},?\s+(?:de\s+)?{_YEAR}{_RUSSIAN_YEAR}",
        rf"(?<!\d){_YEAR}-يىلى?\s+{_DAY}-{_MONTH}",  # Uyghur
        rf"(?<!\d){_YEAR}\s*年\s*(?P<number>1?\d)\s*月\s*{_DAY}\s*[日号號]",
        rf"(?<!\d){_YEAR}(?P<between>[-/.])(?P<number>[01]?\d)(?P=between){_DAY}(?!\d)",  # 2020-11-05
        rf"(?<!\d){_DAY}\.(?P<number>[01]?\d)\.{_YEAR}{_RUSSIAN_YEAR}",  # 05.11.2020
        rf"(?<!\d)(?P<one>[0-3]?\d)/(?P<two>[0-3]?\d)/{_YEAR}",  # 11/25/2020
    )
)


@dataclass(frozen=True)
class Found:
    """A date and where it stands. `day` is None where day and month cannot be told apart: none is better than a wrong one."""

    day: date | None
    start: int
    end: int


def find(text: str) -> Found | None:
    """The last date in `text`: publishers come first, dates after them."""
    hits = [hit for pattern in _PATTERNS for hit in pattern.finditer(text)]
    for hit in sorted(hits, key=lambda hit: (hit.end(), -hit.start()), reverse=True):
        try:
            return Found(_day(hit), hit.start(), hit.end())
        except ValueError:  # the 31st of February is part of a name, not a date
            continue
    return None


def _day(hit: re.Match[str]) -> date | None:
    parts = hit.groupdict()
    year = int(parts["year"])
    if parts.get("one"):
        one, two = int(parts["one"]), int(parts["two"])
        if one <= 12 and two <= 12 and one != two:
            return None
        return date(year, *((two, one) if one > 12 else (one, two)))
    month = _MONTHS[parts["month"].lower()] if parts.get("month") else int(parts["number"])
    return date(year, month, int(parts["day"]))
