"""What a command needs before it touches the tables: migrated tables and keys that fit."""

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from newsletter.cli.output import fail
from newsletter.worker.startup import NotReady, prepare


def is_migrated() -> bool:
    """Whether the tables are those of this version.

    Raises:
        DatabaseError: the database does not answer.
    """
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def migrate() -> None:
    """Bring the tables to this version."""
    call_command("migrate", verbosity=0, interactive=False)


def ready() -> None:
    """Make sure that commands can work: SQLite is migrated at once, PostgreSQL on command only."""
    try:
        if not is_migrated():
            if connection.vendor != "sqlite":
                fail("the tables are not those of this version: run 'newsletter migrate'")
            migrate()
    except DatabaseError:
        fail("the database does not answer: check NEWSLETTER_DATABASE_URL and run 'newsletter doctor'")
    try:
        prepare()
    except NotReady as error:
        fail(str(error))
