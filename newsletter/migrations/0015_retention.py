"""What is kept no longer is found by an index: people who left, ended subscriptions, lifted suppressions, matches by topic."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0014_sign_up_requests")]

    operations = [
        migrations.AddField("subscriber", "left_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "subscriber", models.Index(fields=["left_at"], condition=Q(state="left"), name="subscriber_left")
        ),
        migrations.AddIndex("subscription", models.Index(fields=["subscriber"], name="subscription_subscriber")),
        migrations.AddIndex("subscription", models.Index(fields=["topic"], name="subscription_any_topic")),
        migrations.AddIndex(
            "subscription",
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="subscription_ended"),
        ),
        migrations.AddIndex(
            "suppression",
            models.Index(fields=["lifted_at"], condition=Q(lifted_at__isnull=False), name="suppression_lifted"),
        ),
        migrations.AddIndex("match", models.Index(fields=["topic", "matched_at"], name="match_topic")),
    ]
