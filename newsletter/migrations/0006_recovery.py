"""Breakers, the mark of a living database, skipped slots; and what an operator may do with mail in doubt."""

from importlib import import_module

from django.db import migrations, models


def transitions(apps, schema_editor):
    import_module("newsletter.migrations.0002_transitions").install(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0005_events")]

    operations = [
        migrations.CreateModel(
            name="Breaker",
            fields=[
                ("provider", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("in_a_row", models.IntegerField(default=0)),
                ("open_until", models.DateTimeField(null=True)),
                ("opened_at", models.DateTimeField(null=True)),
                ("probes", models.IntegerField(default=0)),
            ],
            options={"db_table": "breaker"},
        ),
        migrations.AddField("gate", "mark", models.BigIntegerField(default=0)),
        migrations.AddField("gathering", "skipped", models.BooleanField(default=False)),
        migrations.RunPython(transitions, migrations.RunPython.noop),
    ]
