"""What came in and went out, day by day, in somebody's time zone: counted from the rows that are there."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from newsletter.lib import db
from newsletter.status.remembered import Remembered

#: As many days as mails are kept.
DAYS = 14


@dataclass(frozen=True)
class DayNumbers:
    """One day. `known` is False before there was anything at all: then the zeros mean nothing.

    `matched` counts items that match a topic; what readers' own keywords match is told nowhere. `accepted` are mails that a
    provider took and that did not come back; those that came back are `bounced`.
    """

    day: date
    known: bool = True
    items: int = 0
    matched: int = 0
    accepted: int = 0
    bounced: int = 0
    failed: int = 0
    unknown: int = 0

    @property
    def mails(self) -> int:
        """All mails that were handed over on this day."""
        return self.accepted + self.bounced + self.failed + self.unknown


#: The days before today, which seldom change: late bounces are told a few minutes late.
_before_today: Remembered[list[DayNumbers]] = Remembered(600)


def last_days(zone: tzinfo, *, now: datetime) -> list[DayNumbers]:
    """The last `DAYS` days up to today, the oldest first."""
    today = now.astimezone(zone).date()
    past = [today - timedelta(days=back) for back in range(DAYS - 1, 0, -1)]
    before = _before_today.get((today, str(zone)), lambda: _known(_count(past, zone), zone))
    return [*before, *_count([today], zone)]


def _known(days: list[DayNumbers], zone: tzinfo) -> list[DayNumbers]:
    """The days, of which those before the first row of a new installation are not known."""
    ((installed,),) = db.rows("SELECT min(applied) FROM django_migrations WHERE app='newsletter'")
    first = next((number for number, day in enumerate(days) if day.items or day.mails), len(days))
    moment = installed if isinstance(installed, datetime) else datetime.fromisoformat(installed).replace(tzinfo=UTC)
    began = moment.astimezone(zone).date()
    return [replace(day, known=number >= first or day.day >= began) for number, day in enumerate(days)]


def _count(days: list[date], zone: tzinfo) -> list[DayNumbers]:
    """The numbers of consecutive days: five queries, however many days."""
    starts = [datetime.combine(day, time(), zone) for day in [*days, days[-1] + timedelta(days=1)]]
    params: dict[str, object] = {f"d{number}": start for number, start in enumerate(starts)}
    numbers = [DayNumbers(day) for day in days]

    def add(column: str, sql: str) -> None:
        for place, count in db.rows(sql, params):
            numbers[place] = replace(numbers[place], **{column: int(count)})

    seen = _in_days("i.first_seen_at", len(days))
    add("items", f"SELECT {_place('i.first_seen_at', len(days))}, count(*) FROM item i WHERE {seen} GROUP BY 1")
    add(
        "matched",
        f"SELECT {_place('i.first_seen_at', len(days))}, count(*) FROM item i WHERE {seen} {_MATCHED} GROUP BY 1",
    )
    ended, ended_in = _place("a.ended_at", len(days)), _in_days("a.ended_at", len(days))
    states = _states(ended, ended_in, params)
    bounced = dict(db.rows(_BOUNCED.format(place=ended, days=ended_in), params))
    return [
        replace(
            day,
            accepted=states.get((place, "accepted"), 0) - bounced.get(place, 0),
            bounced=bounced.get(place, 0),
            failed=states.get((place, "failed"), 0),
            unknown=states.get((place, "unknown"), 0),
        )
        for place, day in enumerate(numbers)
    ]


def _states(place: str, days: str, params: dict[str, object]) -> dict[tuple[int, str], int]:
    """(day, state) → mails: those of whole batches, corrected by the mails that have a state of their own."""
    mails: dict[tuple[int, str], int] = {}
    for day, state, count in db.rows(_BATCHES.format(place=place, days=days), params):
        mails[day, state] = mails.get((day, state), 0) + int(count)
    for day, of_batch, own, count in db.rows(_OWN_STATE.format(place=place, days=days), params):
        mails[day, of_batch] = mails.get((day, of_batch), 0) - int(count)
        mails[day, own] = mails.get((day, own), 0) + int(count)
    return mails


def _place(column: str, days: int) -> str:
    """An SQL expression: the place of a moment's day, from 0."""
    cases = " ".join(f"WHEN {column}<%(d{number})s THEN {number - 1}" for number in range(1, days))
    return f"CASE {cases} ELSE {days - 1} END" if cases else "0"


def _in_days(column: str, days: int) -> str:
    return f"{column}>=%(d0)s AND {column}<%(d{days})s"


# a scalar subquery: as EXISTS, PostgreSQL would read all matches of all days
_MATCHED = (
    "AND (SELECT 1 FROM \"match\" m JOIN topic t ON t.id=m.topic_id AND t.kind='curated' "
    "WHERE m.item_id=i.id AND m.withdrawn_at IS NULL LIMIT 1)=1"
)
# the one attempt that counts: an earlier one was disproved or waived
_COUNTS = "NOT a.disproved AND a.waived_by IS NULL AND {days}"
_BATCHES = f"SELECT {{place}}, b.state, sum(b.size) FROM attempt a JOIN batch b ON b.id=a.batch_id WHERE {_COUNTS} GROUP BY 1, 2"
# few mails have a state of their own, and an index holds all that is asked of them
_OWN_STATE = (
    "WITH own AS MATERIALIZED (SELECT batch_id, state, count(*) AS mails FROM delivery WHERE state IS NOT NULL GROUP BY 1, 2) "
    "SELECT {place}, b.state, own.state, sum(own.mails) FROM own JOIN attempt a ON a.batch_id=own.batch_id "
    f"JOIN batch b ON b.id=own.batch_id WHERE {_COUNTS} GROUP BY 1, 2, 3"
)
_BOUNCED = (
    "WITH back AS MATERIALIZED (SELECT DISTINCT e.delivery_id, d.batch_id FROM event e JOIN delivery d ON d.id=e.delivery_id "
    "WHERE e.kind IN ('bounce', 'soft bounce') AND e.received_at>=%(d0)s AND d.state IS NULL) "
    "SELECT {place}, count(*) FROM back JOIN attempt a ON a.batch_id=back.batch_id AND a.outcome='accepted' "
    f"WHERE {_COUNTS} GROUP BY 1"
)
