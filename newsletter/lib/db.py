"""Both databases, PostgreSQL and SQLite, behind one interface: clock, queries, bulk inserts, dialect."""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection, transaction

if TYPE_CHECKING:
    import psycopg

#: Seconds for which `steady_now` extends a reading of the database's clock by this machine's own.
_CLOCK_KEPT: Final = 1.0
_clock: tuple[datetime, float, str | None] | None = None


def is_postgres() -> bool:
    """True on PostgreSQL, False on SQLite."""
    return connection.vendor == "postgresql"


def now() -> datetime:
    """Return the database's time, aware, in UTC: leases must not depend on the clocks of several machines."""
    if not is_postgres():
        return datetime.now(UTC)
    moment: datetime = rows("SELECT clock_timestamp()", prepared=True)[0][0]
    return moment.astimezone(UTC)


def steady_now() -> datetime:
    """As `now`, but read from the database once a second only, and extended by this machine's monotonic clock."""
    global _clock
    moment = time.monotonic()
    if _clock is None or moment - _clock[1] > _CLOCK_KEPT or _clock[2] != connection.settings_dict["NAME"]:
        _clock = now(), moment, connection.settings_dict["NAME"]
    return _clock[0] + timedelta(seconds=moment - _clock[1])


def raw_uuid(column: str) -> str:
    """Return an expression for a UUID column: its sixteen bytes on PostgreSQL, its hexadecimal digits on SQLite."""
    return f"uuid_send({column})" if is_postgres() else column


def in_list(column: str, name: str) -> str:
    """Return a condition: `column` is in the list parameter `name`. The SQL text is the same for lists of any length."""
    return f"{column}=ANY(%({name})s)" if is_postgres() else f"{column} IN (SELECT value FROM json_each(%({name})s))"


def skip_locked() -> str:
    """Return `FOR UPDATE SKIP LOCKED` where it exists. It only saves workers from queueing: compare-and-set is the guarantee."""
    return "FOR UPDATE SKIP LOCKED" if is_postgres() else ""


def rows(sql: str, params: Sequence[Any] | dict[str, Any] = (), *, prepared: bool = False) -> list[tuple[Any, ...]]:
    """Return all rows of a query. With `prepared`, PostgreSQL keeps its plan: for short queries that run all the time."""
    if prepared and is_postgres():
        with _prepared(sql, params) as cursor:
            return cursor.fetchall()
    with connection.cursor() as cursor:
        cursor.execute(sql, _adapted(params))
        return list(cursor.fetchall())


def rows_by_key(sql: str, params: dict[str, Any]) -> dict[Any, list[Any]]:
    """Group the rows of a two-column query as {key: values}; PostgreSQL sends one array per key, which suits millions of rows."""
    if is_postgres():
        arrays = f"SELECT key, array_agg(value) FROM ({sql}) q(key, value) GROUP BY key"
        with _cursor() as cursor:
            return dict(cursor.execute(arrays, params, prepare=False, binary=True).fetchall())
    by_key: dict[Any, list[Any]] = defaultdict(list)
    for key, value in rows(sql, params):
        by_key[key].append(value)
    return by_key


def execute(sql: str, params: Sequence[Any] | dict[str, Any] = (), *, prepared: bool = False) -> int:
    """Run a statement and return the number of rows it changed. `prepared` as for `rows`."""
    if prepared and is_postgres():
        with _prepared(sql, params) as cursor:
            return cursor.rowcount
    with connection.cursor() as cursor:
        cursor.execute(sql, _adapted(params))
        return int(cursor.rowcount)


#: A statement and its parameters.
Statement = tuple[str, dict[str, Any]]


def execute_pipeline(*statements: Statement) -> list[list[tuple[Any, ...]]]:
    """Run the statements in one transaction and return the rows of each; on PostgreSQL in a single round trip.

    A transaction is opened if none is. No statement can use the rows that another returned.
    """
    if not is_postgres():
        with transaction.atomic():
            return [rows(sql, params) for sql, params in statements]
    import psycopg

    raw = _psycopg()
    with connection.wrap_database_errors:
        with raw.pipeline():
            cursors = [
                psycopg.Cursor(raw).execute(sql, params, prepare=True, binary=True) for sql, params in statements
            ]
        return [cursor.fetchall() if cursor.description else [] for cursor in cursors]


def _psycopg() -> "psycopg.Connection[tuple[Any, ...]]":
    """Return psycopg's connection, opened and checked as Django does before it makes a cursor."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    raw: psycopg.Connection[tuple[Any, ...]] = connection.connection
    return raw


@contextmanager
def _cursor() -> Iterator["psycopg.Cursor[tuple[Any, ...]]"]:
    """A cursor of psycopg itself: Django's writes values into the SQL text, so that no statement could be prepared."""
    import psycopg  # not installed with SQLite

    with connection.wrap_database_errors, psycopg.Cursor(_psycopg()) as cursor:
        yield cursor


@contextmanager
def _prepared(sql: str, params: Sequence[Any] | dict[str, Any]) -> Iterator["psycopg.Cursor[tuple[Any, ...]]"]:
    with _cursor() as cursor:
        yield cursor.execute(sql, params, prepare=True, binary=True)


def insert(table: str, columns: Sequence[str], values: Iterable[Sequence[Any]]) -> None:
    """Insert many rows: COPY on PostgreSQL, `executemany` on SQLite. `table` and `columns` never come from input."""
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        if is_postgres():
            # Django translates psycopg's errors only in execute()
            with connection.wrap_database_errors, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                for row in values:
                    copy.write_row(row)
        else:
            values_sql = ", ".join(["%s"] * len(columns))
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({values_sql})', [_list(row) for row in values])


#: Rows that differ in one column: the numbers before it, its number in each row, the numbers after it.
Run = tuple[tuple[int, ...], Sequence[int], tuple[int, ...]]


def insert_runs(table: str, columns: Sequence[str], runs: Iterable[Run]) -> None:
    """As `insert`, for rows of numbers of which one column changes: a million rows are a few joins of text, without a loop.

    The run `((7, 1), [4, 5, 6], (0,))` has the head `7 1 `, the tail ` 0\\n` and three rows. Joining `4 5 6` by tail + head
    makes all that stands between the first head and the last tail:

        7 1 4 0
        7 1 5 0
        7 1 6 0
    """
    if not is_postgres():
        insert(table, columns, ((*before, number, *after) for before, numbers, after in runs for number in numbers))
        return
    names = ", ".join(f'"{name}"' for name in columns)
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy,
    ):
        for before, numbers, after in runs:
            if numbers:
                head = "".join(f"{number}\t" for number in before)
                tail = "".join(f"\t{number}" for number in after) + "\n"
                copy.write(head + (tail + head).join(map(str, numbers)) + tail)


def analyze_if_grown(table: str, added: int) -> None:
    """Run ANALYZE on a table that more than doubled: until autovacuum runs, PostgreSQL plans as if it were still small."""
    if is_postgres() and rows("SELECT reltuples<%s FROM pg_class WHERE oid=%s::regclass", [added, table])[0][0]:
        execute(f'ANALYZE "{table}"')


#: Rows per statement: well below SQLite's limit of 32,766 parameters.
_CHUNK = 500


def insert_new(table: str, columns: Sequence[str], values: Sequence[Sequence[Any]], *, key: str) -> list[Any]:
    """Insert the rows whose unique `key` does not exist yet, and return their keys. Names never come from input.

    Pass `values` in the order of their keys: then two transactions that insert the same rows cannot deadlock.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    row_sql = f"({', '.join(['%s'] * len(columns))})"
    inserted: list[Any] = []
    for start in range(0, len(values), _CHUNK):
        chunk = values[start : start + _CHUNK]
        returned = rows(
            f'INSERT INTO "{table}" ({names}) VALUES {", ".join([row_sql] * len(chunk))} '
            f'ON CONFLICT ("{key}") DO NOTHING RETURNING "{key}"',
            [value for row in chunk for value in row],
        )
        inserted.extend(value for (value,) in returned)
    return inserted


def _adapted(params: Sequence[Any] | dict[str, Any]) -> Sequence[Any] | dict[str, Any]:
    if isinstance(params, dict):
        return {name: _value(value) for name, value in params.items()}
    return _list(params)


def _list(params: Sequence[Any]) -> list[Any]:
    return [_value(value) for value in params]


def _value(value: Any) -> Any:
    """Convert for SQLite, which has no type for them: moments and UUIDs as the ORM does, lists to JSON."""
    if is_postgres():
        return value
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, list):
        return json.dumps(value)
    return value.hex if isinstance(value, UUID) else value
