"""Tokens of links, and a dump of the tables, for tests of the public pages."""

from django.db import connection

from newsletter import wiring
from newsletter.matching.topics import reader_feedback
from tests import factories


def dump():
    """Every row of every table, as the database holds it."""
    with connection.cursor() as cursor:
        tables = sorted(connection.introspection.table_names(cursor))
        found = {}
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            found[table] = sorted(map(repr, cursor.fetchall()))
    return found


def objection_token(topic):
    """The link of an item that met a topic."""
    topic.refresh_from_db()
    item = factories.item()
    factories.match(item, topic)
    return reader_feedback.objection_token(item.id, topic.id, wiring.vault())
