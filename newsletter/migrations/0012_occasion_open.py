"""Alerts and digests of which something is to come: looked for at each look."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0011_gathering_occasion")]

    operations = [
        migrations.AddIndex(
            "occasion",
            models.Index(
                fields=["id"], condition=Q(closed_at__isnull=True) & ~Q(kind="notice"), name="occasion_open"
            ),
        ),
    ]
