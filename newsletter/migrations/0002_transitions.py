"""The database refuses illegal changes of state: one trigger each on batch and delivery, written from models/states.py."""

from django.db import migrations

from newsletter.models.states import BATCH_TRANSITIONS, DELIVERY_TRANSITIONS


def pairs(transitions):
    return ", ".join(sorted(f"'{before or '-'}>{after or '-'}'" for before, after in transitions))


def install(apps, schema_editor):
    for table, transitions in (("batch", BATCH_TRANSITIONS), ("delivery", DELIVERY_TRANSITIONS)):
        changed = "OLD.state IS DISTINCT FROM NEW.state" if schema_editor.connection.vendor == "postgresql" else "OLD.state IS NOT NEW.state"
        illegal = f"coalesce(OLD.state, '-') || '>' || coalesce(NEW.state, '-') NOT IN ({pairs(transitions)})"
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"CREATE OR REPLACE FUNCTION {table}_transition() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"RAISE EXCEPTION 'illegal change of {table} % from % to %', OLD.id, OLD.state, NEW.state "
                "USING ERRCODE = 'check_violation'; END $$",
                params=None,
            )
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_transition ON {table}", params=None)
            schema_editor.execute(
                f"CREATE TRIGGER {table}_transition BEFORE UPDATE OF state ON {table} FOR EACH ROW "
                f"WHEN ({changed} AND {illegal}) EXECUTE FUNCTION {table}_transition()",
                params=None,
            )
        else:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_transition", params=None)
            schema_editor.execute(
                f"CREATE TRIGGER {table}_transition BEFORE UPDATE OF state ON {table} FOR EACH ROW "
                f"WHEN {changed} AND {illegal} BEGIN SELECT RAISE(ABORT, 'illegal change of {table}'); END",
                params=None,
            )


def tune_postgres(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE batch SET (fillfactor = 50)", params=None)
        # Django leaves a unique constraint with INCLUDE out on SQLite altogether, so it is widened here
        schema_editor.execute("DROP INDEX subscription_live", params=None)
        schema_editor.execute(
            "CREATE UNIQUE INDEX subscription_live ON subscription (subscriber_id, topic_id) "
            "INCLUDE (cadence, owed_from) WHERE ended_at IS NULL",
            params=None,
        )


def remove(apps, schema_editor):
    for table in ("batch", "delivery"):
        on = f" ON {table}" if schema_editor.connection.vendor == "postgresql" else ""
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_transition{on}", params=None)


def first_rows(apps, schema_editor):
    apps.get_model("newsletter", "IndexState").objects.get_or_create(id=1)


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0001_initial")]

    operations = [
        migrations.RunPython(install, remove),
        migrations.RunPython(tune_postgres, migrations.RunPython.noop),
        migrations.RunPython(first_rows, migrations.RunPython.noop),
    ]
