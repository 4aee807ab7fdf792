"""Mail that a provider refused may be planned again on somebody's decision (models/states.py)."""

from importlib import import_module

from django.db import migrations


def transitions(apps, schema_editor):
    import_module("newsletter.migrations.0002_transitions").install(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0032_merged_topics")]

    operations = [migrations.RunPython(transitions, migrations.RunPython.noop)]
