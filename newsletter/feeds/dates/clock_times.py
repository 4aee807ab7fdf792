"""Split the time of day and its zone off a date."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

#: Hours from UTC, as RFC 822 section 5 has them, and what else is seen; an unknown name counts as UTC.
_ZONES = {
    name: hours
    for hours, names in {
        0: "Z UT UTC GMT WET",
        -10: "HST",
        -9: "AKST",
        -8: "PST AKDT PT",
        -7: "MST PDT MT",
        -6: "CST MDT CT",
        -5: "EST CDT ET",
        -4: "AST EDT",
        -3.5: "NST",
        -3: "ADT BRT ART CLST",
        -2.5: "NDT",
        1: "BST WEST CET MET MEZ HNEC WAT",
        2: "CEST MEST MESZ HAEC EET SAST CAT",
        3: "EEST MSK TRT EAT",
        3.5: "IRST",
        4: "GST",
        5: "PKT",
        5.5: "IST",
        5.75: "NPT",
        7: "ICT WIB",
        8: "HKT SGT AWST PHT MYT",
        9: "JST KST",
        9.5: "ACST",
        10: "AEST",
        10.5: "ACDT",
        11: "AEDT",
        12: "NZST",
        13: "NZDT",
    }.items()
    for name in names.split()
}
#: No place is further from UTC (hours): a zone beyond is a mistake, and is ignored.
_WEST, _EAST = timedelta(hours=-12), timedelta(hours=14)
_MORNING = (
    r"上午|午前|早上|清晨|凌晨|오전|a\.?\s?m\b\.?|صباحا|(?<!\w)ص(?!\w)|ق\.ظ|पूर्वाह्न|ก่อนเที่ยง|π\.?μ\.?|(?<!\w)öö(?!\w)"
    r"|(?<!\w)sa(?!\w)|(?<!\w)de\.(?!\w)"
)
_EVENING = (
    r"下午|午後|午后|中午|晚上|傍晚|오후|p\.?\s?m\b\.?|مساءً?|(?<!\w)م(?!\w)|ب\.ظ|अपराह्न|หลังเที่ยง|μ\.?μ\.?|(?<!\w)ös(?!\w)"
    r"|(?<!\w)ch(?!\w)|(?<!\w)du\.(?!\w)"
)
_HALF = rf"(?P<{{}}>{_MORNING}|{_EVENING})"
_IS_EVENING = re.compile(_EVENING, re.IGNORECASE)
_OFFSET = r"[+-]\d{1,2}(?:[:.]?\d\d)?(?:[:.]?\d\d)?(?!\d)"
_NAME = "|".join(sorted(_ZONES, key=len, reverse=True))
_ZONE = rf"(?P<zone>(?:(?:GMT|UTC|UT|Z)\s?)?{_OFFSET}|(?:{_NAME})(?![^\W_])|[+-]\d+)"
_CLOCKS = (
    # T100000Z, ISO 8601's basic format; T10
    r"(?<=\d)T(?P<hour>\d\d)(?P<minute>\d\d)?(?P<second>\d\d)?(?:[.,](?P<fraction>\d+))?(?![\d:.])",
    r"(?<!\d)(?P<hour>\d\d?)\s?:\s?(?P<minute>\d\d?)(?:\s?:\s?(?P<second>\d\d?))?(?:[.,:](?P<fraction>\d+))?(?!\d)",
    r"(?<!\d)(?P<hour>\d\d?)\s*[時时點点시]\s*(?:(?P<minute>\d\d?)\s*[分분])?\s*(?:(?P<second>\d\d?)\s*[秒초])?",
    r"(?<!\d)(?P<hour>\d\d?)\s?[hH](?:\s?(?P<minute>\d\d))?(?![\w])",
    # 10.30 behind a date only: it might be a part of one
    r"(?<![\d.])(?P<hour>\d\d?)\.(?P<minute>\d\d)(?:\.(?P<second>\d\d))?(?![\d.]*\d)",
    r"(?<![\d.,/-])(?P<hour>\d\d?)(?=\s*[ap]\.?\s?m\b)",
    # 29 Nov 2026 1000 GMT
    r"(?<=\d{4} )(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?=\s?(?:Z|UT|UTC|GMT|[+-]\d{4})(?!\w))",
)
_FORMS = tuple(
    re.compile(
        rf"(?:{_HALF.format('early')}\s*)?{clock}(?:\s*{_HALF.format('late')})?(?:\s*(?:Uhr|hrs?|ч\.?)(?!\w))?(?:\s*,?\s*{_ZONE})?",
        re.IGNORECASE,
    )
    for clock in _CLOCKS
)
_ZONE_AT_END = re.compile(rf"(?<=\s){_ZONE}\s*$", re.IGNORECASE)
_LEADING = re.compile(r"(?:\b(?:at|um|kl|klo|ore|pukul|à|às|las|alle|om|в|о|T)\b\.?|[\s,;|T-])*$")


@dataclass(frozen=True)
class Clock:
    """A time of day, from the beginning of the day on; 24:00 is the next day's. `offset` is that from UTC."""

    passed: timedelta
    offset: timedelta


def splits(text: str) -> Iterator[tuple[str, Clock | None]]:
    """(the rest, the time) in each way that `text` can be read; the last one has none. A time that is impossible ends it."""
    for form in _FORMS:
        for hit in form.finditer(text):
            passed = _passed(hit)
            before, after = _LEADING.sub("", text[: hit.start()]), text[hit.end() :]
            zone = hit["zone"]
            if zone is None:
                end = _ZONE_AT_END.search(after) if after.strip() else None
                zone, after = (end["zone"], after[: end.start()]) if end else ("", after)
            yield f"{before} {after}".strip(), Clock(passed, _offset(zone)) if passed is not None else None
    yield text, None


def _passed(hit: re.Match[str]) -> timedelta | None:
    parts = hit.groupdict()
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    half = parts["early"] or parts["late"] or ""
    if half and hour <= 12:
        hour = _hour(hour, half)
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and minute + second):
        return None
    unit = 1 if parts.get("second") else 60 if parts.get("minute") else 3600
    fraction = float(f"0.{parts['fraction']}") if parts.get("fraction") and unit > 1 else 0
    # a leap second is the moment before
    return timedelta(hours=hour, minutes=minute, seconds=int(min(second, 59) + fraction * unit))


def _hour(hour: int, half: str) -> int:
    if half == "中午":
        return hour + 12 if hour < 3 else hour
    if half in ("晚上", "傍晚") and hour == 12:
        return 24
    return hour % 12 + (12 if _IS_EVENING.fullmatch(half) else 0)


def _offset(zone: str) -> timedelta:
    """What a zone is from UTC; nothing for one that is impossible or unknown."""
    hit = re.search(r"([+-])(\d+)[:.]?(\d\d)?", zone)
    if not hit:
        return timedelta(hours=_ZONES.get(zone.strip().upper(), 0))
    digits = hit[2]
    if hit[3] is None and len(digits) > 2:
        hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) <= 4 else (99, 0)
    else:
        hours, minutes = int(digits), int(hit[3] or 0)
    ahead = (-1 if hit[1] == "-" else 1) * timedelta(hours=min(hours, 99), minutes=minutes)
    return ahead if _WEST <= ahead <= _EAST and minutes < 60 else timedelta(0)
