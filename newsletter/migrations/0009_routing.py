"""A gate for each provider, and routes: which of two providers carries whose mail."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0008_pace")]

    operations = [
        migrations.CreateModel(
            name="ProviderGate",
            fields=[
                ("provider", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("paused_by", models.TextField(null=True)),
                ("paused_at", models.DateTimeField(null=True)),
                ("by_hand", models.BooleanField(default=False)),
                ("opened_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "provider_gate"},
        ),
        migrations.CreateModel(
            name="Route",
            fields=[
                ("domain", models.TextField(primary_key=True, serialize=False)),
                ("provider", models.SmallIntegerField()),
                ("share", models.SmallIntegerField(default=100)),
            ],
            options={
                "db_table": "route",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("share__gte", 0), ("share__lte", 100)), name="route_share"
                    )
                ],
            },
        ),
    ]
