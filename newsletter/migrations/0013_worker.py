"""Processes that send, with their heartbeats, and which of them holds a batch."""

import django.db.models.deletion
from django.db import migrations, models

# The database clears the holder, so that also a worker of an older version, which does not know the column, leaves none behind.
_POSTGRES = (
    "CREATE OR REPLACE FUNCTION batch_released() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "NEW.worker_id = NULL; RETURN NEW; END $$",
    "CREATE TRIGGER batch_released BEFORE UPDATE OF state ON batch FOR EACH ROW "
    "WHEN (NEW.worker_id IS NOT NULL AND NEW.state NOT IN ('claimed', 'sending')) EXECUTE FUNCTION batch_released()",
)
_SQLITE = (
    "CREATE TRIGGER batch_released AFTER UPDATE OF state ON batch "
    "WHEN NEW.worker_id IS NOT NULL AND NEW.state NOT IN ('claimed', 'sending') "
    "BEGIN UPDATE batch SET worker_id = NULL WHERE id = NEW.id; END",
)


def install(apps, schema_editor):
    for statement in _POSTGRES if schema_editor.connection.vendor == "postgresql" else _SQLITE:
        schema_editor.execute(statement, params=None)


def remove(apps, schema_editor):
    on = " ON batch" if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f"DROP TRIGGER IF EXISTS batch_released{on}", params=None)


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0012_occasion_open")]

    operations = [
        migrations.CreateModel(
            name="Worker",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("host", models.TextField()),
                ("pid", models.IntegerField()),
                ("version", models.TextField()),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("missed_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "worker"},
        ),
        migrations.AddField(
            "batch",
            "worker",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                to="newsletter.worker",
            ),
        ),
        migrations.RunPython(install, remove),
    ]
