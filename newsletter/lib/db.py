"""The database's own means: its clock, its bulk insert, its dialect."""

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

#: Seconds for which a reading of the database's clock is carried on by this machine's own.
CARRIED: Final = 1.0
_read: tuple[datetime, float, str | None] | None = None


def is_postgres() -> bool:
    """True on PostgreSQL, False on SQLite."""
    return connection.vendor == "postgresql"


def now() -> datetime:
    """The database's clock, aware UTC: leases of several workers must not hang on each machine's own."""
    if not is_postgres():
        return datetime.now(UTC)
    moment: datetime = rows("SELECT clock_timestamp()", prepared=True)[0][0]
    return moment.astimezone(UTC)


def steady_now() -> datetime:
    """As `now`, read again each second and carried on by this machine's monotonic clock meanwhile: for what asks all the time."""
    global _read
    moment = time.monotonic()
    if _read is None or moment - _read[1] > CARRIED or _read[2] != connection.settings_dict["NAME"]:
        _read = now(), moment, connection.settings_dict["NAME"]
    return _read[0] + timedelta(seconds=moment - _read[1])


def raw_uuid(column: str) -> str:
    """A UUID's sixteen bytes, where the database has a type for it; else its hexadecimal digits, as they are stored."""
    return f"uuid_send({column})" if is_postgres() else column


def in_list(column: str, name: str) -> str:
    """Return a condition: `column` is in the list parameter `name`. The SQL text is the same for lists of any length."""
    return f"{column}=ANY(%({name})s)" if is_postgres() else f"{column} IN (SELECT value FROM json_each(%({name})s))"


def skip_locked() -> str:
    """`FOR UPDATE SKIP LOCKED` where it exists; compare-and-set is the guarantee, this only saves workers from queueing."""
    return "FOR UPDATE SKIP LOCKED" if is_postgres() else ""


def rows(sql: str, params: Sequence[Any] | dict[str, Any] = (), *, prepared: bool = False) -> list[tuple[Any, ...]]:
    """Return all rows of a query. With `prepared`, PostgreSQL keeps its plan: for short queries that run all the time."""
    if prepared and is_postgres():
        with _prepared(sql, params) as told:
            return told.fetchall()
    with connection.cursor() as cursor:
        cursor.execute(sql, _adapted(params))
        return list(cursor.fetchall())


def rows_by_key(sql: str, params: dict[str, Any]) -> dict[Any, list[Any]]:
    """Group the rows of a two-column query as {key: values}; PostgreSQL sends one array per key, which suits millions of rows."""
    if is_postgres():
        arrays = f"SELECT key, array_agg(value) FROM ({sql}) q(key, value) GROUP BY key"
        with _cursor() as cursor:
            return dict(cursor.execute(arrays, params, prepare=False, binary=True).fetchall())
    found: dict[Any, list[Any]] = defaultdict(list)
    for key, value in rows(sql, params):
        found[key].append(value)
    return found


def execute(sql: str, params: Sequence[Any] | dict[str, Any] = (), *, prepared: bool = False) -> int:
    """Run a statement and return the number of rows it changed. `prepared` as for `rows`."""
    if prepared and is_postgres():
        with _prepared(sql, params) as told:
            return told.rowcount
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
            asked = [psycopg.Cursor(raw).execute(sql, params, prepare=True, binary=True) for sql, params in statements]
        return [one.fetchall() if one.description else [] for one in asked]


def _psycopg() -> "psycopg.Connection[tuple[Any, ...]]":
    """The connection itself, opened, and looked at as Django does before its own cursors."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    raw: psycopg.Connection[tuple[Any, ...]] = connection.connection
    return raw


@contextmanager
def _cursor() -> Iterator["psycopg.Cursor[tuple[Any, ...]]"]:
    """A cursor of psycopg's own. Django's writes the values into the text, so that no statement ever comes twice."""
    import psycopg  # only here: SQLite goes without

    with connection.wrap_database_errors, psycopg.Cursor(_psycopg()) as cursor:
        yield cursor


@contextmanager
def _prepared(sql: str, params: Sequence[Any] | dict[str, Any]) -> Iterator["psycopg.Cursor[tuple[Any, ...]]"]:
    with _cursor() as cursor:
        yield cursor.execute(sql, params, prepare=True, binary=True)


def insert(table: str, columns: Sequence[str], values: Iterable[Sequence[Any]]) -> None:
    """Insert many rows: COPY on PostgreSQL, `executemany` on SQLite. `table` and `columns` are our own words, never input."""
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        if is_postgres():
            # outside of execute() Django does not translate psycopg's errors by itself
            with connection.wrap_database_errors, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                for row in values:
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({places})', [_list(row) for row in values])


#: Numbers before, one that is each of these, numbers after: so many rows.
Run = tuple[tuple[int, ...], Sequence[int], tuple[int, ...]]


def insert_runs(table: str, columns: Sequence[str], runs: Iterable[Run]) -> None:
    """As `insert`, for numbers of which one column changes from row to row: a million rows are some joins of text, not loops."""
    if not is_postgres():
        insert(table, columns, ((*before, one, *after) for before, ones, after in runs for one in ones))
        return
    names = ", ".join(f'"{name}"' for name in columns)
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy,
    ):
        for before, ones, after in runs:
            if ones:
                head = "".join(f"{number}\t" for number in before)
                tail = "".join(f"\t{number}" for number in after) + "\n"
                copy.write(head + (tail + head).join(map(str, ones)) + tail)


def analyze_if_grown(table: str, added: int) -> None:
    """Run ANALYZE on a table that more than doubled: until autovacuum runs, PostgreSQL plans as if it were still small."""
    if is_postgres() and rows("SELECT reltuples<%s FROM pg_class WHERE oid=%s::regclass", [added, table])[0][0]:
        execute(f'ANALYZE "{table}"')


#: Rows of one statement: well below SQLite's limit of 32,766 parameters.
_CHUNK = 500


def insert_new(table: str, columns: Sequence[str], values: Sequence[Sequence[Any]], *, key: str) -> list[Any]:
    """Insert the rows whose unique `key` is not there yet; returns the keys of those. Names are our own words, never input.

    Give `values` in the order of their keys: then two that insert the same rows wait for each other, and never both.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    row = f"({', '.join(['%s'] * len(columns))})"
    inserted: list[Any] = []
    for start in range(0, len(values), _CHUNK):
        chunk = values[start : start + _CHUNK]
        told = rows(
            f'INSERT INTO "{table}" ({names}) VALUES {", ".join([row] * len(chunk))} '
            f'ON CONFLICT ("{key}") DO NOTHING RETURNING "{key}"',
            [value for one in chunk for value in one],
        )
        inserted.extend(one[0] for one in told)
    return inserted


def _adapted(params: Sequence[Any] | dict[str, Any]) -> Sequence[Any] | dict[str, Any]:
    if isinstance(params, dict):
        return {name: _value(value) for name, value in params.items()}
    return _list(params)


def _list(params: Sequence[Any]) -> list[Any]:
    return [_value(value) for value in params]


def _value(value: Any) -> Any:
    """Moments and UUIDs as the ORM stores them, lists as JSON: SQLite has no type for them."""
    if is_postgres():
        return value
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, list):
        return json.dumps(value)
    return value.hex if isinstance(value, UUID) else value
