"""Decide from a feed's other dates whether 03/04/2026 is in March or in April."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from itertools import pairwise

from newsletter.feeds.dates.date_forms import DMY, MDY, YDM, YMD
from newsletter.feeds.dates.timestamps import Reading, parse_timestamp

Check = Callable[[datetime | None], datetime | None]
#: So many different days in a feed are enough to see that they follow each other.
ENOUGH = 3
#: One order is believed for lying closer together when the other spreads the dates so many times as far.
CLOSER = 4
_RIVALS = {DMY: MDY, YMD: YDM}


class FeedDates:
    """The dates of one feed. `texts` are all of its dates, in the feed's order; `check` gives None for what cannot be.

    A date that can mean two days is read in the order that dates of the same feed prove: by a day above twelve, a weekday, or
    because the other day has not come yet. Without such proof, by the order in which the dates follow each other; else it is
    not read. The year first is taken for year, month, day, and full stops for the day first, unless the feed proves otherwise.
    """

    def __init__(self, texts: Iterable[str], check: Check, language: str = "") -> None:
        self._check, self._language = check, language
        self._readings = {text: parse_timestamp(text, language) for text in texts if text.strip()}
        self._proven: set[str] = set()
        unsettled = []
        for reading in self._readings.values():
            possible = reading.moments if reading.usual in reading.moments else self._plausible(reading)
            self._proven |= set(possible) if len(possible) == 1 else set()
            unsettled += [possible] if possible is not reading.moments else []
        if not self._proven & {DMY, MDY}:
            self._proven |= _order_of_sequence(unsettled)

    def read(self, text: str) -> datetime | None:
        """The moment that `text` means. Returns None if it is ambiguous or no date."""
        reading = self._readings.get(text) or parse_timestamp(text, self._language)
        plausible = self._plausible(reading)
        usual, rival = reading.usual, _RIVALS.get(reading.usual, "")
        if usual in reading.moments:
            is_proven = rival in reading.moments and rival in self._proven and usual not in self._proven
            return plausible.get(rival if is_proven else usual)
        for days in (plausible, {order: moment for order, moment in plausible.items() if order in self._proven}):
            if len(set(days.values())) == 1:
                return next(iter(days.values()))
        return None

    def _plausible(self, reading: Reading) -> dict[str, datetime]:
        checked = ((order, self._check(moment)) for order, moment in reading.moments.items())
        return {order: moment for order, moment in checked if moment is not None}


def _order_of_sequence(readings: Iterable[Mapping[str, datetime]]) -> set[str]:
    """The order in which dates follow each other, newest or oldest first, if they do so in one order only."""
    both = [(days[DMY].date(), days[MDY].date()) for days in readings if DMY in days and MDY in days]
    if len(set(both)) < ENOUGH:
        return set()
    rows = {DMY: [day for day, _ in both], MDY: [day for _, day in both]}
    sorted_by = {order for order, days in rows.items() if days in (sorted(days), sorted(days, reverse=True))}
    if len(sorted_by) == 1:
        return sorted_by
    return {order for order, other in ((DMY, MDY), (MDY, DMY)) if _is_closer(rows[order], rows[other])}


def _is_closer(days: Iterable[date], others: Iterable[date]) -> bool:
    """True when `days` lie close together and `others` apart, but not as evenly as a monthly's do."""
    near, far = sorted(set(days)), sorted(set(others))
    months = [12 * (later.year - earlier.year) + later.month - earlier.month for earlier, later in pairwise(far)]
    return CLOSER * (near[-1] - near[0]) < far[-1] - far[0] and len(set(months)) > 1
