"""A further kind of incident: a feed with more entries than are read. Only the list of kinds in the code changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0015_retention")]

    operations = [
        migrations.AlterField(
            "incident",
            "kind",
            models.TextField(
                choices=[
                    ("gap", "Gap"),
                    ("moved", "Moved"),
                    ("ended", "Ended"),
                    ("quarantined", "Quarantined"),
                    ("truncated", "Truncated"),
                ]
            ),
        ),
    ]
