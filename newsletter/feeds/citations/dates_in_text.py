"""Find the dates in a source line, in the orders and languages that digests use."""

import re
from dataclasses import dataclass
from datetime import date

from newsletter.feeds.dates.calendar_words import months_named, weekday_named
from newsletter.feeds.dates.date_forms import ONLY, UNITS, ascii_digits, day_of, full_year, readings, unit_day

#: The language whose month names count where languages differ: of those that have labels for source lines, only Polish
#: shares one with another (listopad is October in Croatian).
_LANGUAGE = "pl"
_WORD = r"[^\W\d_](?:[^\s\d,،，;:.()/–—-]|\.(?=[^\W\d_]))*"
_NAME = rf"(?P<name>{_WORD})\.?"
#: Some months have two words: تشرين الثاني.
_NAMES = rf"(?P<name>{_WORD}(?:\s{_WORD})??)\.?"
_DAY = r"(?P<day>[0-3]?\d)"
_YEAR = r"(?P<year>(?:19|20|25)\d\d)(?!\d)"
_YEAR_WORD = r"(?:\s*(?:года|г\.|р\.|року|roku|r\.)(?!\w))?"
_ORDINAL = r"(?:st|nd|rd|th|er|re|º|°|\.)?"
_PATTERNS = (
    *UNITS,
    *(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            rf"(?<![^\W\d_]){_NAME}\s*{_DAY}(?:st|nd|rd|th)?\s*,?\s+{_YEAR}",  # November 5, 2020
            # 5 November 2020, 5. November 2020, 1er août 2020, 5 de noviembre de 2020, 5 ноября 2020 г., 05-Nov-2020
            rf"(?<!\d){_DAY}{_ORDINAL}[\s-]+(?:of\s+|de\s+|d['’]\s*)?{_NAMES},?[\s-]+(?:del?\s+|พ\.ศ\.\s*)?{_YEAR}{_YEAR_WORD}",
            rf"(?<!\d){_YEAR}-يىلى?\s+{_DAY}-{_NAME}",  # Uyghur, both orders
            rf"(?<!\d){_YEAR}-يىلى?\s+{_NAME}\s+{_DAY}-كۈنى",
            # 2020. november 5., 2020 m. lapkričio 5 d.
            rf"(?<!\d){_YEAR}\.?\s+(?:m\.\s+|gada\s+)?{_NAME}\s+{_DAY}(?!\d)(?:\.|\s+d\.)?",
            rf"(?<!\d){_YEAR}(?P<between>\s?[-/.]\s?)(?P<number>[01]?\d)(?P=between){_DAY}(?!\d)\.?",  # 2020-11-05, 2020. 11. 5.
            rf"(?<!\d){_DAY}\.(?P<between>\s?)(?P<number>[01]?\d)\.(?P=between){_YEAR}{_YEAR_WORD}",  # 05.11.2020
            rf"(?<![\d/-])(?P<first>[0-3]?\d)(?P<between>[/-])(?P<second>[0-3]?\d)(?P=between){_YEAR}",  # 11/25/2020
            r"(?<![\w-])(?P<week>\d{4}-?W\d\d-?[1-7])(?!\w)",
        )
    ),
)
#: What may stand before a date and say nothing more, and the time of day behind it.
_BEFORE = re.compile(
    r"(?<!\w)(?:(?:published|posted|dated|updated|veröffentlicht|publié|опубликовано|发布于|發佈於)\s*[:：]?\s*)?"
    r"(?:on\s+|am\s+|vom\s+|le\s+|el\s+|del\s+|den\s+|от\s+)?$",
    re.IGNORECASE,
)
_WORD_BEFORE = re.compile(r"(?<!the )(?<!\w)(?P<word>[^\s\d,،，(]+)\s*[,،，]?\s*$", re.IGNORECASE)
_AFTER = re.compile(
    r"\s*[,،，T]?\s*(?:at\s+|um\s+|à\s+|в\s+)?[0-2]?\d[:：h][0-5]\d(?:[:：][0-5]\d)?"
    r"(?:\s*[ap]\.?m\.?(?!\w))?(?:\s*(?:Uhr|UTC|GMT|CET|E[SD]T|Z)\b)?",
    re.IGNORECASE,
)
_ACCESSED = re.compile(
    r"(?:accessed|retrieved|last\s+visited|viewed|abgerufen|consulté|consultado|дата\s+обращения|访问(?:日期|于)?|檢索於)"
    r"\s*[:：]?\s*(?:on\s+|am\s+|le\s+|el\s+)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class DateInText:
    """A date and where it stands, with weekday and time of day.

    `day` is None where day and month are ambiguous: no date is better than a wrong one. `accessed`: it is the day on which the
    author read the source, not that of publication.
    """

    day: date | None
    start: int
    end: int
    accessed: bool = False


def find_all(text: str) -> tuple[DateInText, ...]:
    """The dates in `text`, in order."""
    plain = ascii_digits(text)
    hits = sorted(
        (hit for pattern in _PATTERNS for hit in pattern.finditer(plain)), key=lambda hit: (hit.start(), -hit.end())
    )
    dates: list[DateInText] = []
    for hit in hits:
        if dates and hit.start() < dates[-1].end:
            continue
        day, certain = _day(hit)
        # the 31st of February is part of a name, not a date
        if day or not certain:
            dates.append(_widen(plain, hit, day))
    return tuple(dates)


def _widen(text: str, hit: re.Match[str], day: date | None) -> DateInText:
    begin, start = max(0, hit.start() - 60), hit.start()
    word = _WORD_BEFORE.search(text, begin, start) if day else None
    if word and day and weekday_named(word["word"]) == day.weekday():
        start = word.start()
    accessed = _ACCESSED.search(text, begin, start)
    before = accessed or _BEFORE.search(text, begin, start)
    after = _AFTER.match(text, hit.end())
    return DateInText(
        day,
        before.start() if before and day else hit.start(),
        after.end() if after and day else hit.end(),
        accessed is not None,
    )


def _day(hit: re.Match[str]) -> tuple[date | None, bool]:
    """(the day, whether it is certain): None and False where day and month are ambiguous."""
    parts = hit.groupdict()
    if parts.get("week"):
        return readings(parts["week"]).get(ONLY), True
    if hit.re in UNITS:
        return unit_day(parts), True
    year = full_year(parts["year"])
    if parts.get("first"):
        first, second = int(parts["first"]), int(parts["second"])
        if first <= 12 and second <= 12 and first != second:
            return None, False
        month, number = (second, first) if first > 12 else (first, second)
        return day_of(year, month, number), True
    months = months_named(parts["name"], _LANGUAGE) if parts.get("name") else {int(parts["number"])}
    return day_of(year, next(iter(months)), int(parts["day"])) if len(months) == 1 else None, True
