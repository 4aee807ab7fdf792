"""Occasions of a lane take turns; mails of a day are counted by when their hand-over began."""

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q


def transitions(apps, schema_editor):
    """SQLite makes the table anew for a column, and forgets its triggers."""
    import_module("newsletter.migrations.0002_transitions").install(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0007_anchors")]

    operations = [
        migrations.AddField("batch", "occasion_id", models.IntegerField(default=0, db_default=0)),
        migrations.RemoveIndex("batch", "batch_ready"),
        migrations.AddIndex(
            "batch",
            models.Index(
                fields=["provider", "lane", "occasion_id", "not_before", "id"],
                condition=Q(state="planned"),
                name="batch_turns",
            ),
        ),
        migrations.AddIndex("attempt", models.Index(fields=["began_at"], name="attempt_began")),
        migrations.RunPython(transitions, migrations.RunPython.noop),
    ]
