"""The ledger at size: PostgreSQL is told how many deliveries a batch has, before it has seen many."""

from django.db import migrations


def tell(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        # judged from a first small alert, a batch would seem to grow with the table, and be read by scanning it
        schema_editor.execute("ALTER TABLE delivery ALTER COLUMN batch_id SET (n_distinct = -0.01)", params=None)


def forget(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE delivery ALTER COLUMN batch_id RESET (n_distinct)", params=None)


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0009_routing")]

    operations = [migrations.RunPython(tell, forget)]
