"""Anchors by the rules of a version: those of before are written anew by the first worker that starts."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0016_incident_truncated")]

    operations = [
        migrations.AddField("topic", "anchors_version", models.SmallIntegerField(default=0, db_default=0)),
        migrations.AddIndex(
            "topic",
            models.Index(fields=["anchors_version"], condition=Q(kind="own"), name="topic_anchors_version"),
        ),
    ]
