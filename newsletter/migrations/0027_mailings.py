"""Mailings on the desk: what somebody keeps back, which topic a mailing is for, and indexes for its sums."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0026_ended_by_an_admin")]

    # columns that may be empty: SQLite adds them in place, and keeps the table's triggers
    operations = [
        migrations.AddField("occasion", "held_at", models.DateTimeField(null=True)),
        migrations.AddField("occasion", "only_topic_id", models.IntegerField(null=True)),
        migrations.AddField("edition", "held_at", models.DateTimeField(null=True)),
        migrations.AddField("batch", "held_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "edition", models.Index(fields=["id"], condition=Q(held_at__isnull=False), name="edition_held")
        ),
        migrations.AddIndex(
            "batch", models.Index(fields=["occasion_id", "state", "held_at", "size"], name="batch_occasion")
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(fields=["batch", "state"], condition=Q(state__isnull=False), name="delivery_own_state"),
        ),
    ]
