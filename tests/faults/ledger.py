"""The database of an installation under test, read past all of the service's own code."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

#: Nothing more is to happen to batches in other states.
_OPEN = "state IN ('planned', 'claimed', 'sending')"


class Ledger:
    """`url` as in NEWSLETTER_DATABASE_URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query, or of a statement with RETURNING, committed."""
        parts = urlsplit(self.url)
        if parts.scheme == "sqlite":
            with closing(sqlite3.connect(Path(parts.path[1:]), timeout=20)) as lite, lite:
                return list(lite.execute(sql))
        with psycopg.connect(self.url.replace("postgres:", "postgresql:", 1), connect_timeout=5) as connection:
            cursor = connection.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def states(self) -> dict[int, str]:
        """The state of each delivery."""
        return dict(
            self.rows("SELECT d.id, coalesce(d.state, b.state) FROM delivery d JOIN batch b ON b.id=d.batch_id")
        )

    def open_batches(self) -> int | None:
        """Batches that are not done; None when the database does not answer."""
        try:
            return int(self.rows(f"SELECT count(*) FROM batch WHERE {_OPEN}")[0][0])
        except (psycopg.OperationalError, sqlite3.OperationalError):
            return None
