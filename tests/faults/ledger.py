"""The database of an installation under test, read past all of the service's own code."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

#: Nothing more is to happen to batches in other states.
_OPEN = "state IN ('planned', 'claimed', 'sending')"
_STATE = "coalesce(d.state, b.state)"
_MAILS = "FROM delivery d JOIN batch b ON b.id=d.batch_id"
#: What the service writes beside what was in doubt until an event spoke of it.
_PROVED = "an event showed that it was taken"


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

    def asked(self, sql: str) -> list[tuple[Any, ...]] | None:
        """The same, None when the database does not answer."""
        try:
            return self.rows(sql)
        except (psycopg.OperationalError, sqlite3.OperationalError):
            return None

    def states(self) -> dict[int, str]:
        """The state of each delivery."""
        return dict(self.rows(f"SELECT d.id, {_STATE} {_MAILS}"))

    def counted(self) -> dict[str, int]:
        """How many mails are in each state; empty when the database does not answer."""
        return dict(self.asked(f"SELECT {_STATE}, count(*) {_MAILS} GROUP BY 1") or ())

    def proved(self) -> int:
        """Mails that were in doubt until an event showed that they were taken."""
        return int(self.rows(f"SELECT count(*) {_MAILS} WHERE '{_PROVED}' IN (d.reason, b.reason)")[0][0])

    def open_batches(self) -> int | None:
        """Batches that are not done; None when the database does not answer."""
        found = self.asked(f"SELECT count(*) FROM batch WHERE {_OPEN}")
        return int(found[0][0]) if found is not None else None

    def done(self) -> bool:
        """True once no batch waits or is under way."""
        return self.open_batches() == 0

    def held(self) -> frozenset[tuple[int, str]] | None:
        """Batches in somebody's hands, each with whose; None when the database does not answer."""
        found = self.asked("SELECT id, token FROM batch WHERE state IN ('claimed', 'sending')")
        return frozenset((number, str(token)) for number, token in found) if found is not None else None

    def left(self) -> str:
        """What is still open, and what holds it up, in words for who reads that a scenario ran out of time."""
        found = self.asked(
            f"SELECT state, count(*), min(not_before), min(lease_until) FROM batch WHERE {_OPEN} GROUP BY 1"
        )
        if found is None:
            return "the database does not answer"
        words = [f"{count} batches {state} (due {due}, lease until {lease})" for state, count, due, lease in found]
        words += [
            f"sending is closed: {why}"
            for (why,) in self.rows(
                "SELECT paused_by FROM gate WHERE NOT sending_open UNION ALL "
                "SELECT paused_by FROM provider_gate WHERE paused_by IS NOT NULL"
            )
        ]
        words += [
            f"the provider is left alone until {moment}"
            for (moment,) in self.rows("SELECT open_until FROM breaker WHERE open_until IS NOT NULL")
        ]
        words += [
            f"{count} gatherings not composed"
            for (count,) in self.rows("SELECT count(*) FROM gathering WHERE composed_at IS NULL HAVING count(*)>0")
        ]
        return "; ".join(words) or "nothing"
