"""Parse the dates of feeds: RFC 822, RFC 3339, ISO 8601, epoch numbers, and the forms and languages that feeds use in fact."""

import html
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import islice

from newsletter.feeds.dates import clock_times, date_forms
from newsletter.feeds.dates.date_forms import ascii_digits

#: Characters of a date that are read.
CAP = 200
#: Places in a date that are tried as its time of day. Only hostile dates have more.
MOST_TIMES = 12
#: Seconds since 1970 have nine or ten digits; one with three, six or nine more counts thousandths, millionths and so on.
_EPOCH = re.compile(r"(\d{9,19})(?:\.\d+)?")
_COMPACT = re.compile(r"((?:19|20)\d{6})[T_]?([0-2]\d)([0-5]\d)([0-5]\d)?(?=$|[^\d])")
_MACHINE = re.compile(r"\bdatetime\s*=\s*[\"']?([^\"'>]+)", re.IGNORECASE)
_TAGS = re.compile(r"<!\[CDATA\[|\]\]>|<[^<>]*>?")
#: A name or weekday in brackets; the letters of RFC 822 comments.
_ASIDE = re.compile(r"\[[^\[\]\d]*\]|\([^()\d]*\)|[\"'`]")
_COLONS = re.compile(r"(?<!\d)((?:19|20)\d\d):(\d\d):(\d\d)(?=[T\s])")
_LOG = re.compile(r"(?<=\d{4}):(?=\d\d:\d\d)")


@dataclass(frozen=True)
class Reading:
    """What a date can mean: a moment for each order of day, month and year that its form allows (see `date_forms`)."""

    moments: dict[str, datetime]
    #: The order that the form has by convention.
    usual: str = ""


NOTHING = Reading({})


def parse_timestamp(text: str, language: str = "") -> Reading:
    """All that `text` can mean; a date without a zone is in UTC, one without a time at its beginning.

    A zone that no place has is left out of account; a time that is none (25:99) makes the date one that is not believed.
    """
    plain = _plain(text)
    counted = _from_digits(plain)
    if counted:
        return Reading({date_forms.ONLY: counted})
    for rest, clock in islice(clock_times.splits(plain), MOST_TIMES):
        days = date_forms.readings(rest, language)
        if days:
            if clock is None and rest != plain:
                return NOTHING
            possible = {order: _moment(day, clock) for order, day in days.items()}
            moments = {order: moment for order, moment in possible.items() if moment}
            return Reading(moments, date_forms.usual_order(rest))
    return NOTHING


def _plain(text: str) -> str:
    """A date in one line, with ASCII digits and signs, without markup, comments and marks that do not show."""
    text = text[: 5 * CAP]
    if "<" in text or "&" in text:
        text = html.unescape(text)
        machine = _MACHINE.search(text)
        text = machine[1] if machine else _TAGS.sub(" ", text)
    plain = re.sub(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u061c]", "", ascii_digits(text))
    plain = _LOG.sub(" ", _COLONS.sub(r"\1-\2-\3", _ASIDE.sub(" ", plain)))
    return " ".join(plain.split())[:CAP]


def _from_digits(plain: str) -> datetime | None:
    """A number of seconds, or date and time in one row of digits."""
    compact = _COMPACT.match(plain)
    if compact and not (plain.isdecimal() and len(plain) < 12):
        return None if len(compact[0]) < len(plain) else _from_compact(compact)
    hit = _EPOCH.fullmatch(plain)
    if not hit or len(hit[1]) in (11, 14, 17):
        return None
    seconds = int(hit[1]) // 1000 ** ((len(hit[1]) - 10 + 2) // 3)
    return datetime.fromtimestamp(seconds, UTC) if seconds < 10**11 else None


def _from_compact(compact: re.Match[str]) -> datetime | None:
    day = next(iter(date_forms.readings(compact[1]).values()), None)
    hour, minute, second = (int(part or 0) for part in compact.groups()[1:])
    return datetime.combine(day, time(hour, minute, second), UTC) if day and hour < 24 else None


def _moment(day: date, clock: clock_times.Clock | None) -> datetime | None:
    try:
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return begin + clock.passed - clock.offset if clock else begin
    except OverflowError:
        return None
