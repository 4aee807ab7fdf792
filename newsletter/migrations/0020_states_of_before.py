"""The codes of 0019 for rows that were there before: a transaction of its own, in which no table is locked."""

from importlib import import_module

from django.db import migrations

_0019 = import_module("newsletter.migrations.0019_states")


def fill(apps, schema_editor):
    true = "true" if schema_editor.connection.vendor == "postgresql" else "1"
    for table, values, condition in (
        ("batch", f"paced = {true}, occasion_id = abs(occasion_id)", _0019.PACED),
        ("delivery", "recipient_status = substr(reason, 11)", _0019.REFUSED),
        ("attempt", f"not_begun = CASE phase {_0019.CASES} END", _0019.UNKNOWN_PHASE),
        ("event", "rule = 'urgent'", _0019.URGENT),
        ("gate", "closed_for = 'restored'", f"NOT sending_open AND paused_by LIKE '{_0019.RESTORED}'"),
    ):
        schema_editor.execute(f"UPDATE {table} SET {values} WHERE {condition.replace('NEW.', '')}", params=None)


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0019_states")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
