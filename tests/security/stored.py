"""Everything that the database and the data directory hold."""

from django.apps import apps
from django.db import connection


def everything_stored() -> dict[str, str]:
    """Each table's content as text, bytes read as Latin-1 so that nothing can hide in them."""
    found = {}
    for model in apps.get_app_config("newsletter").get_models():
        table = model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')
            found[table] = "\n".join(
                bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                for row in cursor.fetchall()
                for value in row
            )
    return found
