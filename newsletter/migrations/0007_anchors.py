"""Anchors of own topics, by which a new worker reads only those that an item may meet."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0006_recovery")]

    operations = [
        migrations.CreateModel(
            name="Anchor",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "sign", "topic_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("sign", models.BigIntegerField()),
                ("topic", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="newsletter.topic")),
                ("enough", models.BooleanField()),
            ],
            options={"db_table": "anchor"},
        ),
        migrations.AddField("indexstate", "languages", models.JSONField(default=list)),
        migrations.AddField("topic", "anchored", models.BooleanField(default=False)),
        migrations.AddIndex(
            "topic", models.Index(condition=models.Q(("kind", "curated")), fields=["id"], name="topic_curated")
        ),
        migrations.AddIndex(
            "topic",
            models.Index(
                condition=models.Q(("anchored", False), ("kind", "own")), fields=["id"], name="topic_not_anchored"
            ),
        ),
    ]
