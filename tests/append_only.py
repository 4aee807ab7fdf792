"""Let tests empty the audit log, whose trigger on SQLite also stops the deletion of all rows after a test with transactions."""

from typing import Any

from django.db import connection
from django.db.backends.sqlite3.base import DatabaseOperations


def let_flush_empty_it() -> None:
    """Drop the trigger before all tables are emptied, and create it again. PostgreSQL truncates, which no trigger sees."""
    flush = DatabaseOperations.sql_flush

    def sql_flush(self: DatabaseOperations, *args: Any, **options: Any) -> list[str]:
        statements = flush(self, *args, **options)
        with connection.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name='audit_no_delete'")
            trigger = [sql for (sql,) in cursor.fetchall()]
        return [*(["DROP TRIGGER audit_no_delete"] if trigger else []), *statements, *trigger]

    DatabaseOperations.sql_flush = sql_flush
