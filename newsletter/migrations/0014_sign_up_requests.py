"""Public forms write one sealed request, and a worker decides what follows; counts of networks and mailboxes limit both."""

from django.db import migrations, models
from django.db.models import Q

_KINDS = [("holder", "Holder"), ("link", "Link"), ("sign-up", "Sign Up")]


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0013_worker")]

    operations = [
        migrations.CreateModel(
            name="SignUpRequest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.TextField(choices=_KINDS)),
                ("handle", models.BinaryField()),
                ("key_id", models.SmallIntegerField()),
                ("cipher", models.BinaryField()),
                ("turn", models.IntegerField()),
                ("created_at", models.DateTimeField()),
                ("waits_until", models.DateTimeField(null=True)),
                ("address", models.BinaryField(null=True)),
            ],
            options={
                "db_table": "sign_up_request",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["kind", "address"],
                        condition=Q(address__isnull=False),
                        name="sign_up_request_waits_once",
                    )
                ],
                "indexes": [
                    models.Index(
                        fields=["kind", "turn", "id"],
                        condition=Q(waits_until__isnull=True),
                        name="sign_up_request_ready",
                    ),
                    models.Index(
                        fields=["waits_until"], condition=Q(waits_until__isnull=False), name="sign_up_request_waits"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NetworkCount",
            fields=[
                ("network", models.BinaryField(primary_key=True, serialize=False)),
                ("hour", models.DateTimeField()),
                ("requests", models.IntegerField()),
            ],
            options={"db_table": "network_count"},
        ),
        migrations.CreateModel(
            name="MailboxLimit",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mailbox", models.BinaryField()),
                ("kind", models.TextField(choices=_KINDS)),
                ("sent", models.SmallIntegerField()),
                ("last_at", models.DateTimeField()),
            ],
            options={
                "db_table": "mailbox_limit",
                "constraints": [models.UniqueConstraint(fields=["mailbox", "kind"], name="mailbox_limit_once")],
            },
        ),
        migrations.CreateModel(
            name="NoticeBudget",
            fields=[
                ("kind", models.TextField(choices=_KINDS, primary_key=True, serialize=False)),
                ("full_at", models.DateTimeField()),
                ("per_hour", models.IntegerField()),
            ],
            options={"db_table": "notice_budget"},
        ),
        migrations.AlterField(
            "notice",
            "kind",
            models.TextField(
                choices=[("confirm", "Confirm"), ("add", "Add"), ("manage", "Manage"), ("resumed", "Resumed")]
            ),
        ),
    ]
